"""What the training studies compare networks by: pairs of people, distances within and between them, and baselines."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

N_BOOTSTRAP = 1000


class Pairs:
    """All genuine pairs of some people and twenty times as many impostor pairs."""

    def __init__(self, people: dict[str, list[str]]) -> None:
        self.paths = [path for paths in people.values() for path in paths]
        self.labels = np.repeat(np.arange(len(people)), [len(paths) for paths in people.values()])
        first, second = np.triu_indices(len(self.paths), 1)
        same = self.labels[first] == self.labels[second]
        rng = np.random.default_rng(0)
        impostors = rng.choice(np.flatnonzero(~same), min(20 * int(same.sum()), int((~same).sum())), replace=False)
        rows = np.concatenate([np.flatnonzero(same), impostors])
        self.first, self.second, self.genuine = first[rows], second[rows], same[rows]

    def scores(self, vectors: np.ndarray) -> np.ndarray:
        """Return the cosine of each pair."""
        lengths = np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-12)
        unit = vectors / lengths
        return np.einsum("ij,ij->i", unit[self.first], unit[self.second])

    def auc_with_interval(self, vectors: np.ndarray) -> tuple[float, float, float]:
        """Return the area under the ROC curve and its 95 % interval over people."""
        scores = self.scores(vectors)
        order = np.argsort(scores, kind="stable")
        genuine = self.genuine[order]
        one, two = self.labels[self.first[order]], self.labels[self.second[order]]

        def area(times: np.ndarray) -> float:
            # A genuine pair counts as often as its person was drawn, an impostor pair as the product of both.
            weights = np.where(genuine, times[one], times[one] * times[two]).astype(float)
            below = np.cumsum(np.where(genuine, 0.0, weights))
            return float((below * np.where(genuine, weights, 0.0)).sum() / (below[-1] * weights[genuine].sum()))

        n_people = int(self.labels.max()) + 1
        rng = np.random.default_rng(0)
        draws = [
            area(np.bincount(rng.integers(n_people, size=n_people), minlength=n_people)) for _ in range(N_BOOTSTRAP)
        ]
        low, high = np.quantile(draws, [0.025, 0.975])
        return area(np.ones(n_people, int)), float(low), float(high)


def grey_pixels(faces: Path, paths: Sequence[str]) -> np.ndarray:
    """Return the central crops as grey pixels, float32 (n, 1024), each with zero mean and unit variance."""
    import cv2

    from embedder.training.data.input_pipeline import FaceImageReader, central_crop

    reader = FaceImageReader(faces, paths, size=109, memory=0)
    rows = []
    for i in range(len(paths)):
        grey = cv2.cvtColor(central_crop(reader.read(i), 96), cv2.COLOR_RGB2GRAY)
        row = cv2.resize(grey, (32, 32), interpolation=cv2.INTER_AREA).astype(np.float32).ravel()
        rows.append((row - row.mean()) / max(float(row.std()), 1e-6))
    return np.stack(rows)


def principal_components(training: np.ndarray, pixels: np.ndarray, *, whiten: bool) -> np.ndarray:
    """Return `pixels` in the first 128 principal components of `training`."""
    from sklearn.decomposition import PCA

    return PCA(128, whiten=whiten, random_state=0).fit(training).transform(pixels)


def class_distances(vectors: np.ndarray, labels: np.ndarray) -> dict[str, Any]:
    """Return distances to the own class's mean and between the classes' means, and the ratio of their means."""
    means = np.stack([vectors[labels == label].mean(axis=0) for label in np.unique(labels)])
    places = np.unique(labels, return_inverse=True)[1]
    intra = np.linalg.norm(vectors - means[places], axis=1)
    first, second = np.triu_indices(len(means), 1)
    inter = np.linalg.norm(means[first] - means[second], axis=1)
    return {"intra": intra, "inter": inter, "ratio": float(intra.mean() / inter.mean())}


def draw_distances(distances: dict[float, tuple[dict[str, Any], dict[str, Any]]], path: Path) -> None:
    """Draw a histogram of distances for each factor of the center loss: its own people, and others."""
    import matplotlib

    matplotlib.use("agg")
    from matplotlib import pyplot as plt

    figure, axes = plt.subplots(len(distances), 2, figsize=(10, 2.6 * len(distances)), sharex=True, squeeze=False)
    for row, (factor, both) in zip(axes, distances.items(), strict=True):
        for axis, found, who in zip(row, both, ("people trained on", "other people"), strict=True):
            bins = np.linspace(0, 1.6, 60).tolist()
            axis.hist(found["intra"], bins, density=True, alpha=0.6, label="to the own mean")
            axis.hist(found["inter"], bins, density=True, alpha=0.6, label="between means")
            axis.set_title(f"center loss × {factor:g}, {who}: ratio {found['ratio']:.2f}", fontsize=9)
    axes[0, 0].legend(fontsize=8)
    figure.supxlabel("Euclidean distance of unit embeddings")
    figure.tight_layout()
    figure.savefig(path, dpi=120)
    plt.close(figure)
