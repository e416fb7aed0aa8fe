"""What must and must not be together."""

import logging

import numpy as np
import pytest

from classifiers.people_files.constraints import Constraint, combine_constraints, read_constraints

ROW_OF = {("a.jpg", 0): 0, ("a.jpg", 1): 1, ("b.jpg", 0): 2, ("c.jpg", 0): 3}
HEADER = "kind,path_a,face_index_a,path_b,face_index_b\n"


def must(first, second, line=2):
    return Constraint(True, first, second, line)


def cannot(first, second, line=2):
    return Constraint(False, first, second, line)


class TestRead:
    @pytest.fixture
    def file(self, tmp_path):
        return tmp_path / "constraints.csv"

    def test_reads_rows(self, file):
        file.write_text(HEADER + "must,a.jpg,0,b.jpg,0\nCannot ,a.jpg,1,c.jpg,0\n")
        assert read_constraints(file, ROW_OF) == [must(0, 2, 2), cannot(1, 3, 3)]

    def test_no_constraint(self, file):
        file.write_text(HEADER)
        assert read_constraints(file, ROW_OF) == []

    def test_a_face_that_is_gone_is_left_out_with_a_warning(self, file, caplog):
        file.write_text(HEADER + "must,a.jpg,0,b.jpg,0\nmust,a.jpg,0,z.jpg,4\n")
        with caplog.at_level(logging.WARNING):
            assert len(read_constraints(file, ROW_OF)) == 1
        assert "left out 1 of 2 constraints, because of faces that are not in the table" in caplog.text
        assert "line 3: face 4 of z.jpg" in caplog.text

    @pytest.mark.parametrize(
        ("line", "message"),
        [
            ("maybe,a.jpg,0,b.jpg,0", r"constraints.csv, line 2: `kind` must be one of must, cannot, got 'maybe'"),
            ("must,a.jpg,zero,b.jpg,0", r"line 2: `face_index_a` must be a whole number"),
            ("must,a.jpg,0,b.jpg,", r"line 2: `face_index_b` must be a whole number"),
            ("must,x.jpg,0,y.jpg,0", r"found none of them in it \(line 2: face 0 of x.jpg\); .* another table"),
        ],
    )
    def test_refuses(self, file, line, message):
        file.write_text(HEADER + line + "\n")
        with pytest.raises(ValueError, match=message):
            read_constraints(file, ROW_OF)

    def test_refuses_other_columns(self, file):
        file.write_text("path,name\n")
        with pytest.raises(ValueError, match="expected the columns kind, path_a"):
            read_constraints(file, ROW_OF)


class TestCombine:
    def test_faces_of_one_photo_are_apart(self):
        must_link, cannot_links = combine_constraints(["b", "a", "b", "c", "b", "a"])
        assert len(set(must_link)) == 6
        assert sorted(map(sorted, cannot_links.pairs.tolist())) == [[0, 2], [0, 4], [1, 5], [2, 4]]
        assert cannot_links.names is None

    def test_constraints_are_obeyed_through_others(self):
        must_link, cannot_links = combine_constraints(list("abcde"), [must(0, 2), must(2, 4), cannot(1, 3)])
        assert must_link[0] == must_link[2] == must_link[4]
        assert len(set(must_link)) == 3
        assert cannot_links.pairs.tolist() == [[1, 3]]

    def test_names_become_numbers(self):
        names = combine_constraints(list("abcd"), names=["Ada", "", "Bob", "Ada"])[1].names
        assert names[0] == names[3] != names[2]
        assert names[1] == -1
        assert min(names[0], names[2]) >= 0

    def test_no_row(self):
        must_link, cannot_links = combine_constraints([], names=[])
        assert len(must_link) == len(cannot_links.pairs) == 0

    @pytest.mark.parametrize(
        ("constraints", "message"),
        [
            ([must(0, 2, 2), cannot(2, 0, 3)], r"line 3 \(cannot\) and line 2 \(must\); remove"),
            (
                [must(0, 2, 2), must(2, 3, 3), must(0, 4, 9), cannot(0, 3, 5)],
                r"line 5 \(cannot\) and lines 2, 3 \(must\)",
            ),
            ([cannot(3, 3, 7)], "line 7 keeps a face from itself"),
            ([must(0, 1, 4)], r"line 4 \(must\) and two faces of one photo, a.jpg"),
            ([must(0, 2, 4), must(2, 1, 6)], r"lines 4, 6 \(must\) and two faces of one photo, a.jpg"),
            ([must(3, 4, 8)], r"line 8 \(must\) and the names 'Ada' and 'Bob'"),
        ],
    )
    def test_contradictions_are_named(self, constraints, message):
        paths = ["a.jpg", "a.jpg", "b.jpg", "c.jpg", "d.jpg"]
        with pytest.raises(ValueError, match=r"my.csv: constraints must not contradict each other, got " + message):
            combine_constraints(paths, constraints, names=["", "", "", "Ada", "Bob"], source="my.csv")

    def test_many_contradictions_are_counted(self):
        constraints = [must(0, 1), *[cannot(0, 1, line) for line in range(3, 9)]]
        with pytest.raises(ValueError, match=r"line 5 .* and 3 more; remove one of each"):
            combine_constraints(["a", "b"], constraints)

    def test_a_large_photo(self):
        pairs = combine_constraints(np.array(["p"] * 60, object))[1].pairs
        assert len({tuple(sorted(pair)) for pair in pairs.tolist()}) == 60 * 59 // 2


class TestRefusedNames:
    names = np.array(["Ada", "", "", "Bob"], object)

    def test_become_rows_and_name_numbers(self):
        refused = {1: ("Ada", "Nobody"), 2: ("Bob",)}
        _, cannot = combine_constraints(["a", "b", "c", "d"], names=self.names, refused=refused)
        assert [(row, int(name)) for row, name in cannot.refusals] == [
            (1, int(cannot.names[0])),
            (2, int(cannot.names[3])),
        ]

    def test_contradict_a_must_link(self):
        with pytest.raises(ValueError, match=r"got line 2 \(must\) and a face that is not 'Ada'; remove one of each"):
            combine_constraints(
                ["a", "b", "c", "d"], [must(0, 1), must(2, 3, 3)], names=self.names, refused={1: ("Ada",)}
            )
