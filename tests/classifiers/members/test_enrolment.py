"""The quality gate: what is refused and why, and what is enrolled."""

import numpy as np
import pytest

from classifiers.heads.open_set import build_head
from classifiers.heads.registry import make_head
from classifiers.members.editing import enrol_faces
from classifiers.members.enrolment import enrol, least_agreement, quality_reasons
from classifiers.members.face_samples import PhotoFaces
from classifiers.scores.gallery import Gallery
from classifiers.scores.matcher import Matcher
from classifiers.scores.thresholds import ThresholdCurve, threshold_from_curve
from tests.classifiers.people import make_people
from tests.classifiers.samples import make_photo, make_sample, nose_moved, turned_by

PEOPLE = make_people(6, 4)
CURVE = ThresholdCurve((1, 1000), (0.5, 0.7), "cosine", "made-up people")


def head_of(n_people=5, n_photos=3):
    rows = [row for row in range(n_people * 4) if row % 4 < n_photos]
    gallery = Gallery.build(PEOPLE.vectors[rows], PEOPLE.identities[rows])
    return build_head(Matcher(gallery), make_head("gallery"), threshold=threshold_from_curve(CURVE, len(gallery)))


def photo(row, **changes):
    return make_photo(PEOPLE.vectors[row], f"photo {row}", **changes)


def test_good_photos_of_a_new_and_of_a_known_person_are_enrolled():
    new = enrol(head_of(), [photo(20), photo(21)], "Zoe")
    assert ([face.path for face in new.enrolled], new.refused, new.known) == (["photo 20.jpg", "photo 21.jpg"], (), ())
    assert new.head.gallery.photos_per_identity["Zoe"] == 2
    assert new.head.identify(PEOPLE.vectors[22:23])[0].tolist() == ["Zoe"]
    more = enrol(head_of(), [photo(3)], "person 000")
    assert more.head.gallery.photos_per_identity["person 000"] == 4


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"box": np.array([0, 0, 30, 30], np.float32)}, "the face is too small: 30 pixels, expected at least 40"),
        ({"sharpness": 3.0}, "the face is blurred: sharpness 3, expected at least"),
        ({"landmarks": turned_by(0.5)}, "the face is turned to the side: the nose is 0.50 eye distances off"),
        ({"landmarks": turned_by(-0.5)}, "the face is turned to the side: the nose is 0.50 eye distances off"),
        ({"landmarks": nose_moved(0, -20)}, "the face looks up"),
        ({"landmarks": nose_moved(0, 18)}, "the face looks down"),
        ({"landmarks": np.zeros((5, 2))}, "the face is turned"),
    ],
)
def test_bad_photos_are_refused_and_enrolled_by_force(changes, reason):
    head = head_of()
    gated = enrol(head, [photo(20, **changes), photo(21)], "Zoe")
    assert [face.path for face in gated.enrolled] == ["photo 21.jpg"]
    assert str(gated.refused[0]).startswith(f"photo 20.jpg: {reason}")
    assert len(enrol(head, [photo(20, **changes)], "Zoe", force=True).enrolled) == 1


def test_all_reasons_are_given():
    _, faces = photo(20, sharpness=1.0, box=np.zeros(4, np.float32), landmarks=turned_by(1.0))
    assert len(quality_reasons(faces)) == 3
    assert quality_reasons(photo(20)[1]) == ()


def test_a_photo_without_a_face_is_refused_even_by_force():
    result = enrol(head_of(), [("empty.jpg", PhotoFaces([], 0))], "Zoe", force=True)
    assert [str(refusal) for refusal in result.refused] == ["empty.jpg: no face was found"]
    assert result.enrolled == ()
    assert "Zoe" not in result.head.labels
    assert enrol(head_of(), [], "Zoe").enrolled == ()


def test_it_must_be_clear_whose_photo_it_is():
    main, other = make_sample(PEOPLE.vectors[20]), make_sample(PEOPLE.vectors[0])
    small = make_sample(PEOPLE.vectors[0], box=np.array([0, 0, 50, 50], np.float32))
    reasons = quality_reasons(PhotoFaces([other, main], 1))
    assert len(reasons) == 1
    assert reasons[0].startswith("it is not clear whose photo this is: another face is 100 pixels large")
    assert quality_reasons(PhotoFaces([small, main], 1)) == ()


