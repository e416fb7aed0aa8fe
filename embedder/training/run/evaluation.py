"""Verification figures during a run: on the identities held back, and on LFW-style pairs."""

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import tensorflow as tf

from embedder.training.data.dataset import TrainingFaces
from embedder.training.data.input_pipeline import FaceImageReader, central_crop, standardize
from embedder.training.model.losses import unit_rows
from embedder.training.model.network import TrainingNetwork
from embedder.verification.lfw import Pairs, find_photos, read_pairs
from embedder.verification.metrics import area_under, best_threshold, cross_validate, roc
from foundation.text import pluralize

logger = logging.getLogger(__name__)

MAX_VALIDATION_FACES = 2000
"""Faces of the identities held back that are compared with each other at most."""

_BATCH = 32


@dataclass(frozen=True)
class PairsSource:
    """LFW-style pairs of aligned faces.

    Attributes
    ----------
    folder : Path
    pairs : Pairs
    photos : tuple of str
        Photos of the pairs that have a face in `folder`, as the pairs call them.
    paths : tuple of str
        Their files, relative to `folder`.
    """

    folder: Path
    pairs: Pairs
    photos: tuple[str, ...]
    paths: tuple[str, ...]


class Evaluator:
    """Embeds the faces of pairs with the network as it is and measures how well distances tell people apart."""

    def __init__(self, network: TrainingNetwork, faces: TrainingFaces, pairs: PairsSource | None) -> None:
        self._network = network
        self._pairs = pairs
        chosen = np.arange(len(faces.validation_paths))
        if len(chosen) > MAX_VALIDATION_FACES:
            generator = np.random.default_rng([network.settings.seed, 4])
            chosen = np.sort(generator.choice(chosen, MAX_VALIDATION_FACES, replace=False))
        self._root = faces.root
        self._paths = [faces.validation_paths[i] for i in chosen]
        self._identities = np.array([faces.validation_identities[i] for i in chosen])
        self._embed = tf.function(
            lambda images: unit_rows(network.prelogits_of_images(images)), reduce_retracing=True, autograph=False
        )

    @property
    def has_pairs(self) -> bool:
        """Whether there is anything to verify on."""
        return bool(self._paths) or self._pairs is not None

    @property
    def columns(self) -> tuple[str, ...]:
        """Names of the figures."""
        validation = ("validation_auc", "validation_threshold") if self._paths else ()
        return validation + (("lfw_accuracy", "lfw_auc", "lfw_threshold") if self._pairs is not None else ())

    def evaluate(self) -> dict[str, float]:
        """Return the figures of the network as it is."""
        figures: dict[str, float] = {}
        if self._paths:
            figures |= self._validation_figures(self.embed_faces(self._root, self._paths))
        if self._pairs is not None:
            figures |= self._pairs_figures(self._pairs)
        return figures

    def _validation_figures(self, vectors: np.ndarray) -> dict[str, float]:
        """Return AUC over all pairs, and the threshold that is best on as many impostor as genuine pairs."""
        first, second = np.triu_indices(len(vectors), 1)
        same = self._identities[first] == self._identities[second]
        distances = np.sqrt(np.maximum(2 - 2 * (vectors @ vectors.T)[first, second], 0))
        impostors = np.random.default_rng(0).permutation(np.flatnonzero(~same))[: same.sum()]
        rows = np.concatenate([np.flatnonzero(same), impostors])
        return {
            "validation_auc": area_under(roc(-distances, same)),
            "validation_threshold": -best_threshold(-distances[rows], same[rows]),
        }

    def _pairs_figures(self, source: PairsSource) -> dict[str, float]:
        vectors = self.embed_faces(source.folder, source.paths)
        row_of = {photo: i for i, photo in enumerate(source.photos)}
        rows = np.array([[row_of.get(photo, -1) for photo in pair] for pair in source.pairs.photos.tolist()])
        folds = cross_validate(
            vectors[rows[:, 0]],
            vectors[rows[:, 1]],
            source.pairs.genuine,
            folds=source.pairs.folds,
            enrolled=(rows >= 0).all(axis=1),
            metric="euclidean",
            subtract_mean=False,
        )
        return {
            "lfw_accuracy": float(folds.accuracies.mean()),
            "lfw_auc": area_under(roc(folds.scores, source.pairs.genuine)),
            "lfw_threshold": -float(np.median(folds.thresholds)),
        }

    def rank(self, figures: dict[str, float]) -> float:
        """Return the figure by which the best checkpoint is chosen: accuracy on the pairs, else the validation AUC."""
        return figures["lfw_accuracy"] if self._pairs is not None else figures["validation_auc"]

    def embed_faces(self, root: Path, paths: Sequence[str]) -> np.ndarray:
        """Return the unit embeddings, float32 (n, d), of the central crops of aligned faces."""
        settings = self._network.settings
        reader = FaceImageReader(root, paths, size=settings.source_size, memory=0)
        vectors = []
        for start in range(0, len(paths), _BATCH):
            faces = np.stack(
                [
                    central_crop(reader.read(i), settings.image_size)
                    for i in range(start, min(start + _BATCH, len(paths)))
                ]
            )
            images = standardize(tf.constant(faces, tf.float32), settings.standardization)
            vectors.append(self._embed(images).numpy())
        return np.concatenate(vectors)


def read_pairs_source(folder: Path, pairs_file: Path) -> PairsSource:
    """Read LFW-style pairs and find their faces in a folder of aligned ones.

    Raises
    ------
    ValueError
        If the file is not such a list, or the folder holds none of its faces.
    OSError
        If the file cannot be read.
    """
    pairs = read_pairs(pairs_file)
    found = find_photos(folder, pairs)
    n_missing = len(np.unique(pairs.photos)) - len(found)
    if n_missing:
        logger.warning(
            "%s: missing of %s: %s; each pair without both counts as an error",
            folder,
            pairs_file,
            pluralize(n_missing, "face"),
        )
    return PairsSource(folder, pairs, tuple(found), tuple(found.values()))
