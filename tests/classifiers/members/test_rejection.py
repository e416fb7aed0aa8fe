"""Heads of every kind honour what was said about a face."""

import numpy as np
import pytest
from sklearn.naive_bayes import GaussianNB

from classifiers.errors import IdentityError
from classifiers.files.head_file import load_head, save_head
from classifiers.heads.open_set import build_head
from classifiers.heads.registry import HEADS, make_head
from classifiers.members.editing import gallery_of
from classifiers.members.rejection import face_to_reject, reject
from classifiers.scores.gallery import Gallery
from classifiers.scores.matcher import Matcher
from tests.classifiers.people import make_background, make_people
from tests.classifiers.samples import make_sample

PEOPLE = make_people(4, 3)
# Two faces of a stranger who looks like person 001, and another of that person.
CENTRE = PEOPLE.vectors[3:6].mean(axis=0)
AWAY = np.linalg.qr(np.stack([CENTRE, make_people(1, 1, seed=3).vectors[0]]).T)[0][:, 1]
STRANGER = np.stack([CENTRE + 0.6 * AWAY, CENTRE + 0.65 * AWAY]).astype(np.float32)
STRANGER /= np.linalg.norm(STRANGER, axis=1, keepdims=True)


def trained(kind="gallery", background=None):
    gallery = Gallery.build(PEOPLE.vectors, PEOPLE.identities, image_sha256=[f"{row:064x}" for row in range(12)])
    estimator = make_head(kind) if isinstance(kind, str) else kind
    return build_head(Matcher(gallery, background), estimator, threshold=0.5)


@pytest.mark.parametrize("kind", [*HEADS, GaussianNB()])
@pytest.mark.parametrize("background", [None, make_background()])
def test_a_rejected_face_never_has_the_name_again(tmp_path, kind, background):
    head = trained(kind, background)
    assert head.identify(STRANGER)[0].tolist() == ["person 001"] * 2
    result = reject(head, make_sample(STRANGER[0], "stranger"), "person 001")
    assert (result.n_removed, result.is_new) == (0, True)
    save_head(result.head, tmp_path / "h.skops")
    for honouring in (result.head, load_head(tmp_path / "h.skops")):
        assert honouring.identify(STRANGER)[0].tolist() == ["unknown"] * 2
        assert honouring.identify(PEOPLE.vectors)[0].tolist() == PEOPLE.identities.tolist()
        assert honouring.rejections.paths.tolist() == ["stranger.jpg"]


def test_saying_it_twice_changes_nothing():
    once = reject(trained(), make_sample(STRANGER[0], "stranger"), "person 001").head
    twice = reject(once, make_sample(STRANGER[0], "stranger"), "person 001")
    assert (twice.is_new, len(twice.head.rejections)) == (False, 1)
    other = reject(once, make_sample(STRANGER[0], "stranger"), "person 002")
    assert other.head.rejections.identities.tolist() == ["person 001", "person 002"]


def test_a_wrongly_enrolled_face_is_taken_out():
    head = trained()
    wrong = make_sample(PEOPLE.vectors[3], image_sha256=f"{3:064x}")
    result = reject(head, wrong, "person 001")
    assert (result.n_removed, result.is_new) == (1, True)
    assert result.head.gallery.photos_per_identity["person 001"] == 2
    assert result.head.identify(PEOPLE.vectors[3:4])[0].tolist() != ["person 001"]


def test_the_only_photo_of_a_person_cannot_be_rejected():
    head = build_head(Matcher(gallery_of([make_sample(STRANGER[0])], "Ada")), make_head("gallery"), threshold=0.5)
    with pytest.raises(IdentityError, match=r"photo\.jpg: this face is the only one enrolled as 'Ada'"):
        reject(head, make_sample(STRANGER[0]), "Ada")
    with pytest.raises(IdentityError, match="'Zoe' is not enrolled"):
        reject(head, make_sample(STRANGER[1]), "Zoe")


def test_which_face_of_a_photo_is_meant():
    head = trained()
    ada, bo, stranger = (make_sample(vector) for vector in (PEOPLE.vectors[0], PEOPLE.vectors[4], STRANGER[0]))
    assert face_to_reject(head, [ada, stranger], "person 001") == 1
    assert face_to_reject(head, [ada], "person 001") == 0
    with pytest.raises(IdentityError, match=r"several faces are taken for 'person 001' \(numbers 1, 2\)"):
        face_to_reject(head, [ada, bo, stranger], "person 001")
    with pytest.raises(IdentityError, match="found no face"):
        face_to_reject(head, [], "person 001")
    with pytest.raises(IdentityError, match="'Zoe' is not enrolled"):
        face_to_reject(head, [ada], "Zoe")
