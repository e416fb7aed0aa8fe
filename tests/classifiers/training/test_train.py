"""A head trained on a table's columns."""

from types import SimpleNamespace

import numpy as np
import pytest

from classifiers import train_head
from classifiers.errors import IdentityError, ThresholdError
from classifiers.heads.registry import HEADS
from classifiers.training.train import add_strangers
from foundation.errors import SpaceMismatchError
from tests.classifiers.people import FINGERPRINT, make_background, make_people

PEOPLE = make_people(5, 3)


def table(people=PEOPLE, **changes):
    """Return an object with a table's columns: no table is needed."""
    n_rows = len(people.vectors)
    columns = {
        "embeddings": people.vectors,
        "identities": people.identities,
        "paths": np.array([f"{row}.jpg" for row in range(n_rows)]),
        "image_sha256": np.array([f"{row:064x}" for row in range(n_rows)]),
        "boxes": np.tile(np.float32([0, 0, 9, 9]), (n_rows, 1)),
        "fingerprint": FINGERPRINT,
        "photo_root": "photos",
    }
    return SimpleNamespace(**columns | changes)


@pytest.mark.parametrize("name", HEADS)
@pytest.mark.parametrize("background", [None, make_background()])
def test_a_trained_head_names_its_people(name, background):
    head = train_head(table(), head=name, threshold=0.1, background=background)
    assert head.identify(PEOPLE.vectors, FINGERPRINT)[0].tolist() == PEOPLE.identities.tolist()
    assert (head.name, head.photo_root, head.gallery.paths[3]) == (name, "photos", "3.jpg")
    assert head.matcher.background is background


def test_who_is_enrolled_can_be_limited():
    nameless = np.where(PEOPLE.identities == "person 001", "", PEOPLE.identities)
    head = train_head(table(identities=nameless), threshold=0.5)
    assert head.labels == ["person 000", "person 002", "person 003", "person 004"]
    assert train_head(table(), identities=["person 002"], threshold=0.5).labels == ["person 002"]
    with pytest.raises(IdentityError, match="nobody is left to enrol"):
        train_head(table(), min_photos=4, threshold=0.5)


def test_a_rate_is_calibrated_on_the_people_of_the_table():
    head = train_head(table(make_people(40, 2)), fpir=0.05)
    assert head.threshold_record.source == "calibrated"
    with pytest.raises(ThresholdError, match="no threshold curve is known"):
        train_head(table())


def test_strangers_join_the_cohort_of_a_background():
    visitors = make_people(3, 2, seed=1)
    visitors.identities[4:] = ""
    joined = add_strangers(make_background(), table(visitors), fingerprint=FINGERPRINT)
    assert len(joined.cohort) == 4
    with pytest.raises(ValueError, match="can only join a background model"):
        add_strangers(None, table(visitors), fingerprint=FINGERPRINT)
    other = {"space": {**FINGERPRINT["space"], "crop_size": 112}}
    with pytest.raises(SpaceMismatchError, match="cannot be compared with the table's"):
        add_strangers(make_background(), table(visitors, fingerprint=other), fingerprint=FINGERPRINT)


def test_names_that_print_alike_are_one_person_and_look_alike_ones_are_asked_about(caplog):
    names = {"person 000": "Zoe\u0308", "person 001": "Zo\u00eb ", "person 002": "anna", "person 003": "Anna"}
    spelled = np.array([names.get(name, name) for name in PEOPLE.identities], object)
    head = train_head(table(identities=spelled), threshold=0.5)
    assert head.labels == ["Anna", "Zo\u00eb", "anna", "person 004"]
    assert [record.message for record in caplog.records] == [
        "Anna and anna differ only in case or accents: 2 people? Otherwise give them one name"
    ]
