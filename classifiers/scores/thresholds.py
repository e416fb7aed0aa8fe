"""Represent thresholds, where they come from, and the curves that presets ship.

A false-positive identification is a stranger who is given somebody's name; the rate of strangers this happens to is
the FPIR (ISO/IEC 19795-1). A threshold for a wanted FPIR grows with the gallery, since every further exemplar is
another chance to look alike.
"""

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from dataclasses import fields as dataclass_fields
from pathlib import Path
from typing import Any, Literal, Self

import numpy as np

from classifiers.errors import ThresholdError
from classifiers.scores.normalization import Background, find_background
from classifiers.scores.preset_files import read_record
from foundation.fingerprint import Fingerprint, describe_side, differing_fields
from foundation.head_files.description import LOWEST_SCORE
from foundation.text import pluralize

# The rate for which the shipped curves were measured.
CURVE_FPIR = 0.01

# How much a gallery may grow before a threshold calibrated on it is out of date.
_OUTGROWN = 1.5


@dataclass(frozen=True)
class ThresholdCurve:
    """Thresholds measured for an FPIR of 1 %, by number of enrolled exemplars.

    Attributes
    ----------
    n_exemplars : tuple of int, increasing, at least two
    thresholds : tuple of float, one for each
    score : ``"cosine"`` or ``"normalized"``
    measured_on : str
        Name of the data set.
    """

    n_exemplars: tuple[int, ...]
    thresholds: tuple[float, ...]
    score: str
    measured_on: str

    def at(self, n_exemplars: float) -> float:
        """Return the threshold for `n_exemplars`, linear in log n; the end segments are continued outside.

        Raises
        ------
        ThresholdError
            If `n_exemplars` is below 1.

        >>> curve = ThresholdCurve((10, 100, 1000), (0.5, 0.6, 0.65), "cosine", "nowhere")
        >>> [round(curve.at(n), 3) for n in (1, 10, 100, 10000)]
        [0.4, 0.5, 0.6, 0.7]
        """
        if n_exemplars < 1:
            raise ThresholdError(f"`n_exemplars` must be at least 1, got {n_exemplars:g}; enrol somebody first")
        logs = np.log(self.n_exemplars)
        segment = int(np.clip(np.searchsorted(logs, math.log(n_exemplars)) - 1, 0, len(logs) - 2))
        share = (math.log(n_exemplars) - logs[segment]) / (logs[segment + 1] - logs[segment])
        return float(self.thresholds[segment] + share * (self.thresholds[segment + 1] - self.thresholds[segment]))

    def covers(self, n_exemplars: int) -> bool:
        """Return whether `n_exemplars` lies between the curve's ends, where it was measured."""
        return self.n_exemplars[0] <= n_exemplars <= self.n_exemplars[-1]

    @classmethod
    def from_json(cls, record: Mapping[str, Any]) -> Self:
        """Return the curve a JSON object describes.

        Raises
        ------
        ThresholdError
            If it has fewer than two points, or they do not increase.
        """
        numbers = tuple(int(n) for n in record["n_exemplars"])
        values = tuple(float(value) for value in record["thresholds"])
        if len(numbers) < 2 or len(numbers) != len(values) or list(numbers) != sorted(set(numbers)):
            raise ThresholdError(
                f"a threshold curve needs at least two increasing numbers of exemplars with a threshold each, "
                f"got {numbers} and {values}; measure it again"
            )
        return cls(numbers, values, str(record["score"]), str(record["measured_on"]))


@dataclass(frozen=True)
class Threshold:
    """Threshold and where it comes from.

    Attributes
    ----------
    value : float
        A face is named when its score is at least this.
    source : ``"curve"`` (the preset's), ``"calibrated"`` (on the user's people) or ``"given"`` (by the user)
    note : str
        One sentence for the user.
    fpir : float or None
        The false-positive identification rate it is meant for.
    n_exemplars : int
        How many exemplars were enrolled when it was set.
    curve : ThresholdCurve or None
        The curve it was read from; enrolling and forgetting read it again.
    expected : dict or None
        What the user's own people say about it: ``fpir`` and ``tpir``, each ``{"value", "low", "high"}`` (``tpir`` is
        None where nobody has a second photo), ``n_identities`` and ``n_strangers``.
    """

    value: float
    source: Literal["curve", "calibrated", "given"]
    note: str
    fpir: float | None = None
    n_exemplars: int = 0
    curve: ThresholdCurve | None = None
    expected: dict[str, Any] | None = None

    def for_gallery(self, n_exemplars: int, *, n_compared: float | None = None) -> "Threshold":
        """Return the threshold for a gallery that has grown or shrunk: read again from a curve, else unchanged.

        `n_compared` is as in `threshold_from_curve`.
        """
        if self.curve is None or n_exemplars < 1:
            return self
        return threshold_from_curve(self.curve, n_exemplars, n_compared=n_compared)

    def is_outgrown(self, n_exemplars: int) -> bool:
        """Return whether a gallery has grown by half since the threshold was calibrated on it."""
        return self.source == "calibrated" and n_exemplars >= _OUTGROWN * self.n_exemplars

    def to_json(self) -> dict[str, Any]:
        """Return a JSON-able record."""
        return asdict(self)

    @classmethod
    def from_json(cls, record: Mapping[str, Any]) -> Self:
        """Return the threshold a JSON object describes."""
        curve = record.get("curve")
        known = {field.name: record[field.name] for field in dataclass_fields(cls) if field.name in record}
        return cls(**{**known, "curve": None if curve is None else ThresholdCurve.from_json(curve)})


