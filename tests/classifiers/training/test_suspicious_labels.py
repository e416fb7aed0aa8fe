"""Wrong names come first."""

import numpy as np
import pytest

from classifiers.scores.gallery import Gallery
from classifiers.scores.matcher import Matcher
from classifiers.training.suspicious_labels import suspicious_labels
from tests.classifiers.people import make_background, make_people

PEOPLE = make_people(6, 6)


def misfiled(*rows, name="person 000"):
    names = PEOPLE.identities.copy()
    names[list(rows)] = name
    paths = [f"{name}/{row}.jpg" for row, name in enumerate(names)]
    return Gallery.build(PEOPLE.vectors, names, paths=paths, image_sha256=[f"{row:064x}" for row in range(36)])


@pytest.mark.parametrize("background", [None, make_background()])
def test_photos_in_a_wrong_folder_come_first_also_two_of_one_person(background):
    found = suspicious_labels(Matcher(misfiled(8, 20, 21), background), n_listed=5)
    assert {label.row for label in found[:3]} == {8, 20, 21}
    assert [label.likeness for label in sorted(found[:3], key=lambda label: label.row)] == [
        "person 001",
        "person 003",
        "person 003",
    ]
    assert [label.suspicion > 0.4 for label in found] == [True] * 3 + [False] * 2


def test_figures_of_a_hand_worked_table():
    vectors = np.float32([[1, 0], [0.8, 0.6], [0.6, 0.8], [0, 1], [0, 1]])
    names, hashes = ["Ada", "Ada", "Ada", "Bo", "Cy"], list("abcde")
    first, second, *_ = suspicious_labels(
        Matcher(Gallery.build(vectors, names, paths=[f"{row}.jpg" for row in range(5)], image_sha256=hashes))
    )
    # Ada's last two are copies of one photo. Her own scores: 0.7, 0.8 and 0.6; their median stands for the other two.
    assert (first.path, first.identity, first.own_score, first.likeness, first.like_path) == (
        "3.jpg",
        "Bo",
        None,
        "Cy",
        "4.jpg",
    )
    assert (first.like_score, first.suspicion) == (pytest.approx(1.0), pytest.approx(0.3))
    assert str(first) == "3.jpg: Bo, no other photo; 1.00 with Cy (4.jpg)"
    assert second.path == "4.jpg"
    third = suspicious_labels(Matcher(Gallery.build(vectors, names)))[2]
    assert str(third) == ": Ada, score 0.60 with Ada's others; 0.80 with Bo ()"


def test_copies_do_not_vouch_for_one_another():
    rows = [0, 1, 2, 3, 7, 7, 8, 9, 10]
    names = ["Ada"] * 6 + ["Bo"] * 3
    gallery = Gallery.build(PEOPLE.vectors[rows], names, image_sha256=["0", "1", "2", "3", "7", "7", "8", "9", "10"])
    found = suspicious_labels(Matcher(gallery), n_listed=2)
    assert {label.row for label in found} == {4, 5}
    assert all(label.suspicion > 0.5 for label in found)


def test_it_takes_two_people():
    assert suspicious_labels(Matcher(Gallery.build(np.eye(2), ["Ada", "Ada"]))) == []
    only = suspicious_labels(Matcher(Gallery.build(np.eye(2), ["Ada", "Bo"])))
    assert [label.suspicion for label in only] == [0.0, 0.0]
