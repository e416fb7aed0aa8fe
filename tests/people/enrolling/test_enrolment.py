"""Pictures that somebody is enrolled with: kept without metadata, named by one decision, and gone where that fails."""

import io

import numpy as np
import pytest
from PIL import Image

from classifiers.members.face_samples import PhotoFaces
from people.enrolling.enrolment import Candidate, enrol_pictures
from people.enrolling.pictures import EnrolledPicture, keep_picture
from people.errors import PersonError
from people.store.store import PeopleStore
from people.workspace.workspace import Workspace, create_workspace
from tests.classifiers.samples import make_sample


@pytest.fixture
def workspace(tmp_path):
    (tmp_path / "photos").mkdir()
    return create_workspace(tmp_path / "family", [tmp_path / "photos"])


@pytest.fixture
def store(workspace):
    with PeopleStore(workspace.store, create=True) as made:
        yield made


def candidate(grey, **changes):
    picture = EnrolledPicture.of(np.full((120, 120, 3), grey, np.uint8))
    sample = make_sample(np.eye(4)[0], image_sha256=picture.sha256, **changes)
    return Candidate(picture, PhotoFaces([sample], 0))


def states(report):
    return [(one.state, [flaw.kind for flaw in one.flaws]) for one in report.outcomes]


def test_a_picture_is_its_pixels_alone_and_read_as_it_will_be(workspace):
    noise = np.random.default_rng(0).integers(0, 255, (40, 60, 3), dtype=np.uint8)
    picture = EnrolledPicture.of(noise)
    assert keep_picture(workspace, picture) and not keep_picture(workspace, picture)
    (place,) = workspace.enrolled.iterdir()
    with Image.open(io.BytesIO(place.read_bytes())) as again:
        np.testing.assert_array_equal(np.asarray(again), picture.pixels)
        assert not again.getexif() and set(again.info) <= {"jfif", "jfif_version", "jfif_unit", "jfif_density"}
    assert place.stat().st_mode & 0o077 == workspace.enrolled.stat().st_mode & 0o077 == 0


def test_good_pictures_are_kept_and_named_by_one_decision(workspace, store):
    assert workspace.photo_folders == workspace.settings.photos
    batch = [candidate(10), candidate(60), candidate(10), candidate(90, sharpness=5.0), candidate(99)]
    batch[4] = Candidate(batch[4].picture, PhotoFaces([], 0))
    report = enrol_pictures(workspace, store, batch, " Eve ", head=None)
    assert states(report) == [
        ("enrolled", []),
        ("enrolled", []),
        ("known", []),
        ("refused", ["blurred"]),
        ("refused", ["no_face"]),
    ]
    assert (report.decision.kind, report.decision.n_faces, len(store.made)) == ("is", 2, 1)
    assert {path.name for path in workspace.enrolled.iterdir()} == {one.picture.name for one in batch[:2]}
    assert Workspace(workspace.folder).photo_folders[-1] == str(workspace.enrolled.resolve())
    again = enrol_pictures(workspace, store, batch[:1], "Eve", head=None)
    assert (states(again), again.decision) == ([("known", [])], None)
    store.undo()
    assert states(enrol_pictures(workspace, store, batch[:1], "Eve", head=None)) == [("enrolled", [])]


def test_force_takes_all_but_pictures_without_a_face(workspace, store):
    nothing = candidate(99)
    nothing = Candidate(nothing.picture, PhotoFaces([], 0))
    report = enrol_pictures(workspace, store, [candidate(90, sharpness=5.0), nothing], "Eve", head=None, force=True)
    assert states(report) == [("enrolled", []), ("refused", ["no_face"])]


def test_where_nobody_can_be_called_so_or_the_decision_fails_no_picture_stays(workspace, store):
    with pytest.raises(PersonError):
        enrol_pictures(workspace, store, [candidate(10)], "unknown", head=None)
    assert not workspace.enrolled.exists()

    def refuse():
        raise PersonError("no")

    with store.provided(refuse), pytest.raises(PersonError):
        enrol_pictures(workspace, store, [candidate(10)], "Eve", head=None)
    assert list(workspace.enrolled.iterdir()) == []
