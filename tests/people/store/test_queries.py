"""What the newest table holds, matched with the decisions, and the photos that show somebody."""

import numpy as np
import pytest

from foundation.errors import InputError
from people.store.queries import PhotoQuery
from people.store.records import Face
from people.store.scanned import NO_GROUP, ScannedFile
from people.store.store import PeopleStore
from tests.people.faces import face

FILES = {
    "2019/picnic.jpg": ("picnic", "2019-06-30T12:00:00+02:00", 3),
    "2019/portrait.jpg": ("portrait", "2019-07-01T09:30:00", 1),
    "2020/two.jpg": ("two", "2020-01-01T00:00:00", 2),
    "copy/two.jpg": ("two", "2020-01-01T00:00:00", 2),
    "scan.png": ("scan", "", 2),
}


def record(store: PeopleStore, files: dict[str, tuple[str, str, int]], shift: float = 0.0) -> int:
    """Record a table of files: name of the photo, when it was taken, number of faces."""
    listed = [
        ScannedFile(path, face(photo).photo_sha256, 400, 200, taken)
        for path, (photo, taken, _) in sorted(files.items())
    ]
    counts = [n for _, (_, _, n) in sorted(files.items())]
    indices = np.concatenate([np.arange(n) for n in counts])
    places = np.add([[*face(0, int(i)).box, 0.0] for i in indices], [shift, 0, shift, 0, 0])
    return store.record_table(listed, np.repeat(np.arange(len(listed)), counts), face_indices=indices, places=places)


@pytest.fixture
def store(tmp_path):
    with PeopleStore(tmp_path / "people.sqlite", create=True) as opened:
        record(opened, FILES)
        opened.name([face("picnic"), face("portrait"), face("two"), face("scan")], "Ada")
        opened.name([face("picnic", 1), face("two", 1)], "Bob")
        opened.mark_nobody([face("picnic", 2)])
        yield opened


def found(store: PeopleStore, **wanted) -> list[str]:
    people = {name: store.find_person(name).number for name in ("Ada", "Bob")}
    named = ("with_people", "without_people", "accompanied")
    query = {key: tuple(people[name] for name in value) if key in named else value for key, value in wanted.items()}
    return [photo.path for photo in store.find_photos(PhotoQuery(**query))]


@pytest.mark.parametrize(
    ("wanted", "paths"),
    [
        ({"with_people": ["Ada"]}, list(FILES)),
        ({"with_people": ["Ada", "Bob"]}, ["2019/picnic.jpg", "2020/two.jpg", "copy/two.jpg"]),
        ({"with_people": ["Ada"], "without_people": ["Bob"]}, ["2019/portrait.jpg", "scan.png"]),
        ({"with_people": ["Ada"], "only": True}, ["2019/portrait.jpg"]),
        ({"with_people": ["Ada", "Bob"], "only": True}, ["2019/picnic.jpg", "2020/two.jpg", "copy/two.jpg"]),
        ({"unnamed": True}, ["scan.png"]),
        ({"strangers": True}, ["2019/picnic.jpg"]),
        ({"since": "2019-07"}, ["2019/portrait.jpg", "2020/two.jpg", "copy/two.jpg"]),
        ({"since": "2019-06-30", "until": "2019-07"}, ["2019/picnic.jpg", "2019/portrait.jpg"]),
        ({"until": "2019-06-29"}, []),
        ({"accompanied": ["Bob"]}, ["2019/picnic.jpg", "2020/two.jpg", "copy/two.jpg"]),
        ({"accompanied": ["Bob"], "until": "2019"}, ["2019/picnic.jpg"]),
        ({"rows": (3, 5)}, ["2019/portrait.jpg", "2020/two.jpg"]),
        ({"rows": ()}, []),
    ],
)
def test_photos_of_people(store, wanted, paths):
    assert found(store, **wanted) == paths


