"""Groups heed what was decided: names, answers about two faces, what is nobody's."""

import logging

import numpy as np
import pytest

from people.store.scanned import NO_GROUP, Links
from people.workspace.grouping import Decided, group_faces
from tests.embedder.fakes import make_table

NOTHING = Links([], [], [])


@pytest.fixture
def table():
    """Six photos of one face each: three of one person, three of another."""
    made = make_table([1] * 6)
    vectors = np.zeros((6, made.embeddings.shape[1]), np.float32)
    vectors[:3, 0] = vectors[3:, 1] = 1
    vectors[np.arange(6), np.arange(6) % 3 + 2] = 0.3
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    object.__setattr__(made, "embeddings", vectors)
    return made


def groups(table, *, names=("",) * 6, settled=(False,) * 6, links=NOTHING, name_of=None) -> list[int]:
    decided = Decided(np.array(names, object), np.array(settled), links, name_of or {})
    return group_faces(table, decided, background=None).tolist()


def test_faces_of_one_person_are_a_group(table):
    assert groups(table) == [0, 0, 0, 1, 1, 1]


def test_settled_faces_are_left_out_and_a_lone_one_asks_nothing(table):
    found = groups(table, settled=(True, True, False, False, False, False))
    assert found[:3] == [NO_GROUP] * 3 and len(set(found[3:])) == 1 and found[3] != NO_GROUP


def test_a_group_in_which_all_are_named_asks_nothing(table):
    found = groups(table, names=("Ada", "Ada", "Ada", "Bob", "", ""))
    assert found[:3] == [NO_GROUP] * 3 and len(set(found[3:])) == 1


def test_answers_about_faces_hold(table):
    apart = groups(table, links=Links([], [[0, 1]], []))
    assert apart[0] != apart[1]
    together = groups(table, links=Links([[0, 3]], [], []))
    assert together[0] == together[3]
    denied = groups(table, names=("Ada", "Ada", "", "", "", ""), links=Links([], [], [(2, 7)]), name_of={7: "Ada"})
    assert denied[2] == NO_GROUP


def test_answers_that_names_contradict_do_not_count(table, caplog):
    links = Links([[0, 3], [1, 2]], [[1, 2], [4, 5]], [])
    with caplog.at_level(logging.WARNING):
        found = groups(table, names=("Ada", "", "", "Bob", "Bob", "Bob"), links=links)
    assert found[1] == found[2] and "3 answers about two faces that later decisions contradict" in caplog.text


def test_no_faces(table):
    assert groups(table, settled=(True,) * 6) == [NO_GROUP] * 6
