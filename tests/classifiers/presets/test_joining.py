"""Tables of several networks become one of the joined preset."""

from types import SimpleNamespace

import numpy as np
import pytest

from classifiers.presets.joining import gallery_of_tables
from foundation.errors import InputError, SpaceMismatchError
from tests.classifiers.people import make_people

ONE = {"weights_sha256": "1" * 64, "embedding_length": 8, "crop_size": 112}
TWO = {"weights_sha256": "2" * 64, "embedding_length": 16, "crop_size": 160}
JOINED = {
    "weights_sha256": "3" * 64,
    "embedding_length": 24,
    "joined": [{**ONE, "weight": 0.8}, {**TWO, "weight": 0.2}],
}


def table_of(space, rows=slice(None)):
    people = make_people(5, 2, length=space["embedding_length"])
    number = np.arange(10)
    columns = {
        "embeddings": people.vectors,
        "identities": people.identities,
        "paths": np.array([f"{row}.jpg" for row in number]),
        "image_sha256": np.array([f"{row:064x}" for row in number]),
        "boxes": np.tile(number[:, None], (1, 4)).astype(np.float32),
    }
    return SimpleNamespace(**{name: values[rows] for name, values in columns.items()}, fingerprint={"space": space})


def test_faces_that_all_tables_hold_are_joined():
    one, two = table_of(ONE, [3, 1, 2, 9]), table_of(TWO, [9, 8, 1, 3])
    gallery = gallery_of_tables([two, one], JOINED, names=["two.h5", "one.h5"])
    assert gallery.paths.tolist() == ["3.jpg", "1.jpg", "9.jpg"]
    whole = [table_of(space).embeddings[[3, 1, 9]] for space in (ONE, TWO)]
    expected = 0.8 * whole[0] @ whole[0].T + 0.2 * whole[1] @ whole[1].T
    np.testing.assert_allclose(gallery.vectors @ gallery.vectors.T, expected, atol=1e-6)
    assert gallery.identities.tolist() == table_of(ONE).identities[[3, 1, 9]].tolist()


def test_tables_of_one_preset_hold_each_photo_once():
    gallery = gallery_of_tables([table_of(ONE, [0, 1, 2]), table_of(ONE, [2, 3])], ONE, names=["a", "b"])
    assert gallery.paths.tolist() == ["0.jpg", "1.jpg", "2.jpg", "3.jpg"]


def test_a_table_of_another_preset_is_refused_with_the_fields():
    with pytest.raises(
        SpaceMismatchError, match=r"the preset's \(two\.h5\): expected crop_size 112, .*got crop_size 160"
    ):
        gallery_of_tables([table_of(ONE), table_of(TWO)], ONE, names=["one.h5", "two.h5"])
    with pytest.raises(InputError, match="or of each of its networks, found none of 222222222222"):
        gallery_of_tables([table_of(ONE)], JOINED, names=["one.h5"])
    with pytest.raises(InputError, match="expected tables of the same photos, found no face that all hold"):
        gallery_of_tables([table_of(ONE, [0]), table_of(TWO, [1])], JOINED, names=["one.h5", "two.h5"])
