"""Calibrate a threshold on the user's own people, and estimate what it will let through.

People of the table play strangers in turn: each is looked for among the others, never among their own photos. With the
nearest-exemplar head every person is left out once; other heads are fitted again without a tenth of the people. How
often such a stranger is named is the expected FPIR; how often a photo is found among the person's other photos is the
expected TPIR (ISO/IEC 19795-1). Nothing synthetic ever plays a stranger.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

from classifiers.errors import ThresholdError
from classifiers.heads.decision_rules import FitDecisionRule, NearestRule
from classifiers.scores.gallery import Gallery
from classifiers.scores.matcher import Matcher
from classifiers.scores.neighbors import row_blocks, unit_rows
from classifiers.scores.thresholds import CURVE_FPIR, Threshold, ThresholdCurve, check_fpir, threshold_from_curve
from classifiers.training.metrics import RateEstimate, rate
from foundation.text import pluralize

# With fewer people than this no threshold is read off the user's own photos.
MIN_IDENTITIES = 30

# Two photos of one person at least this alike are taken for one photo, cropped or copied (or the same file): on LFW
# such pairs are frames of one shot.
NEAR_DUPLICATE_COSINE = 0.95

# Folds of people who are strangers in turn, and of photos that are looked for among the others.
N_FOLDS = 10
N_PHOTO_FOLDS = 5

# A score is rounded to float32 when it is compared with the threshold.
_ROUNDING = 1e-6

_CONFIDENCE = 0.95

# Two for the symmetry of the scores, one for the variation among the new strangers; see `expected_rates`.
_STRANGERS_PER_INDEPENDENT_ONE = 3


@dataclass(frozen=True, eq=False)
class HeldOutScores:
    """Scores of a gallery's own photos, each held out of what it is compared with.

    Attributes
    ----------
    stranger_scores : (n,) float64
        Score of each photo among everybody else's: that of a stranger.
    stranger_codes : (n,) int64
        Whose photo it is, as a position in the gallery's `labels`.
    mated_scores : (m,) float64
        Score of each photo among all others; only people with a second photo that is no near-duplicate.
    mated_correct : (m,) bool
        Whether the right person was chosen.
    mated_codes : (m,) int64
        Whose photo it is.
    """

    stranger_scores: NDArray[np.float64]
    stranger_codes: NDArray[np.int64]
    mated_scores: NDArray[np.float64]
    mated_correct: NDArray[np.bool_]
    mated_codes: NDArray[np.int64]


def near_duplicate_groups(gallery: Gallery) -> NDArray[np.int64]:
    """Return ``(m,)`` int64: a number for each exemplar, equal where two are near-duplicates.

    Near-duplicates show one person, and are one file or at least as alike as `NEAR_DUPLICATE_COSINE`, directly or
    through others.
    """
    numbers = np.arange(len(gallery))
    order = np.argsort(gallery.codes, kind="stable")
    for rows in np.split(order, np.flatnonzero(np.diff(gallery.codes[order])) + 1):
        hashes = gallery.image_sha256[rows]
        alike = gallery.vectors[rows] @ gallery.vectors[rows].T >= NEAR_DUPLICATE_COSINE
        alike |= (hashes[:, None] == hashes[None, :]) & (hashes[:, None] != "")
        for _ in rows:
            joined = np.where(alike, numbers[rows][None, :], len(gallery)).min(axis=1)
            if np.array_equal(joined, numbers[rows]):
                break
            numbers[rows] = joined
    return numbers


def score_held_out(matcher: Matcher, fit: FitDecisionRule, *, seed: int = 0, progress: bool = False) -> HeldOutScores:
    """Score everybody's photos among the others' (as a stranger's), and among all others with their own.

    Parameters
    ----------
    matcher : Matcher
        The exemplars.
    fit : callable
        Matcher to decision rule; called for all exemplars, then for those that are not held out.
    seed : int
        Of the folds, where the rule must be fitted.
    progress : bool
        Whether to show a bar on a terminal where it takes long.
    """
    duplicate_groups = near_duplicate_groups(matcher.gallery)
    if isinstance(fit(matcher), NearestRule):
        return _leave_one_out(matcher, duplicate_groups, progress=progress)
    rng = np.random.default_rng(seed)
    with tqdm(total=N_FOLDS + N_PHOTO_FOLDS, **_bar(progress)) as bar:
        return _cross_validate(matcher, fit, duplicate_groups, rng=rng, bar=bar)


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
    passing = np.sum(person_weights(held_out.stranger_codes)[held_out.stranger_scores >= threshold])
    tpir = None
    if len(held_out.mated_scores):
        found = held_out.mated_correct & (held_out.mated_scores >= threshold)
        tpir = rate(found, held_out.mated_codes)._asdict()
    return {
        "fpir": binomial_interval(float(passing), n_strangers / _STRANGERS_PER_INDEPENDENT_ONE)._asdict(),
        "tpir": tpir,
        "n_identities": n_strangers,
        "n_strangers": n_strangers,
    }


def binomial_interval(share: float, n: float) -> RateEstimate:
    """Return `share` of `n` trials, whole or not, with its exact 95 % interval.

    Source: Clopper and Pearson, Biometrika 26, 1934.

    >>> binomial_interval(0.0, 100).high < 0.037
    True
    """
    from scipy.stats import beta

    tail, hits = (1.0 - _CONFIDENCE) / 2, share * n
    low = float(beta.ppf(tail, hits, n - hits + 1)) if hits > 0 else 0.0
    high = float(beta.ppf(1.0 - tail, hits + 1, n - hits)) if hits < n else 1.0
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


def _bar(progress: bool) -> dict[str, Any]:
    # tqdm's None: shown on a terminal only.
    return {"desc": "threshold", "unit": "step", "disable": None if progress else True, "delay": 1}


def _leave_one_out(matcher: Matcher, duplicate_groups: NDArray[np.int64], *, progress: bool) -> HeldOutScores:
    codes, n_rows = matcher.codes, len(matcher.codes)
    strangers, mated = np.empty(n_rows), np.empty(n_rows)
    best, has_other = np.empty(n_rows, np.int64), np.empty(n_rows, bool)
    held_out_means = _means_without(matcher, duplicate_groups)
    has_mean = np.any(held_out_means != 0, axis=1)
    for block in tqdm(row_blocks(n_rows, n_rows), **_bar(progress)):
        probes = matcher.prepare(matcher.gallery.vectors[block])
        scores = matcher.scores(probes)
        own = codes[block, None] == codes[None, :]
        is_duplicate = duplicate_groups[block, None] == duplicate_groups[None, :]
        strangers[block] = np.where(own, -np.inf, scores).max(axis=1)
        scores[is_duplicate] = -np.inf
        best[block], mated[block] = codes[scores.argmax(axis=1)], scores.max(axis=1)
        has_other[block] = (own & ~is_duplicate).any(axis=1)
        if len(matcher.means.codes):
            by_mean = matcher.mean_scores(probes)
            by_mean[codes[block, None] == matcher.means.codes[None, :]] = -np.inf
            of_others = by_mean.max(axis=1)
            strangers[block] = np.maximum(strangers[block], of_others)
            _raise(mated, best, block, scores=of_others, codes=matcher.means.codes[by_mean.argmax(axis=1)])
            of_own = matcher.mean_scores(probes, held_out_means[block])[:, 0]
            of_own[~has_mean[block]] = -np.inf
            _raise(mated, best, block, scores=of_own, codes=codes[block])
    correct = best == codes
    return HeldOutScores(strangers, codes, mated[has_other], correct[has_other], codes[has_other])


def _raise(
    mated: NDArray[np.float64], best: NDArray[np.int64], block: slice, *, scores: NDArray[Any], codes: NDArray[np.int64]
) -> None:
    """Let better `scores` of the people `codes` replace those of a block, in place."""
    better = scores > mated[block]
    mated[block], best[block] = np.where(better, scores, mated[block]), np.where(better, codes, best[block])


def _means_without(matcher: Matcher, duplicate_groups: NDArray[np.int64]) -> NDArray[np.float32]:
    """Return ``(m, d)``: the mean of each exemplar's person without it and its near-duplicates.

    Zeros where fewer than two are left, or where means take no part.
    """
    if not len(matcher.means.codes):
        return np.zeros((len(matcher.codes), 0), np.float32)
    units = matcher.units.astype(np.float64)
    of_person, of_group = np.zeros((len(matcher.labels), units.shape[1])), np.zeros(units.shape)
    np.add.at(of_person, matcher.codes, units)
    np.add.at(of_group, duplicate_groups, units)
    in_person, in_group = np.bincount(matcher.codes), np.bincount(duplicate_groups, minlength=len(units))
    left = in_person[matcher.codes] - in_group[duplicate_groups]
    rest = of_person[matcher.codes] - of_group[duplicate_groups]
    return unit_rows(np.where(left[:, None] > 1, rest, 0.0))


def _cross_validate(
    matcher: Matcher,
    fit: FitDecisionRule,
    duplicate_groups: NDArray[np.int64],
    *,
    rng: np.random.Generator,
    bar: "tqdm[Any]",
) -> HeldOutScores:
    codes = matcher.codes
    fold_of_person = rng.permutation(len(matcher.labels)) % N_FOLDS
    strangers = list(_score_folds(matcher, fit, fold_of_person[codes], n_folds=N_FOLDS, bar=bar))
    fold_of_photo = _photo_folds(codes, duplicate_groups, rng)
    mated = list(_score_folds(matcher, fit, fold_of_photo, n_folds=N_PHOTO_FOLDS, bar=bar))
    return HeldOutScores(
        np.concatenate([scores for _, _, scores in strangers]),
        codes[np.concatenate([rows for rows, _, _ in strangers])],
        np.concatenate([scores for _, _, scores in mated]),
        np.concatenate([names == matcher.gallery.identities[rows] for rows, names, _ in mated]),
        codes[np.concatenate([rows for rows, _, _ in mated])],
    )


def _photo_folds(
    codes: NDArray[np.int64], duplicate_groups: NDArray[np.int64], rng: np.random.Generator
) -> NDArray[np.int64]:
    """Return ``(m,)`` which fold holds out each photo: near-duplicates together, -1 for a person's only such group."""
    _, first_row, group_of_row = np.unique(duplicate_groups, return_index=True, return_inverse=True)
    shuffled = rng.permutation(len(first_row))
    order = shuffled[np.argsort(codes[first_row][shuffled], kind="stable")]
    person = codes[first_row][order]
    position = np.arange(len(order)) - np.searchsorted(person, person)
    lone = np.bincount(person, minlength=int(codes.max()) + 1)[person] < 2
    fold_of_group = np.empty(len(order), np.int64)
    fold_of_group[order] = np.where(lone, -1, position % N_PHOTO_FOLDS)
    return fold_of_group[group_of_row]


def _score_folds(
    matcher: Matcher, fit: FitDecisionRule, fold_of_row: NDArray[np.int64], *, n_folds: int, bar: "tqdm[Any]"
) -> Iterator[tuple[NDArray[np.int64], NDArray[np.str_], NDArray[np.float64]]]:
    """For each fold, fit on the other rows and yield the fold's rows, the names chosen for them, and the scores."""
    for fold in range(n_folds):
        bar.update()
        rows = np.flatnonzero(fold_of_row == fold)
        rest = matcher.selected(fold_of_row != fold)
        if not len(rest.codes):
            continue
        probes = rest.prepare(matcher.gallery.vectors[rows])
        codes = fit(rest).decide(rest, probes) if len(rows) else np.zeros(0, np.int64)
        found = rest.nearest_of(probes, codes)
        yield rows, rest.labels[codes], found.similarities[:, 0]