def test_a_found_photo_tells_its_faces(store):
    ada = store.find_person("Ada").number
    picnic = store.find_photos(PhotoQuery(strangers=True))[0]
    assert (picnic.path, picnic.taken) == ("2019/picnic.jpg", "2019-06-30T12:00:00+02:00")
    assert [(f.face_index, f.state, f.person) for f in picnic.faces] == [
        (0, "named", ada),
        (1, "named", store.find_person("Bob").number),
        (2, "nobody", None),
    ]
    assert picnic.faces[1].box == (120.0, 40.0, 180.0, 100.0)
    assert [f.path for f in store.faces_in_table(person=ada)] == list(FILES)
    assert [f.state for f in store.faces_in_table(path="scan.png")] == ["named", "open"]


def test_decisions_outlive_other_paths_another_detector_and_a_missing_photo(store):
    moved = {f"elsewhere/{path}": file for path, file in FILES.items() if path != "scan.png"}
    assert record(store, moved, shift=0.03) == 1  # the scan's face is kept though the table has it no longer
    assert found(store, with_people=["Ada", "Bob"]) == [
        "elsewhere/2019/picnic.jpg",
        "elsewhere/2020/two.jpg",
        "elsewhere/copy/two.jpg",
    ]
    assert store.find_person("Ada").n_faces == 4
    record(store, FILES)
    assert "scan.png" in found(store, with_people=["Ada"])


def test_groups_are_of_the_unnamed_largest_first(store):
    record(store, {**FILES, "more.jpg": ("more", "", 4)})
    rows = {(f.path, f.face_index): f.row for f in store.faces_in_table()}
    groups = np.full(len(rows), NO_GROUP)
    groups[[rows["more.jpg", 0], rows["scan.png", 1]]] = 7
    groups[[rows["more.jpg", 1]]] = 3
    groups[rows["scan.png", 0]] = 7  # named by now: it shows in no group
    store.record_groups(groups)
    assert [[(f.path, f.face_index) for f in group.faces] for group in store.groups()] == [
        [("more.jpg", 0), ("scan.png", 1)],
        [("more.jpg", 1)],
    ]
    assert store.groups()[0].suggested == store.find_person("Ada").number and store.groups()[1].suggested is None
    store.name([f.face for f in store.groups()[0].faces], "Cleo")
    assert [len(group.faces) for group in store.groups()] == [1]
    store.undo()
    assert [len(group.faces) for group in store.groups()] == [2, 1]


def test_a_face_drawn_where_the_table_has_none_is_kept(store):
    drawn = Face(face("scan").photo_sha256, (0.7, 0.6, 0.9, 0.9))
    store.name([drawn], "Dora")
    assert store.find_person("Dora").n_faces == 1
    assert [f.state for f in store.faces_in_table(path="scan.png")] == ["named", "open"]


def test_impossible_queries():
    with pytest.raises(InputError, match="got one in both"):
        PhotoQuery(with_people=(1,), without_people=(1, 2))
    with pytest.raises(InputError, match="expected people for `only`"):
        PhotoQuery(only=True)


def test_somebody_alone_or_with_strangers_is_not_together_with_anybody(store):
    store.name([face("scan", 1)], "Cy")
    store.hide(store.find_person("Cy").number)
    ada, bob, cy = (store.find_person(name).number for name in ("Ada", "Bob", "Cy"))
    paths = [photo.path for photo in store.find_photos(PhotoQuery(accompanied=(ada,)))]
    assert paths == ["2019/picnic.jpg", "2020/two.jpg", "copy/two.jpg", "scan.png"]
    # Equal photos in two folders are one, and hidden people are left out.
    assert store.together() == [(ada, bob, 2)]
    store.hide(cy, hidden=False)
    assert store.together() == [(ada, bob, 2), (ada, cy, 1)]
    assert store.together(cy) == [(cy, ada, 1)]
    store.merge(cy, bob)
    assert store.together(bob) == [(bob, ada, 3)]
