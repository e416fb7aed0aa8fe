"""The optimizers by name, with the constants the field uses."""

from typing import Any

import keras

from embedder.training.settings import TrainingSettings

RMSPROP = {"rho": 0.9, "momentum": 0.9, "epsilon": 1.0}
"""TensorFlow 1's RMSProp as David Sandberg's FaceNet ran it: epsilon 1 keeps the step near plain momentum early on."""

MOMENTUM = 0.9
ADAGRAD_START = 0.1
"""Start of Adagrad's sums of squares, as in TensorFlow 1."""


def build_optimizer(settings: TrainingSettings) -> Any:
    """Return the Keras optimizer of the settings; it clips gradients to the global norm `settings.clip_norm`.

    AdamW decays weights itself, apart from the gradient (Loshchilov & Hutter, ICLR 2019); for the others the decay
    is an L2 penalty that the training step adds. The gradients it is given are those of the whole global batch:
    it adds up nothing over replicas.
    """
    common = {"learning_rate": settings.learning_rate, "global_clipnorm": settings.clip_norm}
    builders: dict[str, Any] = {
        "rmsprop": lambda: keras.optimizers.RMSprop(**RMSPROP, **common),
        "adam": lambda: keras.optimizers.Adam(**common),
        "adamw": lambda: keras.optimizers.AdamW(weight_decay=settings.weight_decay, **common),
        "sgd": lambda: keras.optimizers.SGD(momentum=MOMENTUM, nesterov=True, **common),
        "adagrad": lambda: keras.optimizers.Adagrad(initial_accumulator_value=ADAGRAD_START, **common),
    }
    optimizer = builders[settings.optimizer]()
    # Keras would add the gradients of all replicas once more; here they arrive added up, so that they can be clipped.
    optimizer._all_reduce_sum_gradients = list
    if settings.precision == "mixed_float16":
        optimizer = keras.optimizers.LossScaleOptimizer(optimizer)
        optimizer._all_reduce_sum_gradients = list
    return optimizer


def innermost(optimizer: Any) -> Any:
    """Return the optimizer that holds the learning rate, whatever wraps it."""
    return getattr(optimizer, "inner_optimizer", optimizer)
