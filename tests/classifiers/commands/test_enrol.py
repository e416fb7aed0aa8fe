"""The commands enrol and forget, on real photos and on bad input."""

import argparse
import json
import shutil

import numpy as np
import pytest

from classifiers import OpenSetClassifier
from classifiers.commands.main import main
from classifiers.commands.photo_arguments import open_reader, stored_path
from classifiers.files.head_file import load_head, save_head
from classifiers.members.editing import enrol_faces
from embedder.tables.table import EmbeddingTable
from tests.classifiers.people import FINGERPRINT, make_people
from tests.classifiers.samples import make_sample


@pytest.fixture
def head(tmp_path):
    people = make_people(2, 2)
    path = tmp_path / "h.skops"
    save_head(
        OpenSetClassifier(threshold=0.6).fit(people.vectors, people.identities, fingerprint=FINGERPRINT).head_, path
    )
    return path


@pytest.mark.realdata
def test_enrolling_real_photos(data, people_head, tmp_path, capsys):
    path = tmp_path / "people.skops"
    shutil.copy(people_head, path)
    photos, result = data / "people" / "test", tmp_path / "r.json"
    arguments = ["enrol", str(path), "--name", "obama", "--json", str(result)]
    assert main([*arguments, str(photos / "obama1.jpg")]) == 0
    before, after = load_head(people_head), load_head(path)
    assert after.gallery.photos_per_identity == {**before.gallery.photos_per_identity, "obama": 3}
    assert after.gallery.paths[-1] == (photos / "obama1.jpg").resolve().as_posix()
    assert after.threshold == before.threshold_record.curve.at(after.matcher.n_compared)
    assert after.matcher.n_compared > 10
    assert "1 of 1 photo enrolled as obama" in capsys.readouterr().out
    shutil.copy(photos / "johnsnow_test1.jpg", tmp_path / "copy.jpg")
    assert main([*arguments, str(photos / "johnsnow_test1.jpg"), str(tmp_path / "copy.jpg")]) == 1
    assert "copy.jpg: left out, this face is enrolled as obama already or was given twice" in capsys.readouterr().out
    (tmp_path / "broken.jpg").write_text("no photo")
    assert main([*arguments, str(tmp_path / "broken.jpg"), str(photos / "johnsnow_test1.jpg")]) == 1
    errors = capsys.readouterr().err
    assert "broken.jpg" in errors
    assert "johnsnow_test1.jpg: it is taken for 'kit_harington'" in errors
    record = json.loads(result.read_text())
    assert (record["enrolled"], record["n_unreadable"], record["n_exemplars"]) == ([], 1, 10)
    assert len(record["refused"][0]["reasons"]) == 2


@pytest.mark.realdata
def test_a_photo_of_the_table_is_enrolled_with_the_tables_vector(data, people_head, tmp_path):
    path = tmp_path / "people.skops"
    shutil.copy(people_head, path)
    assert main(["forget", str(path), "--name", "rose_leslie"]) == 0
    assert main(["enrol", str(path), "--name", "Rose", str(data / "people" / "train" / "rose_leslie")]) == 0
    gallery = load_head(path).gallery
    table = EmbeddingTable.read(people_head.with_name("people.h5"))
    rows = [list(table.paths).index(name) for name in gallery.paths[-2:]]
    assert gallery.paths[-2:].tolist() == ["rose_leslie/img1.jpg", "rose_leslie/img2.jpg"]
    np.testing.assert_allclose(gallery.vectors[-2:], table.embeddings[rows], atol=1e-5)
    assert gallery.image_sha256[-2:].tolist() == [table.image_sha256[row] for row in rows]


