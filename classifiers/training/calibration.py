"""A threshold from the user's own people, and what it will let through.

People of the table play strangers in turn: each is looked for among the others, never among their own photos. With the
nearest-exemplar head every person is left out once; other heads are fitted again without a tenth of the people. How
often such a stranger is named is the expected FPIR; how often a photo is found among the person's other photos is the
expected TPIR (ISO/IEC 19795-1). Nothing synthetic ever plays a stranger.
"""

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from classifiers.errors import ThresholdError
from classifiers.heads.decision_rules import Chooser, NearestChooser
from classifiers.scores.gallery import Gallery
from classifiers.scores.matcher import Matcher
from classifiers.scores.neighbors import row_blocks
from classifiers.scores.thresholds import CURVE_FPIR, Threshold, ThresholdCurve, check_fpir, threshold_from_curve
from classifiers.training.metrics import Estimate, rate
from foundation.text import pluralize

# With fewer people than this no threshold is read off the user's own photos.
MIN_IDENTITIES = 30

# Two photos of one person at least this alike are taken for one photo, cropped or copied (or the same file): on LFW
# such pairs are frames of one shot.
NEAR_DUPLICATE_COSINE = 0.95

N_FOLDS = 10
N_PHOTO_FOLDS = 5

# A score is rounded to float32 when it is compared with the threshold.
_ROUNDING = 1e-6

_CONFIDENCE = 0.95

# Two for the symmetry of the scores, one for the variation among the new strangers; see `expected_rates`.
_STRANGERS_PER_INDEPENDENT_ONE = 3


@dataclass(frozen=True, eq=False)
class Trial:
    """How the people of a gallery fared as strangers, and as themselves.

    Attributes
    ----------
    stranger_scores, stranger_codes : (n,) float64, (n,) int64
        Score of each photo among everybody else's, and whose photo it is.
    mated_scores, mated_correct, mated_codes : (m,) float64, (m,) bool, (m,) int64
        Score of each photo among all others, whether the right person was chosen, and whose photo it is; only people
        with a second photo that is no near-duplicate.
    """

    stranger_scores: NDArray[np.float64]
    stranger_codes: NDArray[np.int64]
    mated_scores: NDArray[np.float64]
    mated_correct: NDArray[np.bool_]
    mated_codes: NDArray[np.int64]


def shot_numbers(gallery: Gallery) -> NDArray[np.int64]:
    """Return ``(m,)`` a number for each exemplar, equal where two are near-duplicates: one person, one shot."""
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


def run_trial(matcher: Matcher, fit: Callable[[Matcher], Chooser], *, seed: int = 0) -> Trial:
    """Let everybody play a stranger, and look for everybody's photos among their other photos.

    Parameters
    ----------
    matcher : Matcher
    fit : callable
        Fits what chooses on the exemplars of a matcher.
    seed : int
        Of the folds, where there are any.
    """
    shots = shot_numbers(matcher.gallery)
    if isinstance(fit(matcher), NearestChooser):
        return _leave_one_out(matcher, shots)
    return _folds(matcher, fit, shots, np.random.default_rng(seed))


