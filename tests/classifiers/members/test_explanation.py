"""What an explanation says: neighbours, margin, and the photo that decides."""

import json

import numpy as np
import pytest

from classifiers.heads.open_set import build_head
from classifiers.heads.registry import HEADS, make_head
from classifiers.members.explanation import explain_face
from classifiers.scores.gallery import UNKNOWN, Gallery
from classifiers.scores.matcher import Matcher
from classifiers.scores.person_means import NEAREST, NEAREST_OR_MEAN
from tests.classifiers.people import make_background, make_people

VECTORS = np.array([[1, 0, 0], [0.8, 0.6, 0], [0, 1, 0], [0, 0, 1]])
NAMES = ["Ada", "Ada", "Bo", "Cy"]


def head_of(kind="gallery", threshold=0.5, vectors=VECTORS, names=NAMES, person_score=NEAREST):
    gallery = Gallery.build(vectors, names, paths=[f"{row}.jpg" for row in range(len(names))])
    return build_head(Matcher(gallery, person_score=person_score), make_head(kind), threshold=threshold)


def test_a_named_face():
    found = explain_face(head_of(), np.array([0.96, 0.28, 0]), n_neighbors=3)
    assert (found.identity, found.choice, found.next_identity) == ("Ada", "Ada", "Bo")
    assert [(one.row, one.path) for one in found.neighbors] == [(0, "0.jpg"), (1, "1.jpg"), (2, "2.jpg")]
    np.testing.assert_allclose([one.score for one in found.neighbors], [0.96, 0.936, 0.28], atol=1e-6)
    assert found.margin == pytest.approx(0.68)
    assert (found.decisive, found.n_tried, found.ruled_out) == ((), 1, ())
    assert found.to_lines() == [
        "Ada: score 0.960, at least the threshold 0.500",
        "  nearest photos:",
        "     0.960  Ada  0.jpg",
        "     0.936  Ada  1.jpg",
        "     0.280  Bo  2.jpg",
        "  next person: Bo, margin 0.680",
        "  no single enrolled photo, left out, changes the answer",
    ]


def test_the_photo_that_decides():
    found = explain_face(head_of(), np.array([0.6, 0.8, 0]))
    assert [(one.path, one.identity, one.answer) for one in found.decisive] == [("1.jpg", "Ada", "Bo")]
    alone = explain_face(head_of(), np.array([0.1, 0, 1]))
    assert [(one.path, one.answer) for one in alone.decisive] == [("3.jpg", UNKNOWN)]
    assert alone.to_lines()[-1] == "  decided by 3.jpg (Cy): without it, unknown"


def test_a_mean_that_is_nearer_than_each_of_its_photos():
    found = explain_face(
        head_of(person_score=NEAREST_OR_MEAN, threshold=0.99), np.array([0.95, 0.31, 0]), n_neighbors=1
    )
    assert (found.identity, found.n_in_mean, found.n_tried) == ("Ada", 2, 4)
    assert found.score == pytest.approx(0.9993, abs=1e-3)
    assert found.to_lines()[:4] == [
        f"Ada: score {found.score:.3f}, at least the threshold 0.990",
        "  nearest photos:",
        "     0.951  Ada  0.jpg",
        f"  more like the mean of Ada's 2 photos: {found.score:.3f}",
    ]
    # Either photo carries the mean: without it, the other one is not near enough.
    assert [(one.path, one.answer) for one in found.decisive] == [("0.jpg", UNKNOWN), ("1.jpg", UNKNOWN)]
    by_photo = explain_face(head_of(person_score=NEAREST_OR_MEAN), np.array([1.0, 0, 0]))
    assert (by_photo.score, by_photo.n_in_mean) == (1.0, 0)


def test_an_unknown_face():
    found = explain_face(head_of(threshold=0.9), np.array([1, 1, 1]))
    assert (found.identity, found.choice, found.decisive) == (UNKNOWN, "Ada", ())
    assert found.to_lines()[0] == "unknown, most like Ada: score 0.808, below the threshold 0.900"


def test_one_person_with_one_photo():
    found = explain_face(head_of(vectors=VECTORS[:1], names=["Ada"]), VECTORS[0])
    assert (found.next_identity, found.margin) == (None, None)
    assert [one.answer for one in found.decisive] == [UNKNOWN]
    assert "  nobody else is enrolled" in found.to_lines()


@pytest.mark.parametrize("kind", HEADS)
@pytest.mark.parametrize("background", [None, make_background()])
def test_every_head_is_explained_as_it_answers(kind, background):
    people = make_people(4, 2, spread=1.5)
    gallery = Gallery.build(people.vectors, people.identities)
    head = build_head(Matcher(gallery, background), make_head(kind), threshold=0.3)
    for probe in make_people(4, 5, spread=2.5).vectors:
        found = explain_face(head, probe)
        assert found.identity == head.identify(probe[None])[0][0]
        for one in found.decisive:
            rest = np.arange(len(gallery)) != one.row
            trained = build_head(Matcher(gallery.selected(rest), background), make_head(kind), threshold=0.3)
            assert trained.identify(probe[None])[0][0] == one.answer != found.identity


def test_votes_are_decided_by_their_voters():
    vectors = [[0.8, -0.3, 0], [0.9, 0.1, 0], [0.9, 0, 0.1]]
    head = build_head(
        Matcher(Gallery.build(vectors, ["Ada", "Bo", "Bo"])), make_head("knn", {"n_neighbors": 3}), threshold=0.1
    )
    found = explain_face(head, np.array([0.9, 0.05, 0.05]))
    assert (found.identity, found.n_tried) == ("Bo", 3)
    assert found.decisive == ()
    assert {one.row for one in found.decisive} == {
        row
        for row in range(3)
        if build_head(
            Matcher(head.gallery.selected(np.arange(3) != row)), make_head("knn", {"n_neighbors": 3}), threshold=0.1
        ).identify([[0.9, 0.05, 0.05]])[0][0]
        != "Bo"
    }


@pytest.mark.parametrize(("names", "answer"), [(["Ada"], "Bo"), (["Ada", "Bo", "Cy"], UNKNOWN)])
def test_what_a_rejection_rules_out(names, answer):
    probe = np.array([0.96, 0.28, 0])
    head = head_of(threshold=0.2).replaced(rejections=Gallery.build([probe] * len(names), names))
    found = explain_face(head, probe)
    assert (found.identity, found.ruled_out) == (answer, ("Ada",))
    assert "  not Ada: it is more like a face rejected as Ada" in found.to_lines()


def test_the_record_is_json():
    record = explain_face(head_of(), VECTORS[0]).to_json()
    assert json.loads(json.dumps(record, allow_nan=False))["neighbors"][0]["box"] is None
    boxed = head_of()
    boxed.gallery.boxes[:] = 1.0
    assert explain_face(boxed, VECTORS[0]).to_json()["neighbors"][0]["box"] == [1.0] * 4


def test_bad_input():
    with pytest.raises(ValueError, match="`n_neighbors` must be at least 1, got 0"):
        explain_face(head_of(), VECTORS[0], n_neighbors=0)
    with pytest.raises(ValueError, match="must be finite"):
        explain_face(head_of(), VECTORS[0] * np.nan)
