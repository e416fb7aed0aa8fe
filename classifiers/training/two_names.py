"""Find faces that carry two names, and people who look like one person under two names.

A face carries two names where one photo lies in two people's folders, to the byte or as a copy that was cut or saved
again. It says nothing about either, so nobody is known by it.
"""

import logging
from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

from classifiers.errors import IdentityError
from classifiers.scores.gallery import FROM_RENAMING, FROM_TABLE, Gallery, summarize_names
from classifiers.scores.matcher import Matcher
from classifiers.scores.person_means import NEAREST
from classifiers.scores.same_faces import same_face_pairs
from classifiers.training.held_out import NEAR_DUPLICATE_COSINE
from foundation.text import pluralize

logger = logging.getLogger(__name__)

# Products held at once: small enough that a block in which all pairs are alike takes a few dozen megabytes.
_BLOCK_ENTRIES = 2_000_000

# Photos of a person that are compared with other people's; a median of ten is steady enough for a question.
_N_COMPARED = 10

# Beyond so many faces they are not compared with one another: it would take minutes.
_MOST_COMPARED = 20_000

# Share of all faces that may look like somebody else's; of more, the network is at fault and not the names.
_MOST_ALIKE = 0.5

_N_LISTED = 5
_N_QUESTIONS = 10


def two_name_pairs(gallery: Gallery, *, progress: bool = False) -> NDArray[np.int64]:
    """Return ``(p, 2)`` int64: the pairs of rows that show one face under two identities.

    The same face of the same photo file or, in galleries of up to 20,000 faces, vectors at least as alike as
    near-duplicates (`classifiers.training.calibration.NEAR_DUPLICATE_COSINE`): of the 45 million pairs of different
    names among 9,524 photos of LFW two are, Bart_Hendricks and Ricky_Ray, Gabrielle_Rose and Martha_Bowen.

    Parameters
    ----------
    gallery : Gallery
    progress : bool
        Whether to show a bar on a terminal where it takes long.
    """
    equal = _of_two_names(gallery, np.stack(same_face_pairs(gallery, gallery), axis=1))
    if len(gallery) > _MOST_COMPARED:
        return equal
    blocks = list(_nearly_equal(gallery.vectors, progress=progress))
    alike = _of_two_names(gallery, np.vstack([np.empty((0, 2), np.int64), *blocks]))
    if len(np.unique(alike)) > _MOST_ALIKE * len(gallery):
        logger.warning("most faces have nearly equal vectors whoever they are: this network tells nobody apart")
        return equal
    return np.unique(np.vstack([equal, alike]), axis=0)