def calibrated_threshold(matcher: Matcher, fit: Callable[[Matcher], Chooser], fpir: float) -> Threshold:
    """Return the threshold at which `fpir` of the gallery's own people pass as somebody else, each counting once.

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
    trial = run_trial(matcher, fit)
    value = lowest_threshold(trial.stranger_scores, trial.stranger_codes, fpir)
    note = f"from your photos: FPIR {fpir:g} when each of your {n_identities} people is looked for among the others"
    return Threshold(
        value, "calibrated", note, fpir=fpir, n_exemplars=len(gallery), expected=expected_rates(trial, value)
    )


def lowest_threshold(scores: NDArray[np.float64], codes: NDArray[np.int64], fpir: float) -> float:
    """Return the lowest threshold that at most the share `fpir` of strangers reaches, each person counting once."""
    order = np.argsort(-scores, kind="stable")
    weights = person_weights(codes)[order]
    passed = np.cumsum(weights)
    n_passing = int(np.searchsorted(passed, fpir + 1e-12, side="right"))
    if n_passing == len(scores):
        return float(scores.min())
    return float(scores[order[n_passing]]) + _ROUNDING


def person_weights(codes: NDArray[np.int64]) -> NDArray[np.float64]:
    """Return weights ``(n,)`` that sum to one and in which every person counts the same."""
    _, inverse, counts = np.unique(codes, return_inverse=True, return_counts=True)
    return 1.0 / (counts[inverse] * len(counts))


def expected_rates(trial: Trial, threshold: float) -> dict[str, Any]:
    """Return what a trial says about a threshold: FPIR and TPIR with 95 % intervals.

    Every person counts once in the FPIR. Its interval says where the rate of as many new strangers will lie: it is
    Clopper and Pearson's (Biometrika 26, 1934) for a third of the people, since every resemblance is seen twice, once
    from either side, and the new strangers vary as well. The TPIR counts photos; its interval is a bootstrap over
    people.
    """
    n_strangers = len(np.unique(trial.stranger_codes))
    passing = np.sum(person_weights(trial.stranger_codes)[trial.stranger_scores >= threshold])
    tpir = None
    if len(trial.mated_scores):
        found = trial.mated_correct & (trial.mated_scores >= threshold)
        tpir = rate(found, trial.mated_codes)._asdict()
    return {
        "fpir": binomial_interval(float(passing), n_strangers / _STRANGERS_PER_INDEPENDENT_ONE)._asdict(),
        "tpir": tpir,
        "n_identities": n_strangers,
        "n_strangers": n_strangers,
    }


def binomial_interval(share: float, n: float) -> Estimate:
    """Return `share` of `n` trials, whole or not, with its exact 95 % interval (Clopper and Pearson, Biometrika 1934).

    >>> binomial_interval(0.0, 100).high < 0.037
    True
    """
    from scipy.stats import beta

    tail, hits = (1.0 - _CONFIDENCE) / 2, share * n
    low = float(beta.ppf(tail, hits, n - hits + 1)) if hits > 0 else 0.0
    high = float(beta.ppf(1.0 - tail, hits + 1, n - hits)) if hits < n else 1.0
    return Estimate(share, low, high)


def choose_threshold(
    matcher: Matcher,
    fit: Callable[[Matcher], Chooser],
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
        return threshold_from_curve(curve, n_exemplars)
    if curve is None and not enough:
        raise ThresholdError(
            f"no threshold curve is known for these weights, and {pluralize(n_identities, 'person', 'people')} "
            f"cannot measure one (at least {MIN_IDENTITIES}); give --threshold T"
        )
    return calibrated_threshold(matcher, fit, CURVE_FPIR if fpir is None else fpir)


def describe_expected(expected: dict[str, Any]) -> list[str]:
    """Return what a calibration promises, and what it cannot, as sentences."""
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


def _leave_one_out(matcher: Matcher, shots: NDArray[np.int64]) -> Trial:
    codes, n_rows = matcher.codes, len(matcher.codes)
    strangers, mated = np.empty(n_rows), np.empty(n_rows)
    best, has_other = np.empty(n_rows, np.int64), np.empty(n_rows, bool)
    for block in row_blocks(n_rows, n_rows):
        scores = matcher.scores(matcher.prepare(matcher.gallery.vectors[block]))
        own = codes[block, None] == codes[None, :]
        same_shot = shots[block, None] == shots[None, :]
        strangers[block] = np.where(own, -np.inf, scores).max(axis=1)
        scores[same_shot] = -np.inf
        best[block], mated[block] = scores.argmax(axis=1), scores.max(axis=1)
        has_other[block] = (own & ~same_shot).any(axis=1)
    correct = codes[best] == codes
    return Trial(strangers, codes, mated[has_other], correct[has_other], codes[has_other])


def _folds(
    matcher: Matcher, fit: Callable[[Matcher], Chooser], shots: NDArray[np.int64], rng: np.random.Generator
) -> Trial:
    codes = matcher.codes
    fold_of_person = rng.permutation(len(matcher.labels)) % N_FOLDS
    strangers = list(_held_out(matcher, fit, fold_of_person[codes], range(N_FOLDS)))
    fold_of_photo = _photo_folds(codes, shots, rng)
    mated = list(_held_out(matcher, fit, fold_of_photo, range(N_PHOTO_FOLDS)))
    return Trial(
        np.concatenate([scores for _, _, scores in strangers]),
        codes[np.concatenate([rows for rows, _, _ in strangers])],
        np.concatenate([scores for _, _, scores in mated]),
        np.concatenate([names == matcher.gallery.identities[rows] for rows, names, _ in mated]),
        codes[np.concatenate([rows for rows, _, _ in mated])],
    )


def _photo_folds(codes: NDArray[np.int64], shots: NDArray[np.int64], rng: np.random.Generator) -> NDArray[np.int64]:
    """Return ``(m,)`` which fold holds out each photo: all of one shot together, -1 for a person's only shot."""
    _, first_row, shot_of_row = np.unique(shots, return_index=True, return_inverse=True)
    shuffled = rng.permutation(len(first_row))
    order = shuffled[np.argsort(codes[first_row][shuffled], kind="stable")]
    person = codes[first_row][order]
    position = np.arange(len(order)) - np.searchsorted(person, person)
    lone = np.bincount(person, minlength=int(codes.max()) + 1)[person] < 2
    fold_of_shot = np.empty(len(order), np.int64)
    fold_of_shot[order] = np.where(lone, -1, position % N_PHOTO_FOLDS)
    return fold_of_shot[shot_of_row]


def _held_out(
    matcher: Matcher, fit: Callable[[Matcher], Chooser], fold_of_row: NDArray[np.int64], folds: range
) -> Iterator[tuple[NDArray[np.int64], NDArray[np.str_], NDArray[np.float64]]]:
    """For each fold, fit on the other rows and yield the fold's rows, the names chosen for them, and the scores."""
    for fold in folds:
        rows = np.flatnonzero(fold_of_row == fold)
        rest = matcher.selected(fold_of_row != fold)
        if not len(rest.codes):
            continue
        probes = rest.prepare(matcher.gallery.vectors[rows])
        codes = fit(rest).choose(rest, probes) if len(rows) else np.zeros(0, np.int64)
        found = rest.nearest_of(probes, codes)
        yield rows, rest.labels[codes], found.similarities[:, 0]
