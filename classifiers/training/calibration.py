"""Calibrate a threshold on the user's own people, and estimate what it will let through.

People of the table play strangers in turn: each is looked for among the others, never among their own photos. With the
nearest-exemplar head every person is left out once; other heads are fitted again without a tenth of the people. How
often such a stranger is named is the expected FPIR; how often a photo is found among the person's other photos is the
expected TPIR (ISO/IEC 19795-1). Nothing synthetic ever plays a stranger.
"""

import math
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from classifiers.errors import ThresholdError
from classifiers.heads.decision_rules import FitDecisionRule
from classifiers.scores.matcher import Matcher
from classifiers.scores.thresholds import CURVE_FPIR, Threshold, ThresholdCurve, check_fpir, threshold_from_curve
from classifiers.training.held_out import HeldOutScores, score_held_out
from classifiers.training.metrics import RateEstimate, rate
from foundation.text import pluralize

# With fewer people than this no threshold is read off the user's own photos.
MIN_IDENTITIES = 30

# A score is rounded to float32 when it is compared with the threshold.
_ROUNDING = 1e-6

_CONFIDENCE = 0.95

# Two for the symmetry of the scores, one for the variation among the new strangers; see `expected_rates`.
_STRANGERS_PER_INDEPENDENT_ONE = 3


def calibrate_threshold(matcher: Matcher, fit: FitDecisionRule, fpir: float, *, progress: bool = False) -> Threshold:
    """Return the threshold at which the share `fpir` of the gallery's own people pass as somebody else.

    Every person counts the same, however many photos they have.

    Parameters
    ----------
    matcher : Matcher
        The exemplars.
    fit : callable
        Matcher to decision rule.
    fpir : float
        Wanted rate, above 0 and below 1.
    progress : bool
        As in `score_held_out`.

    Raises
    ------
    ThresholdError
        If `fpir` is no rate, or the gallery has fewer than `MIN_IDENTITIES` people.
    """
    check_fpir(fpir)
    gallery = matcher.gallery
    n_identities = len(gallery.labels)
    if n_identities < MIN_IDENTITIES:
        raise ThresholdError(
            f"a threshold for FPIR {fpir:g} needs at least {MIN_IDENTITIES} people in the table, got {n_identities}; "
            "leave --fpir out, or give --threshold T"
        )
    held_out = score_held_out(matcher, fit, progress=progress)
    value = lowest_threshold(held_out.stranger_scores, held_out.stranger_codes, fpir)
    note = f"from your photos: FPIR {fpir:g} when each of your {n_identities} people is looked for among the others"
    return Threshold(
        value, "calibrated", note, fpir=fpir, n_exemplars=len(gallery), expected=expected_rates(held_out, value)
    )


def lowest_threshold(scores: NDArray[np.float64], codes: NDArray[np.int64], fpir: float) -> float:
    """Return the lowest threshold that at most the share `fpir` of strangers reaches, each person counting once.

    Parameters
    ----------
    scores : (n,) float64
    codes : (n,) int64
        Whose score it is.
    fpir : float
    """
    order = np.argsort(-scores, kind="stable")
    weights = person_weights(codes)[order]
    passed = np.cumsum(weights)
    n_passing = int(np.searchsorted(passed, fpir + 1e-12, side="right"))
    if n_passing == len(scores):
        return float(scores.min())
    return float(scores[order[n_passing]]) + _ROUNDING


def person_weights(codes: NDArray[np.int64]) -> NDArray[np.float64]:
    """Return weights ``(n,)`` that sum to one and in which every person of `codes (n,)` counts the same.

    >>> person_weights(np.array([0, 0, 1])).tolist()
    [0.25, 0.25, 0.5]
    """
    _, inverse, counts = np.unique(codes, return_inverse=True, return_counts=True)
    return 1.0 / (counts[inverse] * len(counts))


def expected_rates(held_out: HeldOutScores, threshold: float) -> dict[str, Any]:
    """Return what held-out scores say about a threshold: FPIR and TPIR with 95 % intervals.

    Every person counts once in the FPIR. Its interval says where the rate of as many new strangers will lie: it is
    Clopper and Pearson's (Biometrika 26, 1934) for a third of the people, since every resemblance is seen twice, once
    from either side, and the new strangers vary as well. The TPIR counts photos; its interval is a bootstrap over
    people.

    Returns
    -------
    dict
        `fpir` and `tpir`, each ``{"value", "low", "high"}`` as fractions (`tpir` is None where nobody has a second
        photo), `n_identities` and `n_strangers`.
    """
    n_strangers = len(np.unique(held_out.stranger_codes))
    tpir = None
    if len(held_out.mated_scores):
        found = held_out.mated_correct & (held_out.mated_scores >= threshold)
        tpir = rate(found, held_out.mated_codes)._asdict()
    return {
        "fpir": expected_fpir(held_out, np.array([threshold]))[0]._asdict(),
        "tpir": tpir,
        "n_identities": n_strangers,
        "n_strangers": n_strangers,
    }


