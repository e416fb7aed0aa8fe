"""A person's faces by date, and their photos by month."""

import numpy as np
import pytest

from people.browsing.person import count_months, rows_of_person
from people.errors import PersonError
from people.store.scanned import ScannedFile
from people.store.store import PeopleStore
from tests.people.faces import face


@pytest.fixture
def store(tmp_path):
    """Return a store of Ada, merged from two, on four photos, one of them twice."""
    taken = ["2019-06-30T12:00:00", "2019-06-30T12:00:00", "2019-07-01T12:00:00", "2020-01-01T00:00:00", ""]
    photos = ["a", "a", "b", "c", "d"]
    files = [
        ScannedFile(f"{i}.jpg", face(photo).photo_sha256, 400, 200, when)
        for i, (photo, when) in enumerate(zip(photos, taken, strict=True))
    ]
    with PeopleStore(tmp_path / "people.sqlite", create=True) as opened:
        places = np.array([[*face("a").box, 0.0]] * 5)
        opened.record_table(files, np.arange(5), face_indices=np.zeros(5, int), places=places)
        opened.name([face("a"), face("b")], "Ada")
        opened.name([face("c"), face("d")], "Aida")
        opened.merge(2, 1)
        yield opened


def test_photos_by_month(store):
    months = count_months(store, 2)
    assert months.n_photos == {"2019-06": 1, "2019-07": 1, "2020-01": 1} and months.n_undated == 1
    with pytest.raises(PersonError):
        count_months(store, 9)


@pytest.mark.parametrize(
    ("since", "until", "rows"),
    [("", "", [0, 1, 2, 3, 4]), ("2019", "2019", [0, 1, 2]), ("2019-07", "", [2, 3]), ("", "2019-06", [0, 1])],
)
def test_faces_from_then_till_then(store, since, until, rows):
    assert rows_of_person(store, 1, since=since, until=until) == rows
