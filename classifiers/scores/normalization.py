"""Normalize scores by a background: how alike two faces are, over how alike each is to faces in general.

The cosine of two strangers depends on who they are: ordinary faces, and blurred ones, lie where many others lie. So
both sides are measured against a *background model* of the population, and the score is

    s(p, e) = p . e - (level(p) + level(e)) / 2,    level(x) = t log E exp(x . z / t),

with ``p``, ``e`` unit vectors after the population mean is subtracted, ``z`` a face of the population and ``t`` a
temperature: a soft maximum of the cosines to the population. Subtracting what a cohort says from both sides is the
idea of symmetric score normalization in speaker recognition (Matejka et al., "Analysis of score normalization in
multilingual speaker recognition", Interspeech 2017); the soft maximum is that of the inverted softmax (Smith et al.,
"Offline bilingual word vectors, orthogonal transformations and the inverted softmax", ICLR 2017).

The population is a Gaussian mixture with diagonal covariances in the first principal components. For it the
expectation has a closed form (the moment generating function of a Gaussian), so that no face of anybody is kept or
drawn, and a level takes microseconds.
"""

import io
import json
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from classifiers.errors import BackgroundError
from classifiers.scores.neighbors import check_vectors, row_blocks, unit_rows
from classifiers.scores.preset_files import BACKGROUND_SUFFIX, SHIPPED_FOLDER, find_file, is_of_network
from foundation.atomic import write_bytes_atomically
from foundation.errors import InputError
from foundation.fingerprint import Fingerprint, describe_side, differing_fields
from foundation.formats import describe_kind
from foundation.text import pluralize

BACKGROUND_FOLDER = SHIPPED_FOLDER

# Levels are rounded to this many decimals, so that equal exemplars have equal levels wherever they stand in a batch.
_LEVEL_DECIMALS = 6

_COLUMNS = ("mean", "components", "weights", "means", "variances", "cohort")

# No coordinate and no variance of unit vectors is beyond 1; twice that leaves room for rounding.
_MOST = 2.0

# What `Background.to_arrays` returns.
BACKGROUND_ARRAYS = (*_COLUMNS, "record")