def expected_fpir(held_out: HeldOutScores, thresholds: NDArray[np.float64]) -> list[RateEstimate]:
    """Return the FPIR at each of `thresholds (t,)`, with its interval, as `expected_rates` tells it."""
    order = np.argsort(held_out.stranger_scores, kind="stable")
    passing = np.append(np.cumsum(person_weights(held_out.stranger_codes)[order][::-1])[::-1], 0.0)
    shares = passing[np.searchsorted(held_out.stranger_scores[order], thresholds, side="left")]
    n = len(np.unique(held_out.stranger_codes)) / _STRANGERS_PER_INDEPENDENT_ONE
    distinct, places = np.unique(np.minimum(shares, 1.0), return_inverse=True)
    intervals = [binomial_interval(float(share), n) for share in distinct]
    return [intervals[place] for place in places.tolist()]


def binomial_interval(share: float, n: float) -> RateEstimate:
    """Return `share` of `n` trials, whole or not, with its exact 95 % interval.

    Source: Clopper and Pearson, Biometrika 26, 1934.

    >>> binomial_interval(0.0, 100).high < 0.037
    True
    """
    from scipy.special import betaincinv  # quantiles of the beta distribution; scipy.stats takes long to load

    tail, hits = (1.0 - _CONFIDENCE) / 2, share * n
    low = float(betaincinv(hits, n - hits + 1, tail)) if hits > 0 else 0.0
    high = float(betaincinv(hits + 1, n - hits, 1.0 - tail)) if hits < n else 1.0
    return RateEstimate(share, low, high)


def choose_threshold(
    matcher: Matcher,
    fit: FitDecisionRule,
    *,
    threshold: float | None = None,
    fpir: float | None = None,
    curve: ThresholdCurve | None = None,
    progress: bool = False,
) -> Threshold:
    """Return the threshold for a new head.

    A given `threshold` is taken as it is. Without `fpir` the preset's curve decides; with it the gallery's own people
    do, if there are at least `MIN_IDENTITIES`. Without a curve, `fpir` is 0.01.

    Parameters
    ----------
    matcher : Matcher
        The exemplars.
    fit : callable
        Matcher to decision rule.
    threshold : float, optional
    fpir : float, optional
        Wanted rate, above 0 and below 1.
    curve : ThresholdCurve, optional
        The preset's.
    progress : bool
        As in `score_held_out`.

    Raises
    ------
    ThresholdError
        If there are too few people for what is asked, or `threshold` is not finite.
    """
    n_exemplars = len(matcher.gallery)
    if threshold is not None:
        if not math.isfinite(threshold):
            raise ThresholdError(f"`threshold` must be a finite number, got {threshold}")
        return Threshold(float(threshold), "given", "given by you", n_exemplars=n_exemplars)
    if fpir is not None:
        check_fpir(fpir)
    n_identities = len(matcher.labels)
    enough = n_identities >= MIN_IDENTITIES
    if curve is not None and (fpir is None or (fpir == CURVE_FPIR and not enough)):
        threshold_of_curve = threshold_from_curve(curve, n_exemplars, n_compared=matcher.n_compared)
        if fpir is None:
            return threshold_of_curve
        missing = f"not measured on your {pluralize(n_identities, 'person', 'people')}, which takes {MIN_IDENTITIES}: "
        return replace(threshold_of_curve, note=missing + threshold_of_curve.note)
    if curve is None and not enough:
        raise ThresholdError(
            f"no threshold curve is known for these weights, and {pluralize(n_identities, 'person', 'people')} "
            f"cannot measure one (at least {MIN_IDENTITIES}); give --threshold T"
        )
    return calibrate_threshold(matcher, fit, CURVE_FPIR if fpir is None else fpir, progress=progress)


def describe_expected(expected: dict[str, Any]) -> list[str]:
    """Return what a calibration promises, and what it cannot, as sentences; `expected` is from `expected_rates`."""
    fpir, tpir, n = expected["fpir"], expected["tpir"], expected["n_strangers"]
    lines = [f"expected FPIR {_percent(fpir)}, each of {n} people having played a stranger"]
    if tpir is None:
        lines.append("expected TPIR cannot be said: nobody has a second photo")
    else:
        lines.append(f"expected TPIR {_percent(tpir)}")
    lines.append(
        f"with {n} strangers no FPIR below {1 / n:.2%} can be seen; strangers of another kind (age, origin, camera) "
        "than the people of your table may be named more often"
    )
    return lines


def _percent(estimate: dict[str, float]) -> str:
    return f"{estimate['value']:.2%} (95 % interval {estimate['low']:.2%} to {estimate['high']:.2%})"
