"""Which named people a group of unnamed faces is alike enough to that it may be proposed to be them."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from classifiers.groups.similarity import SimilaritySpace, default_threshold
from people.suggestions.likely import Vectors, spread

REACH = 0.18
"""How far below the similarity of one person a group and a person may lie, so that the person is proposed.

On LFW with three networks (random people with four photos and more, eight draws of 400, see
experiments/suggestion_reach.py) 99.9 to 100 % of 9,599 halves of a person's photos lie within it of the other half; of
406 groups that grouping had split off from a larger one of the same person, the hardest, 90, 100 and 100 %. Of the
nearest nine people it leaves one or none, on average, for a group of somebody without a name.
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
    reach : float
        How far below the similarity of one person they may lie.
    """

    vectors_of: Callable[[Sequence[int]], Vectors]
    space_of: Callable[[Vectors], SimilaritySpace]
    reach: float = REACH
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
        read = {person: tuple(spread(rows, MOST_COMPARED)) for person, rows in people.items()}
        new = [person for person, rows in read.items() if self._known.get(person, ((),))[0] != rows]
        parts = [vectors[spread(range(len(vectors)), MOST_COMPARED)], *(self.vectors_of(read[one]) for one in new)]
        space = self.space_of(np.concatenate(parts))  # all at once: it takes little longer than one of them
        ends = np.cumsum([len(part) for part in parts])
        means = [
            (space.vectors[end - len(part) : end].mean(axis=0), float(space.offsets[end - len(part) : end].mean()))
            for part, end in zip(parts, ends.tolist(), strict=True)
        ]
        for person, (mean, offset) in zip(new, means[1:], strict=True):
            self._known[person] = (read[person], mean, offset)
        least = default_threshold(n_sets, space.curve) - self.reach
        own_mean, own_offset = means[0]
        found = set()
        for person in people:
            _, mean, offset = self._known[person]
            if float(own_mean @ mean) - own_offset - offset >= least:
                found.add(person)
        return found
