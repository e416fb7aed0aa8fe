"""Numbers and names that survive."""

from dataclasses import replace

import numpy as np

from classifiers.people_files.cannot_links import POOR
from classifiers.people_files.carry_over import describe_changes, drop_separated_names, keep_numbers, propagate_names
from classifiers.people_files.known_people import KnownPeople


def known(clusters, names=None, n_missing=0):
    clusters = np.array(clusters)
    return KnownPeople(clusters, np.array(names or [""] * len(clusters), object), n_missing, int(clusters.max()) + 1)


class TestKeepNumbers:
    def test_the_larger_overlap_keeps_the_number(self):
        labels = np.array([0, 0, 0, 1, 1, 2])
        assert keep_numbers(labels, known([7, 7, 3, 7, 3, -1])).tolist() == [7, 7, 7, 3, 3, 8]

    def test_a_split_group_leaves_its_number_with_the_larger_part(self):
        assert keep_numbers(np.array([0, 1, 1]), known([4, 4, 4])).tolist() == [5, 4, 4]

    def test_the_same_groups_keep_all_numbers(self):
        before = np.random.default_rng(0).integers(5, size=30)
        permuted = np.array([3, 1, 4, 0, 2])[before]
        assert keep_numbers(permuted, known(before)).tolist() == before.tolist()

    def test_only_new_faces_and_none(self):
        assert keep_numbers(
            np.array([0, 1]), KnownPeople(np.array([-1, -1]), np.array(["", ""], object), 3, 9)
        ).tolist() == [9, 10]
        empty = np.empty(0, np.int64)
        assert keep_numbers(empty, KnownPeople(empty, np.empty(0, object), 0, 0)).tolist() == []


def test_names_spread_to_new_faces():
    names = np.array(["Ada", "", "", "Bob", "Cy", ""], object)
    assert propagate_names(np.array([0, 0, 1, 2, 2, 2]), names).tolist() == ["Ada", "Ada", "", "Bob", "Cy", ""]


class TestPartNames:
    def test_the_larger_group_keeps_the_name(self):
        names = np.array(["Ada"] * 4, object)
        for pair in ([0, 3], [3, 0]):
            separated = drop_separated_names(np.array([0, 0, 0, 1]), names, np.array([pair]))
            assert separated.tolist() == ["Ada", "Ada", "Ada", ""]

    def test_the_first_keeps_it_among_equals(self):
        names = np.array(["Ada", "Ada"], object)
        assert drop_separated_names(np.array([0, 1]), names, np.array([[1, 0]])).tolist() == ["", "Ada"]

    def test_other_names_stay(self):
        names = np.array(["Ada", "Bob", ""], object)
        assert drop_separated_names(np.array([0, 1, 2]), names, np.array([[0, 1], [0, 2]])).tolist() == [
            "Ada",
            "Bob",
            "",
        ]


def test_changes():
    labels = np.array([1, 1, 2, 2, 5, 1])
    names = np.array(["Ada", "Ada", "", "", "", "Ada"], object)
    before = known([1, 1, 1, 2, -1, -1], ["Ada", "", "", "", "", ""], n_missing=2)
    changes = describe_changes(labels, names, replace(before, rows_with_name=frozenset([0])))
    assert changes == {
        "n_new_faces": 2,
        "n_gone_faces": 2,
        "n_moved_faces": 1,
        "n_newly_named_faces": 2,
        "n_refused_faces": 0,
        "new_groups": [5],
        "split_groups": {1: [1, 2]},
        "merged_groups": {2: [1, 2]},
        "grown_groups": {1: 1},
    }


def test_a_face_is_newly_named_where_its_own_cell_was_empty():
    before = known([1, 1, 1, 2, 2, -1], ["Ada", "Ada", "Ada", "Bob", "", ""])
    names = np.array(["Ada", "Ada", "Ada", "", "", "Ada"], object)  # Bob's name was taken away by a constraint
    changes = describe_changes(np.array([1, 1, 1, 2, 3, 1]), names, replace(before, rows_with_name=frozenset([0, 3])))
    assert changes["n_newly_named_faces"] == 3


def test_poor_faces_are_no_group():
    before = known([3, 3, POOR, POOR, -1])
    labels = keep_numbers(np.array([0, 0, 0, POOR, POOR]), before)
    assert labels.tolist() == [3, 3, 3, POOR, POOR]
    names = propagate_names(labels, np.array(["", "", "", "Ada", ""], object))
    assert names.tolist() == ["", "", "", "Ada", ""]
    changes = describe_changes(labels, names, before)
    assert (changes["n_new_faces"], changes["n_moved_faces"]) == (1, 1)
    assert (changes["new_groups"], changes["split_groups"], changes["grown_groups"]) == ([], {}, {})
    assert keep_numbers(np.array([POOR]), known([POOR])).tolist() == [POOR]
