"""Photos to the vectors of their main faces, as a scikit-learn transformer."""

import os
import warnings
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any, Literal, Self

import numpy as np
from sklearn.base import BaseEstimator, ClassNamePrefixFeaturesOutMixin, TransformerMixin

from embedder.errors import ImageError
from embedder.images.photo import failure_reason
from embedder.images.reading import read_image
from embedder.networks.encoder import EncoderOptions, FaceEncoder
from embedder.networks.joined import find_preset
from embedder.networks.presets import DEFAULT_PRESET
from foundation.errors import InputError
from foundation.fingerprint import Fingerprint
from foundation.paths import display_path
from foundation.text import pluralize

# Crops that go through the network at once.
_BATCH_SIZE = 32

# Encoders kept for clones of a transformer: networks take seconds to load, and a search over settings clones often.
_ENCODERS_KEPT = 2

# Photos without a vector that a message names.
_N_NAMED = 5

_ON_FAILURE = ("error", "zero")


class FaceTransformer(ClassNamePrefixFeaturesOutMixin, TransformerMixin, BaseEstimator):  # type: ignore[misc]
    """Transformer of photos to vectors: the main face of each is found, cut out and embedded.

    There is nothing to fit. It is no use to ask `sklearn.utils.estimator_checks` about it: they try tables of numbers.

    Parameters
    ----------
    preset : str or Path
        Name of a built-in preset, several joined with ``+``, the folder of a training run, or a preset's JSON file.
    weights : str or Path, optional
        The preset's weights file, where no package brings it.
    precision : {"fp32", "int8"}
        Arithmetic of the network.
    min_face_size : int or "auto"
        Smallest face to look for, in pixels: smaller finds more faces and takes longer.
    on_failure : {"error", "zero"}
        What becomes of a photo without a face, or one that cannot be read: an error that names it, or a row of zeros
        and a warning. `classifiers.OpenSetClassifier` enrols nobody by such a row, and takes it for a stranger.

    Examples
    --------
    >>> from sklearn.pipeline import make_pipeline  # doctest: +SKIP
    >>> faces = FaceTransformer()  # doctest: +SKIP
    >>> people = make_pipeline(faces, OpenSetClassifier(fingerprint=faces.fingerprint))  # doctest: +SKIP
    >>> people.fit(["ada.jpg", "bo.jpg"], ["Ada", "Bo"]).predict(["party.jpg"])  # doctest: +SKIP
    """

    def __init__(
        self,
        preset: str | Path = DEFAULT_PRESET,
        *,
        weights: str | Path | None = None,
        precision: str = "fp32",
        min_face_size: int | Literal["auto"] = "auto",
        on_failure: str = "error",
    ) -> None:
        self.preset = preset
        self.weights = weights
        self.precision = precision
        self.min_face_size = min_face_size
        self.on_failure = on_failure

    def fit(self, X: Any, y: Any = None) -> Self:
        """Return the transformer as it is, its parameters checked; `X` is not looked at.

        Raises
        ------
        ValueError
            If the preset is unknown, or `on_failure` is none of its words.
        """
        self._check_parameters()
        return self

    def transform(self, X: Any) -> np.ndarray:
        """Return the vectors of the main faces: float32 ``(n, d)``, rows of unit length.

        Parameters
        ----------
        X : sequence
            Paths of photos, or images, uint8 (h, w, 3) RGB; or an array or frame with one column of paths.

        Raises
        ------
        ValueError
            If something is neither a path nor an image; or, with `on_failure` ``"error"``, if a photo cannot be read
            or has no face. The message names the first of them.
        """
        self._check_parameters()
        encoder = self._encoder()
        photos = _as_photos(X)
        vectors = np.zeros((len(photos), encoder.embedding_length), np.float32)
        failures: list[str] = []
        for start in range(0, len(photos), _BATCH_SIZE):
            rows, crops = [], []
            for row, photo in enumerate(photos[start : start + _BATCH_SIZE], start=start):
                crop, failure = _main_face(encoder, photo, row)
                if crop is None:
                    failures.append(failure)
                else:
                    rows.append(row)
                    crops.append(crop)
            if rows:
                vectors[rows] = encoder.embed(np.stack(crops))
        if failures:
            self._report(failures, len(photos))
        return vectors

    @property
    def fingerprint(self) -> Fingerprint:
        """What the vectors are made of; give it to `classifiers.OpenSetClassifier` for the preset's threshold."""
        return self._encoder().fingerprint

    @property
    def _n_features_out(self) -> int:
        return int(find_preset(self.preset).space["embedding_length"])

    def __sklearn_tags__(self) -> Any:
        """Return what scikit-learn may expect: nothing to fit, and no table of numbers."""
        tags = super().__sklearn_tags__()
        tags.requires_fit = False
        tags.input_tags.two_d_array = False
        tags.input_tags.string = True
        return tags

    def _encoder(self) -> FaceEncoder:
        weights = None if self.weights is None else Path(self.weights)
        return _load_encoder(EncoderOptions(self.preset, weights, self.precision, self.min_face_size))

    def _check_parameters(self) -> None:
        if self.on_failure not in _ON_FAILURE:
            raise InputError(f"`on_failure` must be one of {', '.join(_ON_FAILURE)}, got {self.on_failure!r}")
        find_preset(self.preset)

    def _report(self, failures: Sequence[str], n_photos: int) -> None:
        named = "; ".join(failures[:_N_NAMED])
        more = f"; and {len(failures) - _N_NAMED} more" if len(failures) > _N_NAMED else ""
        text = f"{len(failures)} of {pluralize(n_photos, 'photo')} gave no vector: {named}{more}"
        if self.on_failure == "error":
            raise InputError(f"{text}; leave them out, or take rows of zeros with on_failure='zero'")
        warnings.warn(f"{text}; their rows are zeros", stacklevel=3)


