"""Networks small enough to convert in a test, and builders that fail."""

from pathlib import Path
from typing import Any

from embedder.errors import WeightsError


def build_two_outputs(path: Path) -> Any:
    """Build a network of free height and width with two outputs, which sorting by name would swap."""
    import keras

    keras.utils.set_random_seed(len(path.read_bytes()))
    images = keras.Input((None, None, 3))
    x = keras.layers.Conv2D(4, 3)(images)
    first = keras.layers.Conv2D(7, 1, bias_initializer=keras.initializers.Constant(1.5), name="z")(x)
    second = keras.layers.Softmax(name="a")(keras.layers.Conv2D(2, 1)(x))
    return keras.Model(images, [first, second])


def build_refused(path: Path) -> Any:
    """Refuse the weights."""
    raise WeightsError(f"{path}: expected other weights")


def build_crashing(path: Path) -> Any:
    """Fail with an exception nobody foresaw."""
    raise RuntimeError("no such layer")


def build_silent_exit(path: Path) -> Any:
    """End the process without a word."""
    raise SystemExit(3)
