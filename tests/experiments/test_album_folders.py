"""The study of album folders, on made-up people."""

import json

import numpy as np

from experiments import album_folders
from tests.classifiers.people import make_people
from tests.test_train_classifier import DEFAULT_WEIGHTS, write_table


def test_albums_are_found_and_people_are_not(tmp_path, capsys):
    few, many = make_people(40, 3, length=512), make_people(2, 30, length=512, seed=1)
    names = [*few.identities, *(f"large {name}" for name in many.identities)]
    write_table(
        tmp_path / "t.h5",
        few._replace(vectors=np.concatenate([few.vectors, many.vectors]), identities=np.array(names)),
        weights=DEFAULT_WEIGHTS,
    )
    assert album_folders.main([str(tmp_path / "t.h5"), "--rounds", "20", "--json", str(tmp_path / "r.json")]) == 0
    result = json.loads((tmp_path / "r.json").read_text())
    (alarms,) = result["false_alarms"].values()
    assert (alarms["people_of_3_and_more"], alarms["taken_for_albums"]) == (42, [])
    assert result["found"]["10"]["0.10"] == 1.0 and result["found"]["10"]["0.90"] == 0.0
    assert "taken for albums: 0 []" in capsys.readouterr().out
