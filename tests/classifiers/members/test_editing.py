"""People join and leave a head of every kind, and the head stays what training on the same photos gives."""

import threading

import filelock
import numpy as np
import pytest
from sklearn.naive_bayes import GaussianNB

from classifiers.errors import HeadFileError, IdentityError
from classifiers.files.head_file import load_head, save_head
from classifiers.heads.open_set import build_head
from classifiers.heads.registry import HEADS, make_head
from classifiers.members.editing import (
    check_name,
    enrol_faces,
    enrolled_name,
    find_name,
    locked_for_editing,
    remove_person,
)
from classifiers.members.rejection import reject
from classifiers.members.renaming import merge_people, rename_person
from classifiers.scores.gallery import Gallery
from classifiers.scores.matcher import Matcher
from classifiers.scores.person_means import NEAREST_OR_MEAN
from classifiers.scores.thresholds import ThresholdCurve, threshold_from_curve
from tests.classifiers.people import FINGERPRINT, make_background, make_people
from tests.classifiers.samples import make_sample

PEOPLE = make_people(6, 3, spread=1.0)
PROBES = make_people(6, 40, spread=1.5).vectors
CURVE = ThresholdCurve((1, 1000), (0.3, 0.6), "cosine", "made-up people")


def trained(head="gallery", *, people=PEOPLE, rows=slice(None), background=None, threshold=None):
    gallery = Gallery.build(people.vectors[rows], people.identities[rows])
    matcher = Matcher(gallery, background, person_score=NEAREST_OR_MEAN)
    limit = threshold
    if limit is None:
        limit = threshold_from_curve(CURVE, len(gallery), n_compared=matcher.n_compared)
    estimator = make_head(head) if isinstance(head, str) else head
    return build_head(matcher, estimator, threshold=limit, fingerprint=FINGERPRINT)


def samples(rows):
    return [make_sample(PEOPLE.vectors[row], f"photo {row}") for row in rows]


@pytest.mark.parametrize("head", [*HEADS, GaussianNB()])
@pytest.mark.parametrize("background", [None, make_background()])
def test_enrolling_gives_the_head_that_training_gives(head, background):
    before = trained(head, rows=slice(15), background=background)
    after = enrol_faces(before, samples([15, 16, 17]), "person 005")
    expected = trained(head, background=background)
    np.testing.assert_array_equal(after.choose(PROBES), expected.choose(PROBES))
    np.testing.assert_allclose(after.match(PROBES).scores, expected.match(PROBES).scores, atol=1e-6)
    assert (after.threshold, after.labels) == (expected.threshold, expected.labels)
    assert before.labels == [f"person {number:03d}" for number in range(5)]


@pytest.mark.parametrize("head", [*HEADS, GaussianNB()])
@pytest.mark.parametrize("background", [None, make_background()])
def test_forgetting_gives_the_head_that_training_without_them_gives(tmp_path, head, background):
    save_head(trained(head, background=background), tmp_path / "h.skops")
    after = remove_person(load_head(tmp_path / "h.skops"), "person 002")
    expected = trained(head, rows=PEOPLE.identities != "person 002", background=background)
    np.testing.assert_array_equal(after.choose(PROBES), expected.choose(PROBES))
    assert (after.threshold, after.labels) == (expected.threshold, expected.labels)


@pytest.mark.parametrize("background", [None, make_background()])
def test_corrections_move_the_means(background):
    head = trained(background=background)
    with_wrong = enrol_faces(head, samples([0]), "person 001")
    assert (with_wrong.similarity(PROBES) != head.similarity(PROBES)).any()
    rejected = reject(with_wrong, samples([0])[0], "person 001").head
    merged = merge_people(rejected, "person 003", "person 002").head
    renamed = rename_person(merged, "person 000", "Ada")
    gallery = renamed.gallery
    assert gallery.photos_per_identity == {"Ada": 3, "person 001": 3, "person 002": 6, "person 004": 3, "person 005": 3}
    fresh = Matcher(gallery, background, person_score=NEAREST_OR_MEAN)
    np.testing.assert_array_equal(renamed.similarity(PROBES), fresh.similarity(fresh.prepare(PROBES)))
    assert renamed.threshold == CURVE.at(18 + 5 / 2)


def test_a_second_person_gets_an_estimator_chosen_head_going():
    alone = trained("svm", rows=slice(3))
    assert alone.decision_rule.kind == "nearest"
    both = enrol_faces(alone, samples([3, 4, 5]), "person 001")
    assert both.decision_rule.kind == "linear"
    assert both.choose(PEOPLE.vectors[:6]).tolist() == PEOPLE.identities[:6].tolist()


def test_a_gallery_is_not_fitted_again():
    head = trained().replaced(estimator=b"cannot be loaded")
    assert "Zoe" in enrol_faces(head, samples([0]), "Zoe").labels
    assert "person 000" not in remove_person(head, "person 000").labels


def test_a_given_threshold_stays():
    assert enrol_faces(trained(threshold=0.55), samples([0]), "Zoe").threshold == 0.55


def test_exemplars_say_where_they_come_from():
    gallery = enrol_faces(trained(), samples([1]), " Zoe ").gallery
    assert (gallery.identities[-1], gallery.paths[-1]) == ("Zoe", "photo 1.jpg")
    assert gallery.boxes[-1].tolist() == [10, 10, 110, 110]


