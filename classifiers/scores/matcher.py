"""Score probes against a gallery: plain cosine, or normalized by a background model.

A person's score is that of the best of their exemplars, or of the mean of them where that is better and wanted.
"""

from functools import cached_property
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from classifiers.scores.gallery import Gallery
from classifiers.scores.neighbors import ExactNeighbors, Neighbors, exact_similarities, row_blocks, unit_rows
from classifiers.scores.normalization import Background
from classifiers.scores.person_means import NEAREST, PERSON_SCORES, PersonMeans, person_means
from foundation.errors import InputError


class Probes(NamedTuple):
    """Faces in question, prepared for one matcher by `Matcher.prepare`.

    Attributes
    ----------
    units : (n, d) float32
        Unit rows, centred where there is a background model: what decision rules see.
    scored : (n, d) or (n, d + 2) float32
        Rows whose dot product with the matcher's is the score.
    """

    units: NDArray[np.float32]
    scored: NDArray[np.float32]


class Matcher:
    """Score probes against the exemplars of a gallery, and find the best ones.

    Parameters
    ----------
    gallery : Gallery
    background : Background, optional
        With it the scores are normalized, without it they are cosines.
    levels : (m,) float64, optional
        The background's levels of the exemplars, where they are known already.
    scored : (m, d + 2) float32, optional
        The exemplars' rows for scoring with the background, where they are known already (then `levels` must be).
    person_score : ``"nearest"`` or ``"nearest_or_mean"``
        Whether people are also compared by the mean of their exemplars, see `classifiers.scores.person_means`.

    Attributes
    ----------
    units : (m, d) float32
        The exemplars as decision rules see them: unit rows, centred where there is a background model.
    levels : (m,) float64
        The background's levels of the exemplars; empty without one.
    codes : (m,) int64
        Position in `labels` of each exemplar's identity.
    labels : (k,) str
        The enrolled identities, sorted.

    Raises
    ------
    ValueError
        If `person_score` is neither.

    >>> matcher = Matcher(Gallery.build([[1.0, 0.0], [0.0, 1.0]], ["Ada", "Bo"]))
    >>> matcher.similarity(matcher.prepare(np.array([[0.6, 0.8]])))
    array([[0.6, 0.8]], dtype=float32)
    >>> matcher.nearest(matcher.prepare(np.array([[0.6, 0.8]]))).indices.tolist()
    [[1]]
    """

    def __init__(
        self,
        gallery: Gallery,
        background: Background | None = None,
        *,
        levels: NDArray[np.float64] | None = None,
        scored: NDArray[np.float32] | None = None,
        person_score: str = NEAREST,
    ) -> None:
        if person_score not in PERSON_SCORES:
            raise InputError(f"`person_score` must be {' or '.join(PERSON_SCORES)}, got {person_score!r}")
        self.person_score = person_score
        self.gallery = gallery
        self.background = background
        self.codes = gallery.codes
        self.labels = gallery.labels
        length = gallery.vectors.shape[1]
        if background is None:
            self.levels = np.zeros(0)
            self._scored = gallery.vectors
        elif levels is not None and scored is not None:
            self.levels, self._scored = levels, scored
        else:
            centred = background.center(gallery.vectors)
            self.levels = background.level(centred) if levels is None else levels
            self._scored = _with_levels(centred, 1.0, -0.5 * self.levels)
        self.units = self._scored[:, :length]

    def prepare(self, vectors: NDArray[np.floating]) -> Probes:
        """Return probes for finite `vectors (n, d)`."""
        units = unit_rows(vectors)
        if self.background is None:
            return Probes(units, units)
        centred = self.background.center(units)
        return Probes(centred, _with_levels(centred, -0.5 * self.background.level(centred), 1.0))

    def added(self, more: Gallery) -> "Matcher":
        """Return a matcher of this gallery and `more`; only the rows of `more` are computed."""
        gallery = self.gallery.added(more)
        if self.background is None:
            return self._like(gallery)
        joining = Matcher(more, self.background)
        levels = np.concatenate([self.levels, joining.levels])
        return self._like(gallery, levels, np.concatenate([self._scored, joining._scored]))

    def selected(self, rows: NDArray[np.bool_]) -> "Matcher":
        """Return a matcher of the exemplars that the mask `rows (m,)` picks."""
        gallery = self.gallery.selected(rows)
        if self.background is None:
            return self._like(gallery)
        return self._like(gallery, self.levels[rows], self._scored[rows])

    def with_gallery(self, gallery: Gallery) -> "Matcher":
        """Return a matcher of the same exemplars, such as under other names; only means are computed again."""
        if self.background is None:
            return self._like(gallery)
        return self._like(gallery, self.levels, self._scored)

    def scored_by(self, person_score: str) -> "Matcher":
        """Return a matcher of the same exemplars that scores people otherwise, see `classifiers.scores.person_means`.

        Raises
        ------
        ValueError
            If there is no such score.
        """
        return Matcher(
            self.gallery, self.background, levels=self.levels, scored=self._scored, person_score=person_score
        )

    @property
    def n_compared(self) -> float:
        """How many exemplars a threshold curve, measured with one photo a person, must take these for.

        A mean is one more chance to look like somebody, and counts half: it lies among exemplars that are there.
        """
        return len(self.gallery) + 0.5 * len(self.means.codes)

    @cached_property
    def means(self) -> PersonMeans:
        """The means that take part in the scores; none where `person_score` is ``"nearest"``."""
        if self.person_score == NEAREST:
            return PersonMeans(np.zeros((0, self.units.shape[1]), np.float32), np.zeros(0, np.int64))
        return person_means(self.units, self.codes)

    def nearest(self, probes: Probes, n_neighbors: int = 1) -> Neighbors:
        """Return the `n_neighbors` best-scoring exemplars of each probe; among equals the one enrolled first."""
        return ExactNeighbors(self._scored).query(probes.scored, n_neighbors)

    def best(self, probes: Probes) -> Neighbors:
        """Return for each probe the best exemplar of the best-scoring person, and that person's score.

        Among equals, an exemplar goes before a mean, and the exemplar enrolled first before others.
        """
        found = self.nearest(probes)
        if not len(self.means.codes):
            return found
        by_mean = ExactNeighbors(self._scored_means).query(probes.scored, 1)
        better = np.flatnonzero(by_mean.similarities[:, 0] > found.similarities[:, 0])
        some = Probes(probes.units[better], probes.scored[better])
        own = self.nearest_of(some, self.means.codes[by_mean.indices[better, 0]])
        indices, scores = found.indices.copy(), found.similarities.copy()
        indices[better], scores[better] = own
        return Neighbors(indices, scores)

    def nearest_of(self, probes: Probes, codes: NDArray[np.int64]) -> Neighbors:
        """Return the best exemplar of each probe among those of one identity alone, and that identity's score.

        Parameters
        ----------
        probes : Probes
            n of them.
        codes : (n,) int64
            Position in `labels` of the identity for each.
        """
        order, starts = self._groups
        indices = np.zeros((len(codes), 1), np.int64)
        scores = np.zeros((len(codes), 1), np.float64)
        for row, (probe, code) in enumerate(zip(probes.scored, codes, strict=True)):
            own = order[starts[code] : starts[code + 1]]
            exact = exact_similarities(probe, self._scored[own])
            best = int(np.argmax(exact))
            indices[row, 0], scores[row, 0] = own[best], exact[best]
            mean = self._row_of_mean.get(int(code))
            if mean is not None:
                by_mean = exact_similarities(probe, self._scored_means[mean : mean + 1])[0]
                scores[row, 0] = max(scores[row, 0], by_mean)
        return Neighbors(indices, scores)

    def similarity(self, probes: Probes) -> NDArray[np.float32]:
        """Return ``(n, k)`` float32: the score of each of `labels`, by their best exemplar or their mean."""
        result = np.zeros((len(probes.scored), len(self.labels)), np.float32)
        order, starts = self._groups
        grouped = self._scored[order]
        for block in row_blocks(len(result), len(grouped)) if len(grouped) else []:
            result[block] = np.maximum.reduceat(probes.scored[block] @ grouped.T, starts[:-1], axis=1)
            if len(self.means.codes):
                of_mean = result[block][:, self.means.codes]
                result[block, self.means.codes] = np.maximum(of_mean, probes.scored[block] @ self._scored_means.T)
        return result

    def scores(self, probes: Probes) -> NDArray[np.float32]:
        """Return ``(n, m)`` float32: the score of every exemplar."""
        return probes.scored @ self._scored.T

    def mean_scores(self, probes: Probes, means: NDArray[np.float32] | None = None) -> NDArray[np.float32]:
        """Return ``(n, q)`` float32: the score of every mean that takes part.

        With `means (n, d)`, such as of the exemplars but some, ``(n, 1)``: the score of each probe's own one.
        """
        if means is None:
            return probes.scored @ self._scored_means.T
        own: NDArray[np.float32] = np.einsum("ij,ij->i", probes.scored, self._rows_for_scoring(means))[:, None]
        return own

    def _like(
        self,
        gallery: Gallery,
        levels: NDArray[np.float64] | None = None,
        scored: NDArray[np.float32] | None = None,
    ) -> "Matcher":
        return Matcher(gallery, self.background, levels=levels, scored=scored, person_score=self.person_score)

    @cached_property
    def _scored_means(self) -> NDArray[np.float32]:
        return self._rows_for_scoring(self.means.units)

    def _rows_for_scoring(self, units: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return rows, centred where there is a background, with their levels."""
        if self.background is None:
            return units
        return _with_levels(units, 1.0, -0.5 * self.background.level(units))

    @cached_property
    def _row_of_mean(self) -> dict[int, int]:
        return {int(code): row for row, code in enumerate(self.means.codes)}

    @cached_property
    def _groups(self) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Rows ordered by identity, and where each identity starts (and the last one ends)."""
        order = np.argsort(self.codes, kind="stable")
        return order, np.searchsorted(self.codes[order], np.arange(len(self.labels) + 1))


def _with_levels(
    rows: NDArray[np.float32], of_probe: NDArray[np.float64] | float, of_exemplar: NDArray[np.float64] | float
) -> NDArray[np.float32]:
    """Append two columns, so that the dot product of a probe's and an exemplar's row also subtracts their levels."""
    result = np.empty((len(rows), rows.shape[1] + 2), np.float32)
    result[:, :-2], result[:, -2], result[:, -1] = rows, of_probe, of_exemplar
    return result
