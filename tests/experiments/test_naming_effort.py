"""What is counted when groups are named, on made-up people; drawing archives is tried without photos."""

import numpy as np
import pytest

from classifiers.scores.normalization import choose_background
from embedder.tables.table import EmbeddingTable
from experiments.naming_effort import WAYS, Archive, Effort, _name_group, measure
from tests.classifiers.people import make_people
from tests.test_train_classifier import DEFAULT_WEIGHTS, write_table


@pytest.fixture
def archive(tmp_path):
    write_table(tmp_path / "t.h5", make_people(6, 5, length=512), weights=DEFAULT_WEIGHTS)
    table = EmbeddingTable.read(tmp_path / "t.h5")
    background = choose_background(table.fingerprint)
    unnamed = table.select(np.ones(len(table), bool))
    object.__setattr__(unnamed, "identities", np.full(len(table), "", object))
    return Archive(unnamed, table.identities, np.ones(len(table), bool), background)


def test_each_way_ends_and_every_person_takes_a_name(archive):
    efforts = measure(archive)
    assert set(efforts) == set(WAYS)
    assert all(effort.total >= 6 for effort in efforts.values())
    assert efforts["questions"].total <= efforts["by hand"].total <= efforts["every group"].total
    assert len(efforts["questions"].log) == efforts["questions"].n_answers


def test_a_face_that_is_not_whom_its_group_is_counts_on_its_own(archive):
    names, effort = np.full(len(archive.table), "", object), Effort()
    first, second = (np.flatnonzero(archive.truth == name) for name in np.unique(archive.truth)[:2])
    _name_group(archive, names, np.array([*first, second[0]]), effort)
    assert (effort.n_typed, effort.n_passed) == (2, 0) and names[second[0]] == archive.truth[second[0]]
    assert not archive.is_done(names)
    archive.wanted[:] = False
    _name_group(archive, names, first, effort)
    assert (effort.n_typed, effort.n_passed) == (2, 1) and set(names[first]) == {""}
