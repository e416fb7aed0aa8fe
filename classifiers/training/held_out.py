"""Score a gallery's own photos, each held out of what it is compared with.

People play strangers in turn: each is looked for among the others, never among their own photos. With the
nearest-exemplar head every person is left out once; other heads are fitted again without a tenth of the people.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

from classifiers.heads.decision_rules import FitDecisionRule, NearestRule
from classifiers.scores.gallery import Gallery
from classifiers.scores.matcher import Matcher
from classifiers.scores.neighbors import row_blocks, unit_rows

# Two photos of one person at least this alike are taken for one photo, cropped or copied (or the same file): on LFW
# such pairs are frames of one shot.
NEAR_DUPLICATE_COSINE = 0.95

# Folds of people who are strangers in turn, and of photos that are looked for among the others.
N_FOLDS = 10
N_PHOTO_FOLDS = 5


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
