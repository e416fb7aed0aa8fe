"""The picture of the center loss: two-dimensional features of handwritten digits.

::

    python -m experiments.center_loss_digits -o out/center_loss_digits.png

A small network learns scikit-learn's 8x8 digits through a layer of two features, which are drawn as they are: under
softmax alone each class is a ray, and the more the center loss weighs, the tighter each class gathers round its center
(after Wen et al., "A Discriminative Feature Learning Approach for Deep Face Recognition", ECCV 2016, figures 2 and 3).
Losses and centers are those that `python -m embedder train` uses.
"""

import argparse
import sys
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from foundation.command_line import EXIT_DONE, run_script, write_json

FACTORS = (0.0, 0.01, 0.1, 1.0)
N_CLASSES = 10
BATCH_SIZE = 64
ALFA = 0.5
"""How slowly centers move; Wen et al. use a rate of 0.5."""


class Features(NamedTuple):
    """Features of the test digits under one factor."""

    factor: float
    points: np.ndarray
    labels: np.ndarray
    centers: np.ndarray
    accuracy: float
    intra_over_inter: float


def _add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("-o", "--out", type=Path, required=True, metavar="FILE", help="the picture (PNG)")
    parser.add_argument(
        "--factors",
        type=float,
        nargs="+",
        default=list(FACTORS),
        metavar="F",
        help="factors of the center loss (default: 0 0.01 0.1 1)",
    )
    parser.add_argument("--epochs", type=int, default=80, metavar="N", help="(default: 80)")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures as JSON")


def _run(arguments: argparse.Namespace) -> int:
    found = []
    for factor in arguments.factors:
        found.append(learn(factor, epochs=arguments.epochs))
        print(
            f"center loss factor {factor:g}: test accuracy {found[-1].accuracy:.4f}, "
            f"distance inside classes over distance between them {found[-1].intra_over_inter:.3f}"
        )
    draw(found, arguments.out)
    print(arguments.out)
    if arguments.json is not None:
        write_json(
            arguments.json,
            [
                {"factor": each.factor, "accuracy": each.accuracy, "intra_over_inter": each.intra_over_inter}
                for each in found
            ],
        )
    return EXIT_DONE


def learn(factor: float, *, epochs: int = 80, seed: int = 0) -> Features:
    """Learn two features of the digits and return those of the digits held back.

    Parameters
    ----------
    factor : float
        Of the center loss; 0 is softmax alone.
    epochs : int
    seed : int
    """
    import keras
    import tensorflow as tf
    from sklearn.datasets import load_digits
    from sklearn.model_selection import train_test_split

    from embedder.training.model.centers import moved_centers
    from embedder.training.model.losses import center_loss, softmax_cross_entropy

    digits = load_digits()
    x, x_test, y, y_test = train_test_split(
        (digits.data / 16).astype(np.float32),
        digits.target.astype(np.int32),
        test_size=0.3,
        random_state=seed,
        stratify=digits.target,
    )
    keras.utils.set_random_seed(seed)
    network = keras.Sequential(
        [
            keras.Input((64,)),
            keras.layers.Dense(128, "relu"),
            keras.layers.Dense(64, "relu"),
            keras.layers.Dense(2, name="features"),
        ]
    )
    classifier = keras.layers.Dense(N_CLASSES)
    classifier.build((None, 2))
    centers = tf.Variable(tf.zeros((N_CLASSES, 2)), trainable=False)
    optimizer = keras.optimizers.Adam(2e-3)
    variables = network.trainable_variables + classifier.trainable_variables

    @tf.function
    def step(images: Any, labels: Any) -> None:
        with tf.GradientTape() as tape:
            features = network(images, training=True)
            losses = softmax_cross_entropy(classifier(features), labels)
            losses += factor * center_loss(features, tf.gather(centers, labels))
            loss = tf.reduce_mean(losses)
        optimizer.apply(tape.gradient(loss, variables), variables)
        centers.assign(moved_centers(centers, features, labels, alfa=ALFA, rule="paper"))

    rng = np.random.default_rng(seed)
    for _ in range(epochs):
        order = rng.permutation(len(x))[: len(x) // BATCH_SIZE * BATCH_SIZE]
        for rows in order.reshape(-1, BATCH_SIZE):
            step(tf.constant(x[rows]), tf.constant(y[rows]))
    points = network(x_test, training=False).numpy()
    accuracy = float(np.mean(classifier(points).numpy().argmax(axis=1) == y_test))
    return Features(factor, points, y_test, centers.numpy(), accuracy, _intra_over_inter(points, y_test))


def draw(found: list[Features], path: Path) -> None:
    """Draw the features under each factor beside each other."""
    import matplotlib

    matplotlib.use("agg")
    from matplotlib import pyplot as plt

    figure, axes = plt.subplots(1, len(found), figsize=(4.2 * len(found), 4.4), squeeze=False)
    for axis, each in zip(axes[0], found, strict=True):
        for label in range(N_CLASSES):
            axis.scatter(*each.points[each.labels == label].T, s=7, color=f"C{label}", label=str(label))
        if each.factor > 0:
            axis.scatter(*each.centers.T, s=60, color="black", marker="+", linewidths=1.5)
        name = f"softmax + {each.factor:g} × center loss" if each.factor > 0 else "softmax alone"
        axis.set_title(f"{name}\naccuracy {each.accuracy:.3f}, intra/inter {each.intra_over_inter:.3f}", fontsize=10)
        axis.set_aspect("equal", adjustable="datalim")
    axes[0, -1].legend(fontsize=7, markerscale=2, title="digit", title_fontsize=7)
    figure.tight_layout()
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, dpi=110)
    plt.close(figure)


def _intra_over_inter(points: np.ndarray, labels: np.ndarray) -> float:
    """Return the mean distance to the own class's mean over the mean distance between the classes' means."""
    means = np.stack([points[labels == label].mean(axis=0) for label in range(N_CLASSES)])
    first, second = np.triu_indices(N_CLASSES, 1)
    inside = np.linalg.norm(points - means[labels], axis=1).mean()
    return float(inside / np.linalg.norm(means[first] - means[second], axis=1).mean())


if __name__ == "__main__":
    sys.exit(
        run_script(
            "python -m experiments.center_loss_digits",
            "Draw what the center loss does.",
            _add_arguments,
            _run,
            argv=None,
        )
    )
