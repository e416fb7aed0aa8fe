"""Which named people a group of unnamed faces is alike enough to that it may be proposed to be them."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from classifiers.groups.similarity import SimilaritySpace, default_threshold
from people.suggestions.likely import Vectors, spread

REACH = 0.18
"""How far below the similarity of one person a group and a person may lie, so that the person is proposed.

On LFW with three networks (random people with four photos and more, eight draws of 400), 99.5, 99.97 and 100 % of
10,005 groups of somebody who has a name lie within it; of 406 that grouping had split off from a larger one of the same
person, the hardest, 90, 100 and 100 %. Of the nearest nine people it leaves one or none, on average, for a group of
somebody without a name.
"""

MOST_COMPARED = 30
"""Faces of a group or a person whose mean similarity stands for all."""


@dataclass
class PeopleWithinReach:
    """Compares groups with people as grouping does, and keeps what it has read of people while their faces stay.

    Attributes
    ----------
    vectors_of : callable
        Returns the vectors of rows of the table, float32 (n, d).
    space_of : callable
        Returns the space in which vectors (n, d) are compared.
    """

    vectors_of: Callable[[Sequence[int]], Vectors]
    space_of: Callable[[Vectors], SimilaritySpace]
    _known: dict[int, tuple[tuple[int, ...], NDArray[np.float32], float]] = field(default_factory=dict, init=False)

    def keep(self, vectors: Vectors, people: Mapping[int, Sequence[int]], *, n_sets: int) -> set[int]:
        """Return which people a group may be.

        Parameters
        ----------
        vectors : (m, d) float32
            Of the group, of unit length, at least one.
        people : mapping
            The rows of each person.
        n_sets : int
            Groups, people and single faces of the workspace: the more, the more alike are strangers.
        """
        own = self.space_of(vectors[spread(range(len(vectors)), MOST_COMPARED)])
        mean, offset = own.vectors.mean(axis=0), float(own.offsets.mean())
        least = default_threshold(n_sets, own.curve) - REACH
        found = set()
        for person, rows in people.items():
            other_mean, other_offset = self._mean_of(person, rows)
            if float(mean @ other_mean) - offset - other_offset >= least:
                found.add(person)
        return found

    def _mean_of(self, person: int, rows: Sequence[int]) -> tuple[NDArray[np.float32], float]:
        read = tuple(spread(rows, MOST_COMPARED))
        known = self._known.get(person)
        if known is None or known[0] != read:
            space = self.space_of(self.vectors_of(read))
            known = self._known[person] = (read, space.vectors.mean(axis=0), float(space.offsets.mean()))
        return known[1], known[2]
