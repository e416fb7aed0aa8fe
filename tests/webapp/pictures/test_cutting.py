"""All thumbnails are made in the background: the largest groups first, once each, none of somebody forgotten."""

import shutil

import pytest

from people.forgetting.forgetting import forget_everywhere
from people.forgetting.person import Person
from people.store.reader import PeopleReader
from tests.webapp.made import HOSTILE
from webapp.pictures import cutting, thumbnails
from webapp.pictures.cutting import cut_missing
from webapp.pictures.thumbnails import photo_thumbnail_path, thumbnail_path


def names_below(workspace) -> set[str]:
    return {path.name for path in workspace.thumbnails.rglob("*.webp")}


def test_every_face_and_photo_gets_one_and_nothing_is_done_twice(workspace):
    assert cut_missing(workspace) == 10
    with PeopleReader(workspace.store) as reader:
        faces, files = reader.faces_in_table(), reader.files()
    assert names_below(workspace) == {
        *(thumbnail_path(workspace, face.face).name for face in faces),
        *(photo_thumbnail_path(workspace, file).name for file in files),
    }
    assert cut_missing(workspace) == 0
    thumbnail_path(workspace, faces[0].face).unlink()
    assert cut_missing(workspace) == 1


def test_groups_come_first(workspace, monkeypatch):
    decoded = []
    monkeypatch.setattr(cutting, "make_thumbnails", lambda workspace, file, faces: decoded.append(file.path))
    cut_missing(workspace)
    assert decoded[:3] == [f"album <0>/{n}.png" for n in range(3)] and len(decoded) == 10


def test_photos_that_are_gone_are_left_out_and_a_workspace_that_cannot_be_written_is_left_alone(
    workspace, photos, tmp_path
):
    moved = tmp_path / "crowd.png"
    shutil.move(photos / "crowd.png", moved)
    try:
        assert cut_missing(workspace) == 9
    finally:
        shutil.move(moved, photos / "crowd.png")
    (workspace.folder / "thumbnails.lock").unlink()
    (workspace.folder / "thumbnails.lock").mkdir()
    with pytest.raises(OSError):
        cut_missing(workspace)


def test_forgetting_deletes_faces_and_photos(workspace):
    cut_missing(workspace)
    with PeopleReader(workspace.store) as reader:
        crowd = next(file for file in reader.files() if file.path == "crowd.png")
    assert photo_thumbnail_path(workspace, crowd).name in names_below(workspace)
    forget_everywhere([workspace.folder], Person(HOSTILE))
    assert not any(name.startswith(crowd.sha256) for name in names_below(workspace))


def test_what_is_forgotten_while_it_is_cut_is_removed_again(workspace, monkeypatch):
    def make(workspace_, file, faces):
        made = thumbnails.make_thumbnails(workspace_, file, faces)
        if file.path == "crowd.png":
            with PeopleReader(workspace.store) as reader:
                rows = reader.select("SELECT count(*) FROM scanned_faces")[0][0]
            assert rows == 278
            _lose_faces_of(workspace, file.path)
        return made

    monkeypatch.setattr(cutting, "make_thumbnails", make)
    cut_missing(workspace)
    with PeopleReader(workspace.store) as reader:
        crowd = next(file for file in reader.files() if file.path == "crowd.png")
    assert not any(name.startswith(crowd.sha256) for name in names_below(workspace))


def _lose_faces_of(workspace, path: str) -> None:
    """Take a photo's faces out of the table, as forgetting does."""
    import sqlite3

    with sqlite3.connect(workspace.store) as connection:
        connection.execute(
            "DELETE FROM scanned_faces WHERE file = (SELECT id FROM scanned_files WHERE path = ?)", (path,)
        )
    connection.close()
