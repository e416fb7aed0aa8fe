"""What was said to a head outlives training again."""

import numpy as np
import pytest

from classifiers import train_head
from classifiers.errors import IdentityError
from classifiers.files.head_file import load_head, save_head
from classifiers.members.editing import enrol_faces
from classifiers.members.rejection import reject
from classifiers.scores.gallery import Gallery
from foundation.errors import SpaceMismatchError
from tests.classifiers.people import FINGERPRINT, make_people
from tests.classifiers.samples import make_sample
from tests.classifiers.training.test_train import PEOPLE, table

ZOE = make_people(1, 3, seed=5).vectors


def trained(**options):
    return train_head(table(), threshold=0.5, **options)


def of_table(row, **changes):
    """Return a face of the table as enrolling or rejecting its photo finds it: with a slightly other box."""
    settings = {"image_sha256": f"{row:064x}", "box": np.float32([0, 0, 9, 8])}
    return make_sample(PEOPLE.vectors[row], f"{row}", **settings | changes)


def test_enrolled_photos_and_rejections_are_kept():
    before = enrol_faces(trained(), [make_sample(vector, f"zoe {row}") for row, vector in enumerate(ZOE)], "Zoe")
    before = reject(before, of_table(4), "person 001").head
    again = train_head(table(), threshold=0.5, previous=before)
    assert again.gallery.photos_per_identity == {
        "Zoe": 3,
        "person 000": 3,
        "person 001": 2,
        "person 002": 3,
        "person 003": 3,
        "person 004": 3,
    }
    assert again.gallery.paths[-3:].tolist() == ["zoe 0.jpg", "zoe 1.jpg", "zoe 2.jpg"]
    assert again.gallery.origins.tolist() == ["table"] * 14 + ["enrolled"] * 3
    assert again.rejections.identities.tolist() == ["person 001"]
    assert again.identify(PEOPLE.vectors[4:5])[0][0] != "person 001"
    third = train_head(table(), threshold=0.5, previous=again)
    assert (third.gallery.paths.tolist(), len(third.rejections)) == (again.gallery.paths.tolist(), 1)
    assert (len(trained().gallery), len(trained().rejections)) == (15, 0)


def test_what_is_not_in_the_table_any_more_is_kept():
    before = enrol_faces(trained(), [make_sample(ZOE[0], "zoe")], "person 001")
    before = reject(before, make_sample(ZOE[1], "stranger"), "person 001").head
    others = PEOPLE.identities != "person 001"
    rest = {
        name: getattr(table(), name)[others] for name in ("embeddings", "identities", "paths", "image_sha256", "boxes")
    }
    again = train_head(table(**rest), threshold=0.5, previous=before)
    assert again.gallery.photos_per_identity["person 001"] == 1
    assert again.rejections.identities.tolist() == ["person 001"]


def test_a_face_that_the_table_has_under_the_same_name_is_the_tables():
    shown = table(identities=np.where(np.arange(15) == 7, "", PEOPLE.identities))
    before = enrol_faces(train_head(shown, threshold=0.5), [of_table(7)], "person 002")
    assert train_head(shown, threshold=0.5, previous=before).gallery.origins.tolist() == ["table"] * 14 + ["enrolled"]
    again = train_head(table(), threshold=0.5, previous=before)
    assert (len(again.gallery), set(again.gallery.origins)) == (15, {"table"})


def test_what_was_said_stands_over_the_table_and_is_told(caplog):
    before = enrol_faces(trained(), [of_table(7)], "person 003")
    again = train_head(table(), threshold=0.5, previous=before)
    assert again.gallery.photos_per_identity["person 002"] == 2
    assert again.gallery.photos_per_identity["person 003"] == 4
    assert [record.message for record in caplog.records] == [
        "1 face of the table left out, they were enrolled under another name: 7.jpg (person 002)"
    ]


def test_paths_hold_for_the_table():
    faces = [
        make_sample(ZOE[0], "zoe/0"),
        make_sample(ZOE[1], "zoe/1", path="/other/1.jpg"),
        of_table(0, path="old.jpg"),
    ]
    before = enrol_faces(trained(), faces, "Zoe")
    moved = train_head(table(photo_root="/new/photos"), threshold=0.5, previous=before.replaced(photo_root="/photos"))
    assert moved.gallery.paths[-3:].tolist() == ["/photos/zoe/0.jpg", "/other/1.jpg", "0.jpg"]


