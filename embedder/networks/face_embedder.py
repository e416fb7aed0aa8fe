"""Aligned crops to embeddings."""

import copy
from pathlib import Path
from typing import Any

import numpy as np

from embedder.detection.alignment import CropRule
from embedder.errors import WeightsError
from embedder.network_files.vector_output import VectorOutput
from embedder.networks.preset import Preset
from embedder.networks.presets import DEFAULT_PRESET, get_preset
from embedder.runtime.conversion import NetworkSource, load_network
from embedder.runtime.session import Network
from foundation.errors import FacetableError, InputError
from foundation.threads import CPU

PRECISIONS = ("fp32", "int8")


class FaceEmbedder:
    """The embedding network of a preset.

    Parameters
    ----------
    preset : str, Path or Preset
        Name of a built-in preset, the folder of a training run, or a preset's JSON file.
    weights : str or Path, optional
        The preset's weights file, for a preset whose weights no package carries.
    precision : {"fp32", "int8"}
        Arithmetic of the network. Where int8 is no faster, fp32 is used, and a warning says so.
    threads : int, optional
        Threads to use; by default ``FACETABLE_THREADS``, else all cores.
    batch_size : int
        Crops that go through the network at once, at least 1.

    Attributes
    ----------
    preset : Preset
        The checkpoint.
    precision : str
        The arithmetic that is really used.

    Raises
    ------
    ValueError
        If an argument is out of its range, or the preset is unknown.
    WeightsError
        If the weights are missing or damaged, or make a network other than the preset says or one that is of no
        use (see `VectorOutput`); or if nobody measured the activation ranges that int8 needs.
    OSError
        If the network has to be converted and the cache folder cannot be written.

    Examples
    --------
    >>> vectors = FaceEmbedder().embed(crops)  # doctest: +SKIP
    """

    def __init__(
        self,
        preset: str | Path | Preset = DEFAULT_PRESET,
        *,
        weights: str | Path | None = None,
        precision: str = "fp32",
        threads: int | None = None,
        batch_size: int = 32,
    ) -> None:
        if precision not in PRECISIONS:
            raise InputError(f"`precision` must be one of {', '.join(PRECISIONS)}, got {precision!r}")
        if batch_size < 1:
            raise InputError(f"`batch_size` must be at least 1, got {batch_size}")
        self.preset = preset if isinstance(preset, Preset) else get_preset(preset)
        self.batch_size = batch_size
        source = NetworkSource(
            name=self.preset.name,
            weights_path=self.preset.find_weights(weights),
            weights_sha256=self.preset.weights_sha256,
            builder=self.preset.builder,
        )
        self._network, self.precision = _load(source, precision, threads)
        self._output = VectorOutput(self._network, self.preset)

    def embed(self, crops: np.ndarray) -> np.ndarray:
        """Return the embeddings of `crops`.

        Parameters
        ----------
        crops : np.ndarray
            uint8 RGB ``(n, s, s, 3)`` with the preset's input size `s`; `n` may be 0.

        Returns
        -------
        np.ndarray
            float32 ``(n, d)``, rows of unit length.

        Raises
        ------
        ValueError
            If `crops` has another dtype or shape.
        """
        if self.preset.mirrored_copy:
            crops = np.asarray(crops)
            vectors = self._embed(crops)
            mirrored = self._embed(crops[:, :, ::-1])
            return np.hstack([vectors, mirrored]) / np.float32(np.sqrt(2))
        return self._embed(crops)

    def _embed(self, crops: np.ndarray) -> np.ndarray:
        """Return the vectors of `crops` as the network gives them."""
        size = self.preset.input_size
        crops = np.asarray(crops)
        if crops.dtype != np.uint8 or crops.ndim != 4 or crops.shape[1:] != (size, size, 3):
            raise InputError(
                f"`crops` must be uint8 RGB of shape (n, {size}, {size}, 3), got {crops.dtype} of shape "
                f"{crops.shape}; make them with faces.crop(image, size={size})"
            )
        embeddings = np.empty((len(crops), self.preset.embedding_size), np.float32)
        for start in range(0, len(crops), self.batch_size):
            rows = slice(start, start + self.batch_size)
            embeddings[rows] = self._output.run(self.preset.standardize(crops[rows]))
        return embeddings

    def prepared_as(self, preset: Preset) -> "FaceEmbedder":
        """Return the same network, for crops that are prepared as `preset` says: in size and layout the same."""
        other = copy.copy(self)
        other.preset = preset
        return other

    @property
    def crop_rule(self) -> CropRule:
        """How faces are cut out for the network, unless somebody says otherwise."""
        return self.preset.crop_rule

    @property
    def space(self) -> dict[str, Any]:
        """What decides whether vectors may be compared: a difference is refused."""
        return self.preset.space

    @property
    def provenance(self) -> dict[str, Any]:
        """How else vectors were made: a difference is worth a warning."""
        device = {} if self._network.device == CPU else {"device": self._network.device}
        return {"preset": self.preset.name, "precision": self.precision, **device}


def _load(source: NetworkSource, precision: str, threads: int | None) -> tuple[Network, str]:
    if precision != "fp32":
        from embedder.runtime.quantization import load_faster

        return load_faster(source, threads=threads)
    return load_fp32(source, threads=threads), precision


def load_fp32(source: NetworkSource, *, threads: int | None) -> Network:
    """Return the network of `source`, of which nothing is known yet.

    Raises
    ------
    WeightsError
        If it cannot be read or run.
    OSError
        If it has to be converted and the cache folder cannot be written.
    """
    try:
        return load_network(source, threads=threads)
    except (FacetableError, OSError):
        raise
    except Exception as error:  # ONNX Runtime's own, of many kinds
        raise WeightsError(
            f"{source.weights_path}: expected a network that ONNX Runtime runs, found one that it does not load "
            f"({' '.join(str(error).split())[:300]}); export it again"
        ) from error
