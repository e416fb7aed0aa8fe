"""Made workspaces of the page's study, and how it tells what it measured."""

import numpy as np

from embedder.tables.table import EmbeddingTable
from experiments.page_server import tell
from experiments.page_workspaces import make_workspace, person_name
from people.store.store import PeopleStore


def test_a_made_workspace_has_people_groups_and_vectors_that_tell_them_apart(tmp_path):
    workspace = make_workspace(tmp_path / "made", 200, n_people=5, n_groups=3)
    with PeopleStore(workspace.store) as store:
        assert sorted(person.name for person in store.people()) == [person_name(i) for i in range(5)]
        assert store.group_sizes() == [(0, 20), (1, 20), (2, 20)]
        rows = [face.row for face in store.faces_in_table(group=1)]
        named = store.rows_of_people()[store.find_person(person_name((140 // 20 + 1 - 140 // 20) % 5)).number]
    table = EmbeddingTable.read(workspace.table)
    own = table.embeddings[rows].mean(axis=0)
    cosines = table.embeddings @ own / np.linalg.norm(own)
    assert (len(table), len(rows)) == (200, 20)
    assert cosines[named].mean() > 0.5 > abs(np.delete(cosines, [*named, *rows])).mean()


def test_figures_are_told_with_their_targets(capsys):
    tell("start", 1.234, "s", target=1.5)
    tell("frames", 12.0, "", target=20, at_least=True)
    assert capsys.readouterr().out.splitlines() == [
        "start: 1.23 s (met: at most 1.5)",
        "frames: 12  (MISSED: at least 20)",
    ]
