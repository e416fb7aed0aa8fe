"""What is counted when groups are named, on made-up people; drawing archives is tried without photos."""

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest

from classifiers.scores.normalization import choose_background
from embedder.tables.table import EmbeddingTable
from experiments import naming_user
from experiments.naming_effort import measure
from experiments.naming_user import WAYS, Archive, Effort, PageSession, name_group
from people.suggestions.questions import Suggestion
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
    assert len(efforts["questions"].log) == efforts["questions"].n_answers == efforts["questions"].n_seen
    assert measure(archive, ["by hand"]).keys() == {"by hand"}


class StubStore:
    """Knows one person, 1, called Ada; takes what is said."""

    def __init__(self):
        self.said = []

    def person(self, number):
        return SimpleNamespace(name="Ada")

    def __getattr__(self, name):
        return lambda *arguments: self.said.append(name)


def test_a_page_counts_each_answer_that_was_unlikely_and_one_more_and_a_name_is_an_answer(archive, monkeypatch):
    def ask(kind, faces, others=(), *, chance, person=None):
        faces, others = (tuple(SimpleNamespace(row=row) for row in rows) for rows in (faces, others))
        return Suggestion("0", kind, "", 1, faces, others, person=person, chance=chance)

    archive = replace(archive, truth=archive.truth.copy())
    archive.truth[:10] = ["Ada", "Bob", "Ada", "Cem", "Cem", "Dan", "Eve", "Eve", "Fay", "Fay"]
    store, answers = StubStore(), []
    store.faces_of_rows = lambda rows: list(rows)
    monkeypatch.setattr(naming_user, "answer", lambda _, question, given: answers.append(given))
    session = PageSession(archive, store)
    session.answer_all(
        [
            ask("is_this", [0], chance=0.9, person=1),  # it is: as set
            ask("is_this", [1], chance=0.9, person=1),  # it is not: one more
            ask("is_this", [2], chance=0.1, person=1),  # it is: one more
            ask("same_person", [3], [4], chance=0.2),  # it is: the name is typed
            ask("same_person", [5], [6], chance=0.8),  # it is not: one more
        ]
    )
    effort = session.effort
    assert (effort.n_answers, effort.n_pages, effort.n_seen, effort.n_typed) == (4, 1, 5, 1)
    assert answers == ["yes", "no", "yes", "no"] and store.said == ["name"]


def test_a_face_that_is_not_whom_its_group_is_counts_on_its_own(archive):
    names, effort = np.full(len(archive.table), "", object), Effort()
    first, second = (np.flatnonzero(archive.truth == name) for name in np.unique(archive.truth)[:2])
    name_group(archive, names, np.array([*first, second[0]]), effort)
    assert (effort.n_typed, effort.n_passed) == (2, 0) and names[second[0]] == archive.truth[second[0]]
    assert not archive.is_done(names)
    archive.wanted[:] = False
    name_group(archive, names, first, effort)
    assert (effort.n_typed, effort.n_passed) == (2, 1) and set(names[first]) == {""}
