"""Who is proposed for a group: the study finds what was put into its table."""

import json

import numpy as np

from embedder import EmbeddingTable
from experiments.suggestion_reach import halve_people, main, name_groups
from tests.classifiers.people import make_people


def test_the_largest_group_of_somebody_has_the_name_and_single_faces_are_no_groups():
    identities = np.array(["ann"] * 5 + ["bob"] * 3 + ["ann"] * 2)
    labels = np.array([0, 0, 0, 1, 1, 2, 2, -1, 0, 3])
    named, smaller = name_groups(identities, labels)
    assert {person: rows.tolist() for person, rows in named.items()} == {"ann": [0, 1, 2, 8], "bob": [5, 6]}
    assert [(rows.tolist(), person) for rows, person in smaller] == [([3, 4], "ann")]


def test_halves_are_of_different_photos():
    identities = np.array(["ann"] * 20 + ["bob"] * 3)
    named, asked = halve_people(identities, np.random.default_rng(0))
    assert list(named) == ["ann"]
    assert len({*named["ann"].tolist(), *asked[0][0].tolist()}) == 12


def test_people_far_apart_are_proposed_and_nobody_else_is(tmp_path, capsys):
    several, single = make_people(12, 4, length=512, spread=0.3), make_people(8, 1, length=512, seed=1)
    names = [*several.identities, *(f"alone {name}" for name in single.identities)]
    table = EmbeddingTable.from_arrays(np.concatenate([several.vectors, single.vectors]), names, space="made up")
    table.write(tmp_path / "t.h5")
    arguments = [str(tmp_path / "t.h5"), "--draws", "2", "--json", str(tmp_path / "r.json"), "--reach", "0.18", "2.0"]
    assert main(arguments) == 0
    near, far = json.loads((tmp_path / "r.json").read_text())
    assert (near["n_halves"], near["halves_proposed"]) == (24, 1)
    assert (near["n_nobody_named"], near["people_proposed_for_nobody"]) == (6, 0)
    assert far["people_proposed_for_nobody"] == 9, "whoever is far enough within reach is proposed"
    assert "reach 0.18" in capsys.readouterr().out
