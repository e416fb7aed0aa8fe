"""The people file: names that survive."""

import csv
import logging

import numpy as np
import pytest

from classifiers.groups.people_file import (
    KnownPeople,
    describe_changes,
    drop_separated_names,
    keep_numbers,
    propagate_names,
    read_people,
    write_people,
)

FACES = [("a.jpg", 0), ("a.jpg", 1), ("b.jpg", 0), ("c.jpg", 0)]
ROW_OF = {face: row for row, face in enumerate(FACES)}
HEADER = "path,face_index,cluster,name,score\n"


def known(clusters, names=None, n_missing=0):
    clusters = np.array(clusters)
    return KnownPeople(clusters, np.array(names or [""] * len(clusters), object), n_missing, int(clusters.max()) + 1)


@pytest.fixture
def file(tmp_path):
    return tmp_path / "people.csv"


class TestRead:
    def test_a_name_counts_for_its_group(self, file):
        file.write_text(HEADER + "a.jpg,0,5,,1\na.jpg,1,2,,1\nb.jpg,0,5, Ada ,1\n")
        people = read_people(file, ROW_OF)
        assert people.clusters.tolist() == [5, 2, 5, -1]
        assert people.names.tolist() == ["Ada", "", "Ada", ""]
        assert (people.n_missing, people.next_cluster) == (0, 6)

    def test_the_name_may_stand_beside_a_face_that_is_gone(self, file, caplog):
        file.write_text(HEADER + "a.jpg,0,5,,1\nz.jpg,0,5,Ada,1\n")
        with caplog.at_level(logging.WARNING):
            people = read_people(file, ROW_OF)
        assert people.names[0] == "Ada"
        assert people.n_missing == 1
        assert "left out 1 of 2 faces, which the table no longer holds" in caplog.text

    def test_several_names_in_a_group_stay_where_they_are(self, file, caplog):
        file.write_text(HEADER + "a.jpg,0,5,Ada,1\nb.jpg,0,5,Bob,1\nc.jpg,0,5,,1\n")
        with caplog.at_level(logging.WARNING):
            assert read_people(file, ROW_OF).names.tolist() == ["Ada", "", "Bob", ""]
        assert "group 5 has several names (Ada, Bob)" in caplog.text

    def test_score_is_not_needed(self, file):
        file.write_text("name,path,cluster,face_index\nAda,a.jpg,1,0\n")
        assert read_people(file, ROW_OF).names[0] == "Ada"

    @pytest.mark.parametrize(
        ("lines", "message"),
        [
            ("z.jpg,0,1,Ada,1\n", "found none of 1 face, the first of z.jpg; this file is for another table"),
            ("a.jpg,0,1,,1\na.jpg,0,2,,1\n", "line 3: expected each face once, got face 0 of a.jpg again, see line 2"),
            ("a.jpg,0,1,unknown,1\n", "line 2: `name` must not be 'unknown'"),
            ("a.jpg,0,1,A\0da,1\n", "line 2: `name` must be text of at most 1,000 characters, got 'A\\\\x00da'"),
            (f"a.jpg,0,1,{'x' * 1001},1\n", "line 2: `name` must be text of at most 1,000 characters, got 'xxx"),
            ("a.jpg,x,1,,1\n", "line 2: `face_index` must be a whole number"),
            ("a.jpg,0,-1,,1\n", "line 2: `cluster` must be a whole number"),
        ],
    )
    def test_refuses(self, file, lines, message):
        file.write_text(HEADER + lines)
        with pytest.raises(ValueError, match=message):
            read_people(file, ROW_OF)

    def test_an_empty_file_and_an_empty_table(self, file):
        file.write_text(HEADER)
        assert read_people(file, ROW_OF).next_cluster == 0
        file.write_text(HEADER + "a.jpg,0,1,,1\n")
        assert read_people(file, {}).n_missing == 1


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
    changes = describe_changes(labels, names, known([1, 1, 1, 2, -1, -1], ["Ada", "", "", "", "", ""], n_missing=2))
    assert changes == {
        "n_new_faces": 2,
        "n_gone_faces": 2,
        "n_moved_faces": 1,
        "n_newly_named_faces": 2,
        "new_groups": [5],
        "split_groups": {1: [1, 2]},
        "merged_groups": {2: [1, 2]},
        "grown_groups": {1: 1},
    }


def test_writes_the_promised_columns(file):
    write_people(
        file,
        FACES,
        np.array([0, 1, 0, 2]),
        names=np.array(["Ada, Countess", "", "", "李"], object),
        scores=np.array([0.5, 1, 0.25, 1]),
    )
    with file.open(encoding="utf-8", newline="") as stream:
        rows = list(csv.reader(stream))
    assert rows[0] == ["path", "face_index", "cluster", "name", "score"]
    assert rows[1:3] == [["a.jpg", "0", "0", "Ada, Countess", "0.5000"], ["a.jpg", "1", "1", "", "1.0000"]]
    assert read_people(file, ROW_OF).names.tolist() == ["Ada, Countess", "", "Ada, Countess", "李"]
