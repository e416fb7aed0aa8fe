"""Faces under two names, and people who look like one."""

import numpy as np
import pytest

from classifiers import train_head
from classifiers.errors import IdentityError
from classifiers.members.editing import enrol_faces
from classifiers.scores.gallery import FROM_TABLE, Gallery
from classifiers.scores.matcher import Matcher
from classifiers.training import two_names
from classifiers.training.two_names import leave_out_two_names, same_person_questions, two_name_pairs
from tests.classifiers.people import make_people
from tests.classifiers.samples import make_sample
from tests.classifiers.training.test_train import PEOPLE, table

# Row 15 is the file of row 3 in another person's folder, row 16 nearly the face of row 6, row 17 another photo.
COPIES = np.vstack([PEOPLE.vectors[3], 0.99 * PEOPLE.vectors[6] + 0.01, make_people(1, 1, seed=4).vectors[0]])
VECTORS = np.vstack([PEOPLE.vectors, COPIES / np.linalg.norm(COPIES, axis=1, keepdims=True)]).astype(np.float32)
NAMES = np.array([*PEOPLE.identities, "person 000", "Zoe", "Zoe"], dtype=object)
HASHES = np.array([f"{row:064x}" for row in (*range(15), 3, 16, 17)])
PATHS = np.array([*(f"{row}.jpg" for row in range(15)), "copy of 3.jpg", "6 once more.jpg", "17.jpg"])
BOXES = np.tile(np.float32([0, 0, 9, 9]), (18, 1))


def gallery(names=NAMES, origin=FROM_TABLE):
    return Gallery.build(VECTORS, names, paths=PATHS, image_sha256=HASHES, boxes=BOXES, origin=origin)


def shown(**changes):
    columns = {"embeddings": VECTORS, "identities": NAMES, "paths": PATHS, "image_sha256": HASHES, "boxes": BOXES}
    return table(**columns | changes)


def test_a_file_and_a_copy_under_two_names_are_found():
    assert two_name_pairs(gallery()).tolist() == [[3, 15], [6, 16]]
    alone = gallery().selected(np.arange(18) == 3)
    assert two_name_pairs(alone).shape == (0, 2)
    assert two_name_pairs(alone.selected([False])).shape == (0, 2)


def test_two_people_on_one_photo_are_no_fault():
    two = Gallery.build(np.eye(2), ["Ada", "Bo"], image_sha256=["x", "x"], boxes=[[0, 0, 9, 9], [20, 0, 29, 9]])
    assert two_name_pairs(two).tolist() == []


def test_large_galleries_are_compared_by_file(monkeypatch):
    monkeypatch.setattr(two_names, "_MOST_COMPARED", 17)
    assert two_name_pairs(gallery()).tolist() == [[3, 15]]


def test_a_network_that_tells_nobody_apart_is_said_and_no_name_is_doubted(caplog):
    vectors = np.ones((6, 4), np.float32) / 2
    alike = Gallery.build(vectors, ["Ada", "Bob", "Cleo", "Ada", "Bob", "Cleo"], origin=FROM_TABLE)
    assert len(leave_out_two_names(alike)) == 6
    assert "this network tells nobody apart" in caplog.text


def test_training_leaves_such_faces_out_of_both_and_says_which(caplog):
    head = train_head(shown(), threshold=0.9)
    assert head.gallery.photos_per_identity == {
        "Zoe": 1,
        "person 000": 3,
        "person 001": 2,
        "person 002": 2,
        "person 003": 3,
        "person 004": 3,
    }
    assert [record.message for record in caplog.records] == [
        "left out of both people: 2 faces with two names: 3.jpg (person 001) and copy of 3.jpg (person 000); "
        "6.jpg (person 002) and 6 once more.jpg (Zoe)"
    ]
    with pytest.raises(IdentityError, match=r"^expected one name a face, found 2 faces with two names: 3\.jpg"):
        train_head(shown(), threshold=0.9, strict=True)
    assert len(train_head(table(), threshold=0.9, strict=True).gallery) == 15


def test_who_has_no_other_photo_is_named(caplog):
    names = np.where(np.arange(18) == 17, "person 004", NAMES)
    assert "Zoe" not in leave_out_two_names(gallery(names)).labels
    assert caplog.records[0].message.endswith("; Zoe: no other photo, not enrolled")
    with pytest.raises(IdentityError, match="nobody is left to enrol: 1 face with two names"):
        leave_out_two_names(gallery().selected(np.isin(np.arange(18), [3, 15])))


def test_what_was_enrolled_stays():
    sample = make_sample(VECTORS[16], "6 once more")
    before = enrol_faces(train_head(table(), threshold=0.9), [sample], "Zoe")
    photos = train_head(table(), threshold=0.9, previous=before).gallery.photos_per_identity
    assert (photos["Zoe"], photos["person 002"]) == (1, 2)


def test_one_person_under_two_names_is_asked_about(caplog):
    halves = np.where(np.arange(15) == 4, "person 001 once more", PEOPLE.identities)
    head = train_head(table(identities=halves), threshold=0.5)
    assert len(head.labels) == 6
    question = "person 001 and person 001 once more look like one person: two people? Otherwise give them one name"
    assert [record.message for record in caplog.records] == [question]
    assert same_person_questions(Matcher(Gallery.build(*PEOPLE)), 0.5) == []


def test_one_wrong_photo_of_three_is_no_question():
    vectors = np.float32([[1, 0, 0], [0.9, 0.1, 0], [0.1, 0.9, 0], [0, 1, 0], [0, 0.9, 0.1], [0, 0.95, 0]])
    people = Gallery.build(vectors, ["Ada"] * 3 + ["Bo"] * 3)
    assert same_person_questions(Matcher(people), 0.9) == []


def test_many_questions_are_cut_and_very_many_people_not_asked_about(monkeypatch, caplog):
    people = Gallery.build(np.ones((7, 3)), list("abcdefg"))
    lines = same_person_questions(Matcher(people), 0.9)
    assert (len(lines), lines[-1]) == (11, "11 more pairs of people look like one person")
    monkeypatch.setattr(two_names, "_MOST_COMPARED", 6)
    with caplog.at_level("INFO"):
        assert same_person_questions(Matcher(people), 0.9) == []
    assert "audit --labels TABLE" in caplog.records[0].message
