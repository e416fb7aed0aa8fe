"""How alike groups and people are, kept between requests."""

from threading import Lock

import numpy as np
from numpy.typing import NDArray

from people.store.reader import PeopleReader
from people.suggestions.likely import PeopleMeans
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
        self._state: tuple[object, ...] = ()

    def nearest(
        self, reader: PeopleReader, vectors: NDArray[np.float32], *, without: frozenset[int]
    ) -> list[tuple[int, float]]:
        """Return the people most like a group, the most alike first; see `PeopleMeans.nearest`."""
        with self._lock:
            table = self.vectors.version
            state = (table, reader.revision)
            if state != self._state:
                if self._state[:1] != state[:1]:
                    self._means = PeopleMeans(self.vectors.of_rows)  # rows are others now
                self._means.update(reader.rows_of_people())
                self._state = state
            return self._means.nearest(vectors, without=without, n=MOST_LIKELY)


def likeness_of(context: Context) -> WorkspaceLikeness:
    """Return the one of a running application."""
    return context.kept("likeness", lambda: WorkspaceLikeness(context.workspace))