def test_forgetting(head, tmp_path, capsys):
    result = tmp_path / "r.json"
    assert main(["forget", str(head), "--name", "person 001", "--json", str(result)]) == 0
    assert load_head(head).labels == ["person 000"]
    assert json.loads(result.read_text()) == {
        "head": str(head),
        "name": "person 001",
        "n_forgotten": 2,
        "n_rejections_forgotten": 0,
        "n_identities": 1,
        "n_exemplars": 2,
        "threshold": 0.6,
    }
    assert "forgot person 001, 2 photos" in capsys.readouterr().out
    assert b"person 001" not in head.read_bytes()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["forget", "HEAD", "--name", "Zoe"], "'Zoe' is not enrolled; enrolled are person 000, person 001"),
        (["forget", "missing.skops", "--name", "Zoe"], "missing.skops: No such file"),
        (["enrol", "HEAD", "--name", "unknown", "HEAD"], "`name` may not be 'unknown'"),
        (["enrol", "HEAD", "--name", " ", "HEAD"], "`name` must not be empty"),
        (["enrol", "HEAD", "--name", "Zoe", "missing.jpg"], "missing.jpg: No such file"),
        (["enrol", "HEAD", "--name", "Zoe", "EMPTY"], "expected photos in this folder, found none"),
        (["enrol", "HEAD", "--name", "Zoe", "HEAD"], "found those of weights 000000000000...; name the training run"),
        (["enrol", "HEAD", "--name", "Zoe", "--preset", "facenet-casia-20180408", "HEAD"], "cannot be compared"),
    ],
)
@pytest.mark.usefixtures("networks")
def test_what_cannot_be_done_changes_nothing(head, tmp_path, capsys, arguments, message):
    (tmp_path / "empty").mkdir()
    before = head.read_bytes()
    places = {"HEAD": str(head), "EMPTY": str(tmp_path / "empty")}
    assert main([places.get(argument, argument) for argument in arguments]) == 2
    errors = capsys.readouterr().err
    assert message in errors
    assert len(errors.splitlines()) == 1
    assert head.read_bytes() == before
    assert sorted(path.name for path in tmp_path.iterdir()) == ["empty", "h.skops"]


def test_the_last_person_stays(head, capsys):
    assert main(["forget", str(head), "--name", "person 001"]) == 0
    assert main(["forget", str(head), "--name", "person 000"]) == 2
    assert "is the only person enrolled" in capsys.readouterr().err


def test_paths_are_relative_to_the_photo_folder_where_they_can_be(head, tmp_path):
    photos = tmp_path / "photos"
    known = load_head(head).replaced(photo_root=str(photos))
    assert stored_path(photos / "Ada" / "1.jpg", known) == "Ada/1.jpg"
    assert stored_path(tmp_path / "2.jpg", known) == str(tmp_path / "2.jpg")
    assert stored_path(photos / "1.jpg", known.replaced(photo_root="")) == str(photos / "1.jpg")


def test_a_grown_gallery_is_remarked_on(head):
    from classifiers.commands.enrol import describe_size
    from classifiers.scores.thresholds import Threshold

    calibrated = Threshold(0.5, "calibrated", "on your photos", n_exemplars=4)
    grown = load_head(head).replaced(threshold_record=calibrated)
    assert describe_size(grown) == "2 identities, 4 photos, threshold 0.500"
    more = enrol_faces(grown, [make_sample(make_people(3, 2).vectors[row]) for row in (4, 5)], "Zoe")
    assert describe_size(more).endswith("; set for 4 photos, train the head again to set it for these")


@pytest.mark.realdata
def test_one_face_of_a_group_photo(data, people_head, tmp_path, capsys):
    path = tmp_path / "people.skops"
    shutil.copy(people_head, path)
    group = data / "groups" / "two_people.jpg"
    arguments = ["enrol", str(path), "--name", "biden", str(group)]
    assert main(arguments) == 1
    assert "it is not clear whose photo this is" in capsys.readouterr().err
    assert main([*arguments, "--face", "1"]) == 0
    faces = open_faces(group, path)
    assert load_head(path).gallery.boxes[-1].tolist() == faces[1].box.tolist()
    before = path.read_bytes()
    assert main([*arguments, "--face", "2"]) == 2
    assert "two_people.jpg: expected a face number below 2, the faces found, got 2" in capsys.readouterr().err
    assert main([*arguments, str(data / "groups" / "dogs.jpg"), "--face", "1"]) == 2
    assert "--face is for one photo, got 2 photos; give them one by one" in capsys.readouterr().err
    assert main([*arguments, "--track", "1"]) == 2
    assert "--track is for one clip, got 0 clips; a photo's face is chosen with --face" in capsys.readouterr().err
    assert path.read_bytes() == before


def open_faces(photo, head):
    arguments = argparse.Namespace(preset=None, weights=None, max_pixels=None, head=head)
    return open_reader(load_head(head), arguments).read(photo, "x").samples
