"""How alike groups and people are, kept between requests."""

from threading import Lock

import numpy as np
from numpy.typing import NDArray

from classifiers.groups.similarity import SimilaritySpace, plain_space, similarity_space
from classifiers.scores.normalization import find_background
from people.store.reader import PeopleReader
from people.suggestions.likely import PeopleMeans
from people.suggestions.reach import PeopleWithinReach
from people.workspace.vectors import FaceVectors
from people.workspace.workspace import Workspace
from webapp.api.context import Context

MOST_LIKELY = 9
"""As many as there are keys for them."""


class WorkspaceLikeness:
    """The vectors of a workspace's faces, and the means of its people, read as they are needed.

    Parameters
    ----------
    workspace : Workspace
    """

    def __init__(self, workspace: Workspace) -> None:
        self.vectors = FaceVectors(workspace)
        self._lock = Lock()
        self._means = PeopleMeans(self.vectors.of_rows)
        self._reach = PeopleWithinReach(self.vectors.of_rows, plain_space)
        self._rows: dict[int, list[int]] = {}
        self._n_sets = 0
        self._state: tuple[object, ...] = ()

    def nearest(
        self, reader: PeopleReader, vectors: NDArray[np.float32], *, without: frozenset[int]
    ) -> list[tuple[int, float]]:
        """Return the people that a group may be, the most alike first; see `PeopleMeans` and `PeopleWithinReach`."""
        with self._lock:
            table = self.vectors.version
            state = (table, reader.revision)
            if state != self._state:
                if self._state[:1] != state[:1]:
                    self._begin_anew(reader)
                self._rows = reader.rows_of_people()
                self._means.update(self._rows)
                self._state = state
            found = self._means.nearest(vectors, without=without, n=MOST_LIKELY)
            rows = {person: self._rows[person] for person, _ in found}
            within = self._reach.keep(vectors, rows, n_sets=self._n_sets) if found else set()
            return [(person, alike) for person, alike in found if person in within]

    def _begin_anew(self, reader: PeopleReader) -> None:
        """Forget what was read of the table before: its rows are others now."""
        fingerprint = self.vectors.fingerprint
        background = find_background(fingerprint)

        def space_of(vectors: NDArray[np.float32]) -> SimilaritySpace:
            return similarity_space(vectors, background, fingerprint)

        self._means = PeopleMeans(self.vectors.of_rows)
        self._reach = PeopleWithinReach(self.vectors.of_rows, space_of)
        sizes, counts = reader.group_sizes(), reader.count_table()
        n_alone = counts.n_open - sum(size for _, size in sizes)
        self._n_sets = len(sizes) + len(reader.people()) + n_alone


def likeness_of(context: Context) -> WorkspaceLikeness:
    """Return the one of a running application."""
    return context.kept("likeness", lambda: WorkspaceLikeness(context.workspace))