def test_somebody_elses_photo_is_refused():
    result = enrol(head_of(), [photo(7)], "person 000")
    reasons = result.refused[0].reasons
    assert reasons[0].startswith("it is taken for 'person 001', who is enrolled (score 0.89)")
    assert reasons[1].startswith("it is unlike the person's other photos: score ")
    assert "expected at least 0.50 (strangers reach that in 1% of cases)" in reasons[1]
    assert enrol(head_of(), [photo(7)], "Zoe").refused[0].reasons == reasons[:1]
    assert enrol(head_of(), [photo(7)], "Zoe", force=True).refused == ()


def test_a_stranger_among_a_new_persons_photos_is_refused():
    stranger = make_people(1, 1, seed=5).vectors[0]
    result = enrol(head_of(), [photo(20), make_photo(stranger, "other"), photo(21)], "Zoe")
    assert [face.path for face in result.enrolled] == ["photo 20.jpg", "photo 21.jpg"]
    assert [refusal.path for refusal in result.refused] == ["other.jpg"]


def test_a_photo_counts_once():
    first = enrol(head_of(), [photo(20), photo(20)], "Zoe")
    assert (len(first.enrolled), first.known) == (1, ("photo 20.jpg",))
    again = enrol(first.head, [photo(20)], "Zoe", force=True)
    assert (again.enrolled, again.known, again.head) == ((), ("photo 20.jpg",), first.head)


def test_a_face_that_was_rejected_as_the_person_is_refused():
    face = make_sample(PEOPLE.vectors[3], "photo 3")
    rejections = Gallery.build([face.vector], ["person 000"], image_sha256=[face.image_sha256])
    head = head_of().replaced(rejections=rejections)
    result = enrol(head, [photo(3)], "person 000")
    assert result.refused[0].reasons[0] == "it was rejected as 'person 000' before"
    assert not len(enrol(head, [photo(3)], "person 000", force=True).head.rejections)


def test_agreement_is_asked_of_one_pair_or_by_the_threshold():
    assert least_agreement(head_of()) == 0.5
    given = build_head(head_of().matcher, make_head("gallery"), threshold=0.62)
    assert least_agreement(given) == 0.62
    low = enrol_faces(given, [make_sample(PEOPLE.vectors[20])], "Zoe").replaced(threshold=0.2)
    assert least_agreement(low) == 0.2


@pytest.mark.parametrize(
    ("changes", "shown"),
    [
        ({"sharpness": 59.7}, "sharpness 59.7, expected at least 60.0"),
        ({"sharpness": 59.996}, "sharpness 59.996, expected at least 60.000"),
        ({"box": np.array([0, 0, 39.8, 39.8], np.float32)}, "39.8 pixels, expected at least 40.0"),
        ({"landmarks": turned_by(0.4502)}, "0.4502 eye distances off the middle, expected at most 0.4500"),
    ],
)
def test_a_refusal_shows_numbers_that_differ(changes, shown):
    (_, photo) = make_photo([1.0, 0.0], **changes)
    assert shown in quality_reasons(photo)[0]


def looks(*vectors):
    """Return faces of one clip."""
    return [
        make_photo(vector, f"clip {second}", image_sha256="c" * 64, path=f"c.mp4#t={second}")
        for second, vector in enumerate(vectors)
    ]


def test_looks_of_a_clip_are_enrolled_together():
    result = enrol(head_of(), looks(*PEOPLE.vectors[20:23]), "Zoe")
    assert [face.path for face in result.enrolled] == ["c.mp4#t=0", "c.mp4#t=1", "c.mp4#t=2"]
    again = enrol(result.head, looks(*PEOPLE.vectors[20:23]), "Zoe")
    assert (len(again.enrolled), len(again.known)) == (0, 3)


def test_looks_of_a_clip_do_not_vouch_for_each_other():
    result = enrol(head_of(), looks(*PEOPLE.vectors[20:23]), "person 000")
    assert not result.enrolled
    assert all("unlike the person's other photos" in str(refusal) for refusal in result.refused)


def test_a_clip_is_of_somebody_else_if_half_of_its_looks_are():
    most = looks(PEOPLE.vectors[0], PEOPLE.vectors[1], PEOPLE.vectors[20])
    assert [str(one).split(" (")[0] for one in enrol(head_of(), most, "Zoe").refused] == [
        f"{name}: it is taken for 'person 000', who is enrolled" for name, _ in most
    ]
    assert len(enrol(head_of(), looks(PEOPLE.vectors[0], *PEOPLE.vectors[20:22]), "Zoe").enrolled) == 3
