"""The rows of a people file."""

import csv

import numpy as np
import pytest

from classifiers.people_files.cannot_links import POOR
from classifiers.people_files.edits import PeopleRow
from classifiers.people_files.known_people import read_people
from classifiers.people_files.people_file import read_people_rows, sort_by_group, write_people

FACES = [("a.jpg", 0), ("a.jpg", 1), ("b.jpg", 0), ("c.jpg", 0)]
ROW_OF = {face: row for row, face in enumerate(FACES)}


@pytest.fixture
def file(tmp_path):
    return tmp_path / "people.csv"


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
    assert rows == [
        ["path", "face_index", "cluster", "name", "score", "before", "is_not", "row"],
        ["a.jpg", "0", "0", "Ada, Countess", "0.5000", "Ada, Countess", "", "1 of 4"],
        ["b.jpg", "0", "0", "", "0.2500", "", "", "2 of 4"],
        ["a.jpg", "1", "1", "", "1.0000", "", "", "3 of 4"],
        ["c.jpg", "0", "2", "李", "1.0000", "李", "", "4 of 4"],
    ]
    assert read_people(file, ROW_OF).names.tolist() == ["Ada, Countess", "", "Ada, Countess", "李"]


def test_what_is_written_is_read(file):
    gone = PeopleRow(9, "gone.jpg", 2, 7, "Cy; D", "Cy; D", ("Ada",), is_present=False)
    write_people(
        file,
        FACES,
        np.array([0, POOR, 0, POOR]),
        names=np.array(["Ada", "", "", "Bob"], object),
        scores=np.float32([0.5, 0, 0.25, 0]),
        refused={2: ("Ada", "B|C", '"Q"')},
        gone=[gone],
    )
    rows, n_lost = read_people_rows(file, FACES)
    assert n_lost == 0
    assert [(row.path, row.face_index, row.cluster, row.name, row.before, row.is_not) for row in rows] == [
        ("a.jpg", 0, 0, "Ada", "Ada", ()),
        ("b.jpg", 0, 0, "", "", ('"Q"', "Ada", "B|C")),
        ("a.jpg", 1, POOR, "", "", ()),
        ("c.jpg", 0, POOR, "Bob", "Bob", ()),
        ("gone.jpg", 2, 7, "Cy; D", "Cy; D", ("Ada",)),
    ]
    assert [row.is_present for row in rows] == [True] * 4 + [False]


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
def test_spreadsheets_may_have_saved_it(file, delimiter):
    write_people(
        file,
        FACES,
        np.zeros(4, int),
        names=np.array(["Zoë", "", "", ""], object),
        scores=np.ones(4),
        refused={1: ("Zoë",)},
    )
    with file.open(encoding="utf-8", newline="") as stream:
        rows = list(csv.reader(stream))
    with file.open("w", encoding="utf-8-sig", newline="") as stream:
        csv.writer(stream, delimiter=delimiter, lineterminator="\r\n").writerows(rows)
    people = read_people(file, ROW_OF)
    assert people.names.tolist() == ["Zoë", "", "Zoë", "Zoë"]
    assert people.refused == {1: ("Zoë",)}
    assert people.n_lost_rows == 0


def test_the_largest_group_comes_first_and_in_it_the_most_typical_face():
    labels = np.array([4, 2, 2, POOR, POOR, POOR, 0, 2, 1])
    scores = np.float32([1, 0.2, 0.9, 0, 0, 0, 1, 0.5, 1])
    assert sort_by_group(labels, scores).tolist() == [2, 7, 1, 6, 8, 0, 3, 4, 5]