@dataclass(frozen=True, eq=False)
class Background:
    """Model of the population, and the score normalization it gives.

    Attributes
    ----------
    mean : (d,) float32
        Mean of the population's unit vectors.
    components : (p, d) float32
        Orthonormal principal directions of the centred unit vectors.
    weights : (k,) float32, means : (k, p) float32, variances : (k, p) float32
        The mixture, in those directions.
    residual_variance : float
        Variance in each of the other ``d - p`` directions.
    temperature : float
        ``t`` above.
    n_identities : int
        How many people the mixture was fitted on.
    record : dict
        Where it comes from: ``weights_sha256``, ``space``, ``measured_on``, ``recipe``.
    cohort : (c, d) float32
        The user's own strangers, centred unit vectors; each counts like one of the people above.
    """

    mean: NDArray[np.float32]
    components: NDArray[np.float32]
    weights: NDArray[np.float32]
    means: NDArray[np.float32]
    variances: NDArray[np.float32]
    residual_variance: float
    temperature: float
    n_identities: int
    record: dict[str, Any] = field(repr=False)
    cohort: NDArray[np.float32] = field(repr=False)

    def __post_init__(self) -> None:
        n_components, length = self.components.shape
        n_parts = len(self.weights)
        shapes = (self.mean.shape, self.means.shape, self.variances.shape, self.cohort.shape[1:])
        expected = ((length,), (n_parts, n_components), (n_parts, n_components), (length,))
        if shapes != expected:
            raise BackgroundError(f"the arrays of a background must fit together: expected {expected}, got {shapes}")
        arrays = [getattr(self, name) for name in _COLUMNS]
        numbers = (self.residual_variance, self.temperature)
        if not all(np.isfinite(array).all() for array in arrays) or not np.isfinite(numbers).all():
            raise BackgroundError("a background model must be finite; fit it again")
        if max(np.abs(array).max(initial=0.0) for array in arrays) > _MOST or not 0 <= self.residual_variance <= _MOST:
            raise BackgroundError(f"a background model of unit vectors holds no number beyond {_MOST:g}; fit it again")
        if self.temperature <= 0 or np.any(self.weights < 0) or np.any(self.variances < 0):
            raise BackgroundError("a background model needs a temperature above 0, and no weight or variance below 0")

    def __repr__(self) -> str:
        joined = f" and {pluralize(len(self.cohort), 'stranger')} of yours" if len(self.cohort) else ""
        return (
            f"Background of {self.n_identities:,} people, {self.record.get('measured_on', 'your own')}{joined}\n"
            f"  for vectors of length {len(self.mean)}, temperature {self.temperature:g}"
        )

    def center(self, units: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return unit rows ``(n, d)`` float32: `units` with the population mean subtracted."""
        rows = units - self.mean
        norms = np.sqrt(np.sum(rows * rows, axis=1, keepdims=True))
        centred: NDArray[np.float32] = np.divide(rows, norms, out=np.zeros_like(rows), where=norms > 0)
        return centred

    def level(self, centred: NDArray[np.float32]) -> NDArray[np.float64]:
        """Return ``(n,)`` float64: the soft maximum of the cosines of centred unit rows `(n, d)` to the population."""
        levels = np.empty(len(centred))
        for block in row_blocks(len(centred), max(*self.components.shape, len(self.weights), len(self.cohort))):
            levels[block] = self._level_of_block(centred[block].astype(np.float64))
        return np.round(levels, _LEVEL_DECIMALS)

    def _level_of_block(self, rows: NDArray[np.float64]) -> NDArray[np.float64]:
        t = self.temperature
        inside = rows @ self.components.T
        squares = inside**2
        outside = np.maximum(np.sum(rows**2, axis=1) - np.sum(squares, axis=1), 0.0)
        exponents = inside @ self.means.T / t + squares @ self.variances.T / (2 * t**2) + np.log(self.weights)
        log_mean: NDArray[np.float64] = _log_sum_exp(exponents) + outside * self.residual_variance / (2 * t**2)
        if not len(self.cohort):
            return t * log_mean
        share = len(self.cohort) / (len(self.cohort) + self.n_identities)
        log_cohort = _log_sum_exp(rows @ self.cohort.T / t) - np.log(len(self.cohort))
        levels: NDArray[np.float64] = t * np.logaddexp(np.log1p(-share) + log_mean, np.log(share) + log_cohort)
        return levels

    def with_cohort(self, strangers: ArrayLike) -> "Background":
        """Return a background whose cohort the user's own `strangers (c, d)` have joined, one vector a person.

        Raises
        ------
        ValueError
            If the vectors are not finite or of another length.
        """
        rows = self.center(unit_rows(check_vectors("strangers", strangers, length=len(self.mean))))
        return replace(self, cohort=np.concatenate([self.cohort, rows]))

    def with_temperature(self, temperature: float) -> "Background":
        """Return the same mixture with another temperature, above 0."""
        return replace(self, temperature=temperature)

    def to_arrays(self) -> dict[str, NDArray[Any]]:
        """Return the model as the arrays `BACKGROUND_ARRAYS`, none of them holding objects."""
        numbers = {name: getattr(self, name) for name in ("residual_variance", "temperature", "n_identities")}
        description = json.dumps({**self.record, **numbers}, sort_keys=True)
        return {**{name: getattr(self, name) for name in _COLUMNS}, "record": np.array(description)}

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, NDArray[Any]]) -> "Background":
        """Return the model that `to_arrays` described.

        Raises
        ------
        BackgroundError
            If an array is missing, or they do not fit together.
        """
        try:
            record = json.loads(str(arrays["record"]))
            fields: dict[str, Any] = {name: np.asarray(arrays[name], np.float32) for name in _COLUMNS}
            fields |= {name: float(record.pop(name)) for name in ("residual_variance", "temperature")}
            return cls(**fields, n_identities=int(record.pop("n_identities")), record=record)
        except (KeyError, ValueError, TypeError, AttributeError, OverflowError, RecursionError) as error:
            if isinstance(error, BackgroundError):
                raise
            found = f"it lacks {error}" if isinstance(error, KeyError) else error
            raise BackgroundError(f"its arrays are not those of one: {found}") from error

    def write(self, path: str | Path) -> None:
        """Write the model to an ``.npz`` file, replacing it in one step.

        Raises
        ------
        OSError
            If it cannot be written.
        """
        buffer = io.BytesIO()
        np.savez(buffer, allow_pickle=False, **self.to_arrays())
        write_bytes_atomically(Path(path), buffer.getvalue())


def read_background(path: str | Path) -> Background:
    """Return the model in a file made by ``python -m experiments.fit_background``.

    Raises
    ------
    BackgroundError
        If the file is not a background model.
    OSError
        If it cannot be read.
    """
    data = Path(path).read_bytes()
    try:
        arrays = _read_arrays(data)
        return Background.from_arrays(arrays)
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        is_archive = zipfile.is_zipfile(io.BytesIO(data))
        found = f"a damaged one or another archive ({error})" if is_archive else describe_kind(Path(path))
        raise BackgroundError(
            f"{path}: expected a background model, found {found}; make one with python -m experiments.fit_background"
        ) from error


def _read_arrays(data: bytes) -> dict[str, NDArray[Any]]:
    try:
        # Of anything but a zip, NumPy would advise to load it as a pickle.
        with zipfile.ZipFile(io.BytesIO(data)), np.load(io.BytesIO(data), allow_pickle=False) as arrays:
            return dict(arrays)
    except (zipfile.BadZipFile, ValueError, OSError, EOFError, RuntimeError, OverflowError, MemoryError) as error:
        raise InputError("its arrays cannot be read") from error


def find_background(fingerprint: Mapping[str, Any] | None, *, folder: Path | None = None) -> Background | None:
    """Return the background model for the vectors of a fingerprint, or None if there is none.

    It is this user's own, made by ``facetable preset calibrate``, or the shipped one; with `folder`, the one there.

    Raises
    ------
    BackgroundError
        If the model is damaged.
    """
    path = find_file(fingerprint, BACKGROUND_SUFFIX, folder=folder)
    if path is None:
        return None
    background = read_background(path)
    return background if is_of_network(background.record, fingerprint) else None


def choose_background(
    fingerprint: Mapping[str, Any], *, file: str | Path | None = None, none: bool = False
) -> Background | None:
    """Return the background model for a table: the one in `file`, else its preset's, else None.

    Parameters
    ----------
    fingerprint : mapping
        Of the table.
    file : path, optional
        A model made by ``python -m experiments.fit_background``.
    none : bool
        Use no model.

    Raises
    ------
    BackgroundError
        If `file` holds no model, or one for other weights.
    OSError
        If `file` cannot be read.
    """
    if none:
        return None
    if file is not None:
        return check_background(read_background(file), fingerprint, name=str(file))
    return find_background(fingerprint)


def one_vector_per_identity(
    vectors: NDArray[np.float32], identities: Sequence[str] | NDArray[Any]
) -> NDArray[np.float32]:
    """Return rows of `vectors (n, d)`: the first of each identity, and all whose identity is ``""``.

    >>> one_vector_per_identity(np.eye(4, dtype=np.float32), ["Ada", "", "Ada", ""]).argmax(axis=1)
    array([0, 1, 3])
    """
    first: dict[str, int] = {}
    for row, name in enumerate(identities):
        first.setdefault(str(name), row)
    return vectors[[row for row, name in enumerate(identities) if not name or first[str(name)] == row]]


def check_background(background: Background, fingerprint: Mapping[str, Any], *, name: str) -> Background:
    """Return `background` if it was fitted on vectors of these weights; `name` names it in the error.

    Raises
    ------
    BackgroundError
        If it was fitted on vectors of other weights.
    """
    space = Fingerprint.of(fingerprint).space
    got = background.record.get("weights_sha256", "")
    if got != space.weights_sha256:
        raise BackgroundError(
            f"{name}: expected a background model for {_made_by(space.weights_sha256)}, got one for {_made_by(got)}; "
            "fit one on a table of the same preset"
        )
    if not got and not is_of_network(background.record, fingerprint):
        fields = differing_fields(space, background.record.get("space") or {})
        raise BackgroundError(
            f"{name}: expected a background model for vectors of {describe_side(fields, 0)}, got one for "
            f"{describe_side(fields, 1)}; measure one with facetable preset calibrate on a table of such vectors"
        )
    return background


def _made_by(weights_sha256: str) -> str:
    return f"weights {weights_sha256[:12]}" if weights_sha256 else "vectors of another program"


def _log_sum_exp(exponents: NDArray[np.float64]) -> NDArray[np.float64]:
    largest = exponents.max(axis=1, keepdims=True)
    logs: NDArray[np.float64] = largest + np.log(np.sum(np.exp(exponents - largest), axis=1, keepdims=True))
    return logs[:, 0]
