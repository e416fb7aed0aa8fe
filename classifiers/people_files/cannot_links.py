"""Constraints that keep rows apart: pairs, different names, and names that somebody has refused for a row."""

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

Rows = NDArray[np.int64]
"""Row numbers, or a number for each row."""

POOR = -2
"""Group of the faces that are too poor to be told apart: no person, so that no name counts for all of it."""


def _no_pairs() -> Rows:
    return np.empty((0, 2), np.int64)


@dataclass(frozen=True)
class CannotLinks:
    """Constraints between rows that may not be in one group: cannot-links.

    Attributes
    ----------
    pairs : (p, 2) int64
        Rows that are never in one group.
    names : (n,) int64, optional
        Rows of different names of 0 and above are never in one group; -1 has none.
    refusals : (r, 2) int64
        Row and name: the row is never in one group with a row of that name.
    """

    pairs: Rows = field(default_factory=_no_pairs)
    names: Rows | None = None
    refusals: Rows = field(default_factory=_no_pairs)

    def violated(self, labels: Rows) -> NDArray[np.bool_]:
        """Return ``(n_groups,)`` bool: which groups of `labels (n,)` hold rows that must be apart."""
        violated = np.zeros(int(labels.max(initial=-1)) + 1, bool)
        one, two = labels[self.pairs[:, 0]], labels[self.pairs[:, 1]]
        violated[one[one == two]] = True
        if self.names is not None:
            named = self.names >= 0
            name_and_group = np.unique(np.stack([labels[named], self.names[named]]), axis=1)
            violated |= np.bincount(name_and_group[0], minlength=len(violated)) > 1
            n_names = self.n_names
            held = name_and_group[0] * n_names + name_and_group[1]
            refused = labels[self.refusals[:, 0]] * n_names + self.refusals[:, 1]
            violated[np.intersect1d(held, refused) // max(n_names, 1)] = True
        return violated

    @property
    def n_names(self) -> int:
        """The lowest number above that of every name."""
        of_rows = -1 if self.names is None else int(self.names.max(initial=-1))
        return max(of_rows, int(self.refusals[:, 1].max(initial=-1))) + 1

    def subset(self, rows: Rows) -> "CannotLinks":
        """Return the constraints among `rows` alone, numbered by their places."""
        highest = (int(some.max(initial=-1)) for some in (rows, self.pairs, self.refusals[:, 0]))
        place = np.full(max(highest) + 1, -1)
        place[rows] = np.arange(len(rows))
        pairs = place[self.pairs]
        refusals = np.stack([place[self.refusals[:, 0]], self.refusals[:, 1]], axis=1)
        return CannotLinks(
            pairs[(pairs >= 0).all(axis=1)],
            None if self.names is None else self.names[rows],
            refusals[refusals[:, 0] >= 0],
        )