def test_a_name_that_is_written_with_other_code_points_is_the_same_person():
    head = enrol_faces(trained(), samples([0]), "Jose\u0301")
    assert enrol_faces(head, samples([1]), "Jos\u00e9").labels == head.labels
    assert enrolled_name(head, "Jose\u0301") == enrolled_name(head, "Jos\u00e9") == "Jos\u00e9"
    # Heads of before may hold the decomposed form.
    assert find_name(["Ada", "Jose\u0301"], "Jos\u00e9") == "Jose\u0301"
    assert find_name(["Ada"], "ada") is None


@pytest.mark.parametrize("name", ["", "  ", "unknown", " unknown ", "a\nb"])
def test_names_nobody_can_have(name):
    with pytest.raises(IdentityError, match="`name`"):
        check_name(name)
    with pytest.raises(IdentityError, match="`name`"):
        enrol_faces(trained(), samples([0]), name)


@pytest.mark.parametrize("name", ["-", " ?! ", "🙂", "\u0301"])
def test_names_without_letter_or_digit_are_not_enrolled_but_can_be_forgotten(name):
    with pytest.raises(IdentityError, match="`name` must hold a letter or a digit"):
        enrol_faces(trained(), samples([0]), name)
    assert check_name(name) == name.strip()


def test_nothing_to_enrol_is_refused():
    with pytest.raises(ValueError, match="`faces` must hold at least one"):
        enrol_faces(trained(), [], "Zoe")
    with pytest.raises(ValueError, match="must hold vectors of length 32, got 5"):
        enrol_faces(trained(), [make_sample(np.eye(5)[0])], "Zoe")


def test_strangers_and_the_last_person_cannot_be_forgotten():
    with pytest.raises(IdentityError, match="'Zoe' is not enrolled; enrolled are person 000, "):
        remove_person(trained(), "Zoe")
    with pytest.raises(IdentityError, match="'person 000' is the only person enrolled"):
        remove_person(trained(rows=slice(3)), "person 000")


def test_forgetting_takes_rejections_along():
    face, other = samples([0, 9])
    head = enrol_faces(trained(), [face], "Zoe")
    rejections = Gallery.build(
        [PEOPLE.vectors[4], face.vector, other.vector, face.vector],
        ["Zoe", "person 001", "person 001", "person 001"],
        image_sha256=["", face.image_sha256, other.image_sha256, other.image_sha256],
    )
    left = remove_person(head.replaced(rejections=rejections), "Zoe").rejections
    # Gone: what Zoe is not, and Zoe's enrolled face as one that is not person 001.
    assert left.image_sha256.tolist() == [other.image_sha256, other.image_sha256]


def test_enrolling_a_rejected_face_takes_the_rejection_back():
    face = samples([0])[0]
    rejections = Gallery.build(
        [face.vector, face.vector], ["person 000", "person 001"], image_sha256=[face.image_sha256] * 2
    )
    after = enrol_faces(trained().replaced(rejections=rejections), [face], "person 000")
    assert after.rejections.identities.tolist() == ["person 001"]


def test_a_head_is_changed_by_one_at_a_time(tmp_path):
    path = tmp_path / "h.skops"
    save_head(trained(), path)
    with locked_for_editing(path):
        assert sorted(file.name for file in tmp_path.iterdir()) == [".h.skops.lock", "h.skops"]
    assert [file.name for file in tmp_path.iterdir()] == ["h.skops"]
    busy = pytest.raises(HeadFileError, match=r"h\.skops: expected to be the only one")
    with filelock.FileLock(tmp_path / ".h.skops.lock"), busy, locked_for_editing(path, seconds=0):
        pass


def test_whoever_waits_gets_the_head(tmp_path):
    path = tmp_path / "h.skops"
    save_head(trained(), path)
    order = []

    def change():
        with locked_for_editing(path, seconds=30):
            order.append("second")

    other = threading.Thread(target=change)
    with locked_for_editing(path):
        other.start()
        other.join(0.2)
        order.append("first")
    other.join(30)
    assert order == ["first", "second"]


def test_there_must_be_a_head_to_change(tmp_path):
    with pytest.raises(FileNotFoundError), locked_for_editing(tmp_path / "missing.skops"):
        pass
    assert list(tmp_path.iterdir()) == []


def test_a_folder_without_room_for_the_lock_names_the_head(tmp_path):
    path = tmp_path / "h.skops"
    path.touch()
    (tmp_path / ".h.skops.lock").mkdir()
    refused = pytest.raises(OSError, match="expected to change it, the lock beside it cannot be made")
    with refused as raised, locked_for_editing(path):
        pass
    assert raised.value.filename == str(path)


def test_a_head_and_a_link_to_it_share_their_lock(tmp_path):
    (tmp_path / "h.skops").touch()
    (tmp_path / "link.skops").symlink_to("h.skops")
    busy = pytest.raises(HeadFileError, match="expected to be the only one changing it")
    with locked_for_editing(tmp_path / "h.skops"), busy, locked_for_editing(tmp_path / "link.skops", seconds=0):
        pass
