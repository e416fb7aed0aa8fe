"""A network with the layer names that training needs, small enough to trace and train within a test.

``python -m tests.embedder.training.small_network ARGUMENTS [--then ARGUMENTS]`` is ``python -m embedder train``
with it and those arguments, once or twice in one process.
"""

import os
import sys
from typing import Any

IMAGE_SIZE = 80
CHANNELS = 6


def small_network(
    *, embedding_size: int, width: float, input_size: int, batch_norm_momentum: float, normalize: bool
) -> Any:
    """Build it; `width` and `normalize` are those of the real one."""
    import keras

    assert not normalize
    x = images = keras.Input((input_size, input_size, 3), name="images")
    for name, strides in (("Conv2d_4b_3x3", 8), ("Block17_10", 3)):
        x = keras.layers.Conv2D(max(1, round(CHANNELS * width)), 3, strides, use_bias=False, padding="same", name=name)(
            x
        )
        x = keras.layers.BatchNormalization(momentum=batch_norm_momentum, scale=False, name=f"{name}_BatchNorm")(x)
        x = keras.layers.ReLU(name=f"{name}_Activation")(x)
    x = keras.layers.Identity(name="Mixed_7a")(x)
    x = keras.layers.GlobalAveragePooling2D(name="AvgPool")(x)
    x = keras.layers.Dense(embedding_size, use_bias=False, name="Bottleneck")(x)
    x = keras.layers.BatchNormalization(
        momentum=batch_norm_momentum, scale=False, name="Bottleneck_BatchNorm", dtype="float32"
    )(x)
    return keras.Model(images, x, name="Small")


def install() -> None:
    """Let training build this network instead of Inception-ResNet-v1."""
    from embedder.training.model import network

    network.inception_resnet_v1 = small_network


if __name__ == "__main__":
    if os.environ.get("SMALL_CPUS"):
        import tensorflow as tf

        cpu = tf.config.list_physical_devices("CPU")[0]
        tf.config.set_logical_device_configuration(
            cpu, [tf.config.LogicalDeviceConfiguration()] * int(os.environ["SMALL_CPUS"])
        )
    install()
    from embedder.commands.main import main

    given = sys.argv[1:]
    cut = given.index("--then") if "--then" in given else len(given)
    sys.exit(max(main(["train", *part]) for part in (given[:cut], given[cut + 1 :]) if part))
