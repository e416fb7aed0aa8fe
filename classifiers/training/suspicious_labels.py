"""Order a table's faces by how much speaks against their names: wrong folders are the commonest fault of such data."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

from classifiers.scores.gallery import Gallery
from classifiers.scores.matcher import Matcher
from classifiers.scores.neighbors import row_blocks
from classifiers.training.held_out import near_duplicate_groups

# How many of the person's nearest photos a photo is held against: one would let two photos that lie in the wrong folder
# together vouch for each other. With five, ten wrong ones of 60 people are all among the twenty most suspicious, one by
# one or in twos (experiments/label_faults.py).
_N_OWN = 5


@dataclass(frozen=True)
class SuspiciousLabel:
    """A face of a table that may bear the wrong name.

    Attributes
    ----------
    row : int
        Of the gallery.
    path : str
    identity : str
        The name it bears.
    own_score : float or None
        Mean score of the person's five nearest other photos; None where there is no other.
    likeness : str
        Whom it is most like among the others.
    like_path : str
        The photo of that person it is most like.
    like_score : float
        The score with that photo.
    suspicion : float
        How much more it is like that person than like its own; where it has no other photo, than photos of one person
        usually are.
    """

    row: int
    path: str
    identity: str
    own_score: float | None
    likeness: str
    like_path: str
    like_score: float
    suspicion: float

    def __str__(self) -> str:
        own = (
            "no other photo" if self.own_score is None else f"score {self.own_score:.2f} with {self.identity}'s others"
        )
        return f"{self.path}: {self.identity}, {own}; {self.like_score:.2f} with {self.likeness} ({self.like_path})"


def suspicious_labels(matcher: Matcher, *, n_listed: int = 20, progress: bool = False) -> list[SuspiciousLabel]:
    """Return the `n_listed` faces whose names are most suspicious, the most suspicious first.

    A face is suspicious when it is more like somebody else than like the other photos of its person; copies of a photo
    do not vouch for one another.

    Parameters
    ----------
    matcher : Matcher
        The faces that have a name.
    n_listed : int
    progress : bool
        Whether to show a bar on a terminal where it takes long.
    """
    gallery = matcher.gallery
    if len(gallery.labels) < 2:
        return []
    own, like_scores, like_rows = _compare(matcher, near_duplicate_groups(gallery), progress=progress)
    known = np.isfinite(own)
    usual = float(np.median(own[known])) if known.any() else 0.0
    suspicion = like_scores - np.where(known, own, usual)
    return [
        _describe(
            gallery, int(row), float(own[row]), int(like_rows[row]), float(like_scores[row]), float(suspicion[row])
        )
        for row in np.argsort(-suspicion, kind="stable")[:n_listed]
    ]


def _compare(
    matcher: Matcher, duplicate_groups: NDArray[np.int64], *, progress: bool
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.int64]]:
    """Return for each row its score with its own person (NaN without another photo), with the next, and whose row."""
    codes, n_rows = matcher.codes, len(matcher.codes)
    own, like_scores, like_rows = np.empty(n_rows), np.empty(n_rows), np.empty(n_rows, np.int64)
    # tqdm's None: shown on a terminal only.
    shown = tqdm(row_blocks(n_rows, n_rows), desc="labels", unit="block", disable=None if progress else True, delay=1)
    for block in shown:
        scores = matcher.scores(matcher.prepare(matcher.gallery.vectors[block]))
        is_own = codes[block, None] == codes[None, :]
        others = np.where(is_own, -np.inf, scores)
        like_rows[block], like_scores[block] = others.argmax(axis=1), others.max(axis=1)
        is_copy = duplicate_groups[block, None] == duplicate_groups[None, :]
        nearest = np.where(is_own & ~is_copy, scores, -np.inf)
        nearest = np.partition(nearest, -min(_N_OWN, n_rows), axis=1)[:, -min(_N_OWN, n_rows) :]
        counted = np.isfinite(nearest)
        n_counted = counted.sum(axis=1)
        total = np.where(counted, nearest, 0.0).sum(axis=1)
        own[block] = np.divide(total, n_counted, out=np.full(len(total), np.nan), where=n_counted > 0)
    return own, like_scores, like_rows


def _describe(
    gallery: Gallery, row: int, own: float, like_row: int, like_score: float, suspicion: float
) -> SuspiciousLabel:
    return SuspiciousLabel(
        row=row,
        path=str(gallery.paths[row]),
        identity=str(gallery.identities[row]),
        own_score=own if np.isfinite(own) else None,
        likeness=str(gallery.identities[like_row]),
        like_path=str(gallery.paths[like_row]),
        like_score=like_score,
        suspicion=suspicion,
    )
