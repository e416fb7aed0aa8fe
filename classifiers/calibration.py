"""Thresholds: the curve a preset ships, and a threshold from the user's own people.

A false-positive identification is a stranger who is given somebody's name; the rate of strangers this happens to is
the FPIR (ISO/IEC 19795-1). A threshold for a wanted FPIR grows with the gallery, since every further exemplar is
another chance to look alike.
"""

import json
import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal, Self

import numpy as np
from numpy.typing import NDArray

from classifiers.errors import ThresholdError
from classifiers.gallery import Gallery
from classifiers.neighbors import row_blocks

BACKGROUND_FOLDER = Path(__file__).parent / "background"

# With fewer people than this no threshold is read off the user's own photos.
MIN_IDENTITIES = 30

# The rate for which the shipped curves were measured.
CURVE_FPIR = 0.01


@dataclass(frozen=True)
class ThresholdCurve:
    """Measured thresholds for an FPIR of 1 %: number of enrolled exemplars to threshold.

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

    def at(self, n_exemplars: int) -> float:
        """Return the threshold for `n_exemplars`, linear in log n; the end segments are continued outside.

        >>> curve = ThresholdCurve((10, 100, 1000), (0.5, 0.6, 0.65), "cosine", "nowhere")
        >>> [round(curve.at(n), 3) for n in (1, 10, 100, 10000)]
        [0.4, 0.5, 0.6, 0.7]
        """
        if n_exemplars < 1:
            raise ThresholdError(f"`n_exemplars` must be at least 1, got {n_exemplars}; enrol somebody first")
        logs = np.log(self.n_exemplars)
        segment = int(np.clip(np.searchsorted(logs, math.log(n_exemplars)) - 1, 0, len(logs) - 2))
        share = (math.log(n_exemplars) - logs[segment]) / (logs[segment + 1] - logs[segment])
        return float(self.thresholds[segment] + share * (self.thresholds[segment + 1] - self.thresholds[segment]))

    @classmethod
    def from_json(cls, record: Mapping[str, Any]) -> Self:
        """Return the curve a JSON object describes."""
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
    """A threshold and where it comes from.

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
    """

    value: float
    source: Literal["curve", "calibrated", "given"]
    note: str
    fpir: float | None = None
    n_exemplars: int = 0
    curve: ThresholdCurve | None = None

    def for_gallery(self, n_exemplars: int) -> "Threshold":
        """Return the threshold for a gallery that has grown or shrunk: read again from a curve, else unchanged."""
        if self.curve is None or n_exemplars < 1:
            return self
        return threshold_from_curve(self.curve, n_exemplars)

    def to_json(self) -> dict[str, Any]:
        """Return a JSON-able record."""
        return asdict(self)

    @classmethod
    def from_json(cls, record: Mapping[str, Any]) -> Self:
        """Return the threshold a JSON object describes."""
        curve = record.get("curve")
        fields = {**record, "curve": None if curve is None else ThresholdCurve.from_json(curve)}
        return cls(**fields)


def threshold_from_curve(curve: ThresholdCurve, n_exemplars: int) -> Threshold:
    """Return the curve's threshold for `n_exemplars`."""
    note = (
        f"from the preset's curve, not from your photos: FPIR {CURVE_FPIR:.0%} with {n_exemplars} enrolled photos, "
        f"measured on {curve.measured_on}"
    )
    return Threshold(
        curve.at(n_exemplars), "curve", note, fpir=CURVE_FPIR, n_exemplars=n_exemplars, curve=curve
    )


def find_curve(
    fingerprint: Mapping[str, Any] | None, *, score: str = "cosine", folder: Path = BACKGROUND_FOLDER
) -> ThresholdCurve | None:
    """Return the shipped curve for the weights a fingerprint names, or None if there is none."""
    weights = (fingerprint or {}).get("space", {}).get("weights_sha256", "")
    path = folder / f"{weights[:12]}.json"
    if not weights or not path.is_file():
        return None
    record = json.loads(path.read_text(encoding="utf-8"))
    if record["weights_sha256"] != weights or score not in record["curves"]:
        return None
    return ThresholdCurve.from_json({**record["curves"][score], "score": score, "measured_on": record["measured_on"]})


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


def stranger_scores(gallery: Gallery) -> NDArray[np.float64]:
    """Return ``(m,)``: each exemplar's cosine to the nearest exemplar of anybody else.

    That is the best score this face would have got as a stranger, its own person not being enrolled.
    """
    scores = np.empty(len(gallery))
    for block in row_blocks(len(gallery), len(gallery)):
        products = gallery.vectors[block] @ gallery.vectors.T
        products[gallery.codes[block, None] == gallery.codes[None, :]] = -np.inf
        scores[block] = products.max(axis=1)
    return scores


def calibrated_threshold(gallery: Gallery, fpir: float) -> Threshold:
    """Return the threshold at which `fpir` of the gallery's own people would pass as somebody else.

    Every person in turn plays the stranger, and is looked for among all the others.

    Raises
    ------
    ThresholdError
        If `fpir` is no rate, or the gallery has fewer than `MIN_IDENTITIES` people.
    """
    check_fpir(fpir)
    n_identities = len(gallery.labels)
    if n_identities < MIN_IDENTITIES:
        raise ThresholdError(
            f"a threshold for FPIR {fpir:g} needs at least {MIN_IDENTITIES} people in the table, got {n_identities}; "
            "leave --fpir out, or give --threshold"
        )
    value = float(np.quantile(stranger_scores(gallery), 1.0 - fpir, method="higher"))
    note = f"from your photos: FPIR {fpir:g} when each of your {n_identities} people is looked for among the others"
    return Threshold(math.nextafter(value, math.inf), "calibrated", note, fpir=fpir, n_exemplars=len(gallery))


def choose_threshold(
    gallery: Gallery,
    *,
    threshold: float | None = None,
    fpir: float | None = None,
    curve: ThresholdCurve | None = None,
) -> Threshold:
    """Return the threshold for a new head.

    A given `threshold` is taken as it is. Without `fpir` the preset's curve decides; with it the gallery's own people
    do, if there are at least `MIN_IDENTITIES`. Without a curve, `fpir` is 0.01.

    Raises
    ------
    ThresholdError
        If there are too few people for what is asked, or `threshold` is not finite.
    """
    if threshold is not None:
        if not math.isfinite(threshold):
            raise ThresholdError(f"`threshold` must be a finite number, got {threshold}")
        return Threshold(float(threshold), "given", "given by you", n_exemplars=len(gallery))
    if fpir is not None:
        check_fpir(fpir)
    enough = len(gallery.labels) >= MIN_IDENTITIES
    if curve is not None and (fpir is None or (fpir == CURVE_FPIR and not enough)):
        return threshold_from_curve(curve, len(gallery))
    if curve is None and not enough:
        raise ThresholdError(
            f"no threshold curve is known for these weights, and {len(gallery.labels)} people are too few to measure "
            f"one (at least {MIN_IDENTITIES}); give --threshold"
        )
    return calibrated_threshold(gallery, CURVE_FPIR if fpir is None else fpir)
