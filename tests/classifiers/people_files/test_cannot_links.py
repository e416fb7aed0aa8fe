"""What must be apart."""

import numpy as np

from classifiers.people_files.cannot_links import CannotLinks


class TestCannotLinks:
    def test_violated(self):
        cannot_links = CannotLinks(np.array([[0, 1]]), np.array([0, -1, -1, 1, 0]))
        assert cannot_links.violated(np.array([0, 0, 1, 1, 1])).tolist() == [True, True]
        assert cannot_links.violated(np.array([0, 1, 1, 2, 0])).tolist() == [False, False, False]

    def test_a_refused_name_is_violated(self):
        cannot_links = CannotLinks(names=np.array([0, -1, 1, -1]), refusals=np.array([[1, 0], [3, 1]]))
        assert cannot_links.violated(np.array([0, 0, 1, 0])).tolist() == [True, False]
        assert cannot_links.violated(np.array([0, 1, 1, 0])).tolist() == [False, False]

    def test_subset_renumbers(self):
        links = CannotLinks(np.array([[0, 3], [1, 2]]), np.array([5, 6, 7, 8]), np.array([[2, 5], [3, 6]]))
        taken = links.subset(np.array([3, 0, 1]))
        assert taken.pairs.tolist() == [[1, 0]]
        assert taken.names.tolist() == [8, 5, 6]
        assert taken.refusals.tolist() == [[0, 6]]
