"""TensorFlow, loaded without its noise."""

import logging
import os


def load_framework() -> None:
    """Import TensorFlow without the lines that it writes past its own log level, about instructions and absent GPUs."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    stderr, nowhere = os.dup(2), os.open(os.devnull, os.O_WRONLY)
    try:
        os.dup2(nowhere, 2)
        import tensorflow as tf

        tf.config.list_physical_devices()
        # One line for each all-reduce of the graph, twice, otherwise.
        tf.get_logger().setLevel(logging.WARNING)
    finally:
        os.dup2(stderr, 2)
        os.close(stderr)
        os.close(nowhere)
