"""Photos a page at a time: copies are one photo, photos without faces are found, neighbours follow the list."""

import numpy as np
import pytest

from people.browsing.photos import copies_of, faces_of_photo, find_neighbours, find_photo_page, names_of
from people.store.queries import PhotoQuery
from people.store.scanned import ScannedFile
from people.store.store import PeopleStore
from tests.people.faces import face

ALL = slice(0, 100)


@pytest.fixture
def store(tmp_path):
    """Return a store of five files: one twice, one without a face, one a video."""
    files = [
        ScannedFile(path, face(photo).photo_sha256, 400, 200, taken, kind)
        for path, photo, taken, kind in [
            ("2019/a.jpg", "a", "2019-06-30T12:00:00", "photo"),
            ("2019/lake.jpg", "lake", "2019-07-01T12:00:00", "photo"),
            ("2019/walk.mp4", "walk", "2019-07-02T12:00:00", "video"),
            ("2020/b.jpg", "b", "2020-01-01T12:00:00", "photo"),
            ("copy/a.jpg", "a", "2019-06-30T12:00:00", "photo"),
        ]
    ]
    owners = [0, 0, 2, 3, 4, 4]
    indices = [0, 1, 0, 0, 0, 1]
    places = np.array([[*face(0, n).box, 7.5 * (owner == 2)] for owner, n in zip(owners, indices, strict=True)])
    with PeopleStore(tmp_path / "people.sqlite", create=True) as opened:
        opened.record_table(files, np.array(owners), face_indices=np.array(indices), places=places)
        opened.name([face("a"), face("b"), face("walk", time_s=7.5)], "Ada")
        yield opened


def first_paths(page) -> list[str]:
    return [photo.paths[0] for photo in page.photos]


def test_copies_are_one_photo_with_all_its_paths(store):
    page = find_photo_page(store, PhotoQuery(with_people=(1,)), ALL)
    assert page.total == 3 and first_paths(page) == ["2019/a.jpg", "2019/walk.mp4", "2020/b.jpg"]
    assert page.photos[0].paths == ("2019/a.jpg", "copy/a.jpg") == copies_of(store, face("a").photo_sha256)
    assert [len(photo.faces) for photo in page.photos] == [2, 1, 1]
    assert (page.photos[1].kind, page.photos[1].faces[0].face.time_s) == ("video", 7.5)
    assert names_of(store, [1, 1, 99]) == {1: "Ada"}


def test_the_faces_of_a_photo_once_however_many_copies_it_has(store):
    assert [one.row for one in faces_of_photo(store, face("a").photo_sha256)] == [0, 1]
    assert faces_of_photo(store, face("lake").photo_sha256) == faces_of_photo(store, face(77).photo_sha256) == []


def test_photos_without_faces_are_found_by_date_and_folder(store):
    in_july = PhotoQuery(since="2019-07", until="2019-07")
    assert first_paths(find_photo_page(store, in_july, ALL)) == ["2019/lake.jpg", "2019/walk.mp4"]
    folder = find_photo_page(store, PhotoQuery(folder="copy"), ALL)
    assert first_paths(folder) == ["2019/a.jpg"] and folder.total == 1, "named by its first path wherever it was found"
    assert find_photo_page(store, PhotoQuery(folder="20"), ALL).total == 0


def test_a_page_holds_what_was_asked_for(store):
    page = find_photo_page(store, PhotoQuery(), slice(1, 3))
    assert page.total == 4 and first_paths(page) == ["2019/lake.jpg", "2019/walk.mp4"]


def test_rows_give_the_order(store):
    rows = PhotoQuery(rows=(3, 5, 0))  # the photo b first, then the copy of a
    assert [photo.paths[0] for photo in find_photo_page(store, rows, ALL).photos] == ["2020/b.jpg", "2019/a.jpg"]
    beside = find_neighbours(store, rows, face("a").photo_sha256)
    assert (beside.index, beside.previous, beside.next) == (1, face("b").photo_sha256, None)
    assert find_neighbours(store, rows, face("lake").photo_sha256).previous is None


def test_neighbours_of_a_photo_that_is_in_the_list_and_of_one_that_is_not(store):
    of_ada = PhotoQuery(with_people=(1,))
    beside = find_neighbours(store, of_ada, face("walk").photo_sha256)
    assert (beside.index, beside.total) == (1, 3)
    assert (beside.previous, beside.next) == (face("a").photo_sha256, face("b").photo_sha256)
    beyond = find_neighbours(store, of_ada, face("lake").photo_sha256)
    assert (beyond.index, beyond.previous, beyond.next) == (None, face("a").photo_sha256, face("walk").photo_sha256)
    assert find_neighbours(store, of_ada, face("a").photo_sha256).previous is None


def test_the_people_of_a_query_are_those_merged_into_them(store):
    store.name([face("lake")], "Bob")
    store.name([face("a", 1)], "Bo")
    store.merge(store.find_person("Bo").number, store.find_person("Bob").number)
    assert first_paths(find_photo_page(store, PhotoQuery(with_people=(2,)), ALL)) == ["2019/a.jpg"]
