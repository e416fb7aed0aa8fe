"""A seeded part of the study that kills edits and imports; and that it sees what is lost."""

import random
from collections import Counter

from experiments.people_kill import check_workspace, make_workspace, random_face, run
from people.store.store import PeopleStore


def test_no_decision_is_lost_and_none_half_done():
    assert run(6, seed=4, kinds=("edits", "edits", "import")) == []


def test_a_lost_decision_and_a_half_done_one_are_seen(tmp_path):
    workspace = make_workspace(tmp_path)
    with PeopleStore(workspace.store) as store:
        chance = random.Random(0)
        store.name([random_face(store, chance) for _ in range(3)], "Ada")
    assert "decision 2 had returned and is lost" in check_workspace(workspace, [["done", 2, "is", 3]], {}, Counter())
    assert "decision 1, is of 3 faces, is half done" in check_workspace(workspace, [["begin", "is", 4]], {}, Counter())
    assert check_workspace(workspace, [["begin", "is", 3]], {}, Counter()) == ""