@lru_cache(maxsize=_ENCODERS_KEPT)
def _load_encoder(options: EncoderOptions) -> FaceEncoder:
    return FaceEncoder.for_fingerprint({}, options, source="FaceTransformer")


def _as_photos(X: Any) -> list[Any]:
    """Return the paths and images in `X` as a list."""
    if isinstance(X, (str, os.PathLike)):
        raise InputError(f"`X` must be a sequence of photos, got one path; write [{str(X)!r}]")
    if hasattr(X, "columns") or (isinstance(X, np.ndarray) and X.dtype != np.uint8):
        column = np.asarray(X)
        if column.ndim == 2 and column.shape[1] == 1:
            column = column[:, 0]
        if column.ndim != 1:
            raise InputError(f"`X` must have one column of paths, got shape {column.shape}")
        return list(column)
    return list(X)


def _main_face(encoder: FaceEncoder, photo: Any, row: int) -> tuple[np.ndarray | None, str]:
    """Return the crop of the main face of a path or image, or None and why there is none."""
    name = display_path(photo) if isinstance(photo, (str, os.PathLike)) else f"row {row}"
    try:
        image = read_image(photo) if isinstance(photo, (str, os.PathLike)) else _check_image(photo, row)
    except (ImageError, OSError) as error:
        return None, f"{name}: {failure_reason(error, photo)}"
    crop = encoder.crop_main(image)
    return crop, "" if crop is not None else f"{name}: no face found"


def _check_image(image: Any, row: int) -> np.ndarray:
    if not isinstance(image, np.ndarray) or image.dtype != np.uint8 or image.ndim != 3 or image.shape[2] != 3:
        kind = f"{image.dtype} {image.shape}" if isinstance(image, np.ndarray) else type(image).__name__
        raise InputError(f"row {row} of `X` must be a path or an image, uint8 (h, w, 3), got {kind}")
    return image