def _of_two_names(gallery: Gallery, pairs: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return the pairs of rows of different people, the first row before the second."""
    pairs = pairs[(pairs[:, 0] < pairs[:, 1]) & (gallery.codes[pairs[:, 0]] != gallery.codes[pairs[:, 1]])]
    found: NDArray[np.int64] = np.unique(pairs, axis=0)
    return found


def leave_out_two_names(gallery: Gallery, *, strict: bool = False, progress: bool = False) -> Gallery:
    """Return a gallery without the faces that carry two names, and warn of them; those that were enrolled stay.

    Parameters
    ----------
    gallery : Gallery
        Faces of a table, and perhaps enrolled ones.
    strict : bool
        Whether to refuse such faces instead.
    progress : bool
        As in `two_name_pairs`.

    Raises
    ------
    IdentityError
        If there are such faces and `strict` is wanted, or nobody is left.
    """
    from_table = np.isin(gallery.origins, (FROM_TABLE, FROM_RENAMING))
    pairs = two_name_pairs(gallery, progress=progress)
    pairs = pairs[from_table[pairs].any(axis=1)]
    if not len(pairs):
        return gallery
    named = [" and ".join(f"{gallery.paths[row]} ({gallery.identities[row]})" for row in pair) for pair in pairs]
    listed = "; ".join(named[:_N_LISTED]) + (f"; and {len(named) - _N_LISTED:,} more" if len(named) > _N_LISTED else "")
    what = f"{pluralize(len(pairs), 'face')} with two names: {listed}"
    if strict:
        raise IdentityError(f"expected one name a face, found {what}; take the wrong ones away, or leave --strict out")
    left_out = np.zeros(len(gallery), np.bool_)
    left_out[pairs] = True
    kept = gallery.selected(~(left_out & from_table))
    gone = sorted(set(gallery.labels.tolist()) - set(kept.labels.tolist()))
    if not len(kept):
        raise IdentityError(f"nobody is left to enrol: {what}; take the wrong ones away")
    also = f"; {summarize_names(gone)}: no other photo, not enrolled" if gone else ""
    logger.warning("left out of both people: %s%s", what, also)
    return kept


def same_person_questions(matcher: Matcher, threshold: float, *, progress: bool = False) -> list[str]:
    """Return one line for each two people who look like one, at most ten and how many more.

    Of either, at least half of the photos (of the first ten) reach the threshold among the other's. Measured by
    experiments/label_faults.py: 13 pairs among all 4,038 people of LFW, most of them one person under two names, twins
    or sisters; one pair in a hundred tables of 30 people.

    Parameters
    ----------
    matcher : Matcher
        The exemplars.
    threshold : float
        The head's.
    progress : bool
        Whether to show a bar on a terminal where it takes long.
    """
    part = matcher.selected(_first_of_each(matcher.codes)).scored_by(NEAREST)
    if len(part.codes) > _MOST_COMPARED:
        logger.info("so many people are not compared with one another: facetable audit --labels TABLE does")
        return []
    n_people = len(part.labels)
    found = np.vstack([np.zeros((0, 2), np.int64), *_seen_in_others(part, threshold, progress=progress)])
    keys = found[:, 0] * n_people + found[:, 1]
    pairs = found[(found[:, 0] < found[:, 1]) & np.isin(found[:, 1] * n_people + found[:, 0], keys)]
    lines = [
        f"{part.labels[first]} and {part.labels[second]} look like one person: two people? Otherwise give them one name"
        for first, second in pairs[:_N_QUESTIONS]
    ]
    if len(pairs) > _N_QUESTIONS:
        lines.append(f"{len(pairs) - _N_QUESTIONS:,} more pairs of people look like one person")
    return lines


def _nearly_equal(vectors: NDArray[np.float32], *, progress: bool) -> Iterator[NDArray[np.int64]]:
    """Yield ``(p, 2)`` pairs of rows, the first before the second, whose cosine is that of near-duplicates."""
    step = max(1, _BLOCK_ENTRIES // max(1, len(vectors)))
    for start in _shown(range(0, len(vectors), step), "photos with two names", progress=progress):
        rows, columns = np.nonzero(vectors[start : start + step] @ vectors[start:].T >= NEAR_DUPLICATE_COSINE)
        yield np.stack([rows, columns], axis=1)[columns > rows] + start


def _shown(steps: range, what: str, *, progress: bool) -> "tqdm[int]":
    # tqdm's None: shown on a terminal only.
    return tqdm(steps, desc=what, unit="block", disable=None if progress else True, delay=1)


def _first_of_each(codes: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Return a mask of the first photos of everybody."""
    order = np.argsort(codes, kind="stable")
    position = np.arange(len(order)) - np.searchsorted(codes[order], codes[order])
    mask = np.zeros(len(codes), np.bool_)
    mask[order[position < _N_COMPARED]] = True
    return mask


def _seen_in_others(matcher: Matcher, threshold: float, *, progress: bool) -> Iterator[NDArray[np.int64]]:
    """Yield ``(p, 2)`` codes: people half of whose photos reach the threshold among the second one's."""
    order = np.argsort(matcher.codes, kind="stable")
    probes = matcher.prepare(matcher.gallery.vectors[order])
    people = matcher.codes[order]
    starts = np.searchsorted(people, np.arange(len(matcher.labels) + 1))
    n_people_at_once = max(1, _BLOCK_ENTRIES // (len(order) * _N_COMPARED))
    blocks = range(0, len(matcher.labels), n_people_at_once)
    for first in _shown(blocks, "people who look like one", progress=progress):
        last = min(first + n_people_at_once, len(matcher.labels))
        rows = slice(starts[first], starts[last])
        scores = matcher.similarity(type(probes)(probes.units[rows], probes.scored[rows]))
        for code in range(first, last):
            own = scores[starts[code] - rows.start : starts[code + 1] - rows.start]
            others = np.flatnonzero(own.max(axis=0) >= threshold)
            others = others[others != code]
            others = others[np.median(own[:, others], axis=0) >= threshold]
            yield np.stack([np.full_like(others, code), others], axis=1)
