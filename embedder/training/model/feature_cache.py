"""Features of frozen layers, computed once for all faces."""

import logging
import os
from pathlib import Path

import numpy as np
import tensorflow as tf
from tqdm import tqdm

from embedder.training.data.input_pipeline import FaceImageReader, central_crop, standardize
from embedder.training.model.network import TrainingNetwork
from foundation.atomic import atomic_path
from foundation.errors import InputError
from foundation.text import pluralize

logger = logging.getLogger(__name__)

_BATCH = 32


def frozen_features(network: TrainingNetwork, reader: FaceImageReader, n_faces: int, folder: Path) -> np.ndarray:
    """Return what the frozen layers make of every face's central crop, and of its mirror image.

    They are kept in ``features.npy`` inside `folder` and mapped into memory, so that a run that goes on has them.

    Parameters
    ----------
    network : TrainingNetwork
        With frozen layers.
    reader : FaceReader
    n_faces : int
    folder : Path
        The run's folder.

    Returns
    -------
    numpy.ndarray
        float32 (n_views, n_faces, ...); two views with `random_flip`, else one.

    Raises
    ------
    OSError
        If there is no room for them.
    """
    path, settings = folder / "features.npy", network.settings
    if path.is_file():
        return np.load(path, mmap_mode="r", allow_pickle=False)
    frozen = network.frozen
    if frozen is None:
        raise InputError("`cache_features` needs frozen layers before `train_from`, got 'stem'")
    n_views = 2 if settings.random_flip else 1
    compute = tf.function(lambda images: frozen(images, training=False), reduce_retracing=True, autograph=False)
    shape = (n_views, n_faces, *frozen.output_shape[1:])
    logger.info(
        "computing the frozen layers' features of %s, %s each; every epoch uses their central crop",
        pluralize(n_faces, "face"),
        pluralize(n_views, "view"),
    )
    with atomic_path(path) as temporary:
        features = _allocate(temporary, shape)
        for start in tqdm(range(0, n_faces, _BATCH), desc="frozen features", unit="batch", disable=None):
            faces = np.stack(
                [central_crop(reader.read(i), settings.image_size) for i in range(start, min(start + _BATCH, n_faces))]
            ).astype(np.float32)
            for view in range(n_views):
                images = standardize(tf.constant(faces[:, :, ::-1] if view else faces), settings.standardization)
                features[view, start : start + len(faces)] = compute(images).numpy()
        features.flush()
    return np.load(path, mmap_mode="r", allow_pickle=False)


def _allocate(path: Path, shape: tuple[int, ...]) -> np.memmap:
    """Return a new float32 array in a file mapped into memory, its space taken."""
    array = np.lib.format.open_memmap(path, "w+", np.float32, shape)
    with path.open("rb+") as file:
        # A mapped file that runs out of room while it is filled would end the process.
        os.posix_fallocate(file.fileno(), 0, path.stat().st_size)
    return array