def test_a_head_that_does_not_say_who_was_enrolled(tmp_path, caplog):
    vectors = np.vstack([PEOPLE.vectors[:2], ZOE])
    hashes = [f"{row:064x}" for row in (0, 1, 100, 101, 102)]
    paths = ["0.jpg", "1.jpg", "/elsewhere/zoe.jpg", "zoe/2.jpg", "zoe/3.jpg"]
    names = ["person 004", "person 000", "Zoe", "Zoe", "Zoe"]
    gallery = Gallery.build(vectors, names, paths=paths, image_sha256=hashes)
    old = trained().replaced(matcher=type(trained().matcher)(gallery), file="old.skops")
    same_folder = train_head(table(), threshold=0.5, previous=old)
    # The table has row 0 under another name today, and what may have been enrolled stays.
    assert same_folder.gallery.paths[-3:].tolist() == paths[2:]
    assert same_folder.gallery.identities[0] == "person 000"
    assert caplog.records == []
    other_folder = train_head(table(photo_root="/new"), threshold=0.5, previous=old)
    assert other_folder.gallery.paths[15:].tolist() == ["/elsewhere/zoe.jpg"]
    assert [record.message for record in caplog.records] == [
        "old.skops does not say which photos were enrolled: 2 photos of another folder, not in the table, are left out"
    ]


def test_vectors_of_another_space_cannot_be_carried_over(tmp_path):
    other = table(make_people(5, 3, length=8), fingerprint={**FINGERPRINT, "space": {"weights_sha256": "1" * 64}})
    save_head(enrol_faces(trained(), [make_sample(ZOE[0])], "Zoe"), tmp_path / "h.skops")
    with pytest.raises(SpaceMismatchError) as raised:
        train_head(other, threshold=0.5, previous=load_head(tmp_path / "h.skops"))
    assert str(raised.value).startswith(
        f"{tmp_path / 'h.skops'}: expected vectors of the table's space, to carry over 1 enrolled photo and 0 rejected "
    )
    assert str(raised.value).endswith("; give --fresh to drop them, or another -o to keep that head")
    assert "\n" not in str(raised.value)
    assert len(train_head(other, threshold=0.5, previous=trained()).gallery) == 15


def test_who_was_enrolled_is_not_left_out_by_other_settings(tmp_path):
    before = enrol_faces(trained(), [make_sample(ZOE[0])], "Zoe").replaced(file="h.skops")
    assert train_head(table(), threshold=0.5, min_photos=3, previous=before).labels == ["Zoe", *trained().labels]
    both = train_head(table(), threshold=0.5, identities=["Zoe", "person 003"], previous=before)
    assert both.labels == ["Zoe", "person 003"]
    with pytest.raises(IdentityError, match=r"^h\.skops: Zoe, enrolled there, would be left out; name them among"):
        train_head(table(), threshold=0.5, identities=["person 003"], previous=before)


def test_names_that_were_stored_in_another_form_are_one_person():
    before = enrol_faces(trained(), [make_sample(ZOE[0])], "Zo\u00eb")
    decomposed = np.array([name.replace("Zo\u00eb", "Zoe\u0308") for name in before.gallery.identities])
    object.__setattr__(before.gallery, "identities", decomposed)
    assert train_head(table(), threshold=0.5, previous=before).labels[0] == "Zo\u00eb"


def test_looks_of_a_clip_are_kept_with_their_moments():
    looks = [make_sample(vector, "clip", path=f"c.mp4#t={row}.5") for row, vector in enumerate(ZOE)]
    head = enrol_faces(trained(), looks, "Zoe")
    for _ in range(2):
        head = train_head(table(), threshold=0.5, previous=head)
        zoe = head.gallery.selected(head.gallery.identities == "Zoe")
        assert zoe.paths.tolist() == ["c.mp4#t=0.5", "c.mp4#t=1.5", "c.mp4#t=2.5"]
        assert set(zoe.origins) == {"enrolled"}
    moved = train_head(table(photo_root="/elsewhere"), threshold=0.5, previous=head.replaced(photo_root="/clips"))
    assert moved.gallery.paths[-1] == "/clips/c.mp4#t=2.5"