def threshold_from_curve(curve: ThresholdCurve, n_exemplars: int, *, n_compared: float | None = None) -> Threshold:
    """Return the curve's threshold for `n_exemplars`.

    Parameters
    ----------
    curve : ThresholdCurve
    n_exemplars : int
    n_compared : float, optional
        How many exemplars the curve must take them for, see `classifiers.scores.matcher.Matcher.n_compared`; by default
        as many as there are.
    """
    note = (
        f"from the preset's curve, not from your photos: FPIR {CURVE_FPIR:.0%} with "
        f"{pluralize(n_exemplars, 'enrolled photo')}, "
        f"measured on {curve.measured_on}"
    )
    if not curve.covers(n_exemplars):
        first, last = curve.n_exemplars[0], curve.n_exemplars[-1]
        note += f"; measured with {first:,} to {last:,} photos, beyond which it is continued in a straight line"
    value = curve.at(n_exemplars if n_compared is None else n_compared)
    return Threshold(value, "curve", note, fpir=CURVE_FPIR, n_exemplars=n_exemplars, curve=curve)


def find_curve(
    fingerprint: Mapping[str, Any] | None, *, score: str = "cosine", folder: Path | None = None
) -> ThresholdCurve | None:
    """Return the curve for the vectors of a fingerprint, or None if there is none.

    Parameters
    ----------
    fingerprint : mapping or None
    score : {"cosine", "normalized"}
    folder : Path, optional
        Where the curves are; by default this user's, then the shipped ones.

    Raises
    ------
    BackgroundError
        If the file is damaged.
    """
    record = read_record(fingerprint, folder=folder)
    if score not in record.get("curves", {}):
        return None
    measured_on = record["measured_on"] + _differences(record.get("space", {}), fingerprint)
    return ThresholdCurve.from_json({**record["curves"][score], "score": score, "measured_on": measured_on})


def _differences(measured: Mapping[str, Any], fingerprint: Mapping[str, Any] | None) -> str:
    """Return how the crops a curve was measured with differ from those of a fingerprint, as it follows its name."""
    space = Fingerprint.of(fingerprint).space
    fields = differing_fields(measured, {**measured, **space})
    return f" with {describe_side(fields, 0)} instead of your {describe_side(fields, 1)}" if fields else ""


def curve_for(fingerprint: Mapping[str, Any] | None, background: Background | None) -> ThresholdCurve | None:
    """Return the shipped curve for a head's scores, or None if there is none.

    The curve of normalized scores holds for the shipped background only, with or without strangers that joined it.
    """
    if background is None:
        return find_curve(fingerprint, score="cosine")
    shipped = find_background(fingerprint)
    if shipped is None or not np.array_equal(shipped.means, background.means):
        return None
    return find_curve(fingerprint, score="normalized")


def check_threshold(threshold: float) -> float:
    """Return `threshold` if scores can be held against it.

    Raises
    ------
    ThresholdError
        If it is not finite, or below all that a score can be.
    """
    if not LOWEST_SCORE <= threshold < math.inf:
        raise ThresholdError(
            f"`threshold` must be a finite number of at least {LOWEST_SCORE:g}, got {threshold}; "
            "scores lie between -1 and 1, those of one person mostly above 0.3"
        )
    return threshold


def check_fpir(fpir: float) -> float:
    """Return `fpir` if it is a rate.

    Raises
    ------
    ThresholdError
        If it is not above 0 and below 1.
    """
    if not 0.0 < fpir < 1.0:
        raise ThresholdError(f"`fpir` must be above 0 and below 1, got {fpir}; 0.01 lets 1 stranger in 100 through")
    return fpir
