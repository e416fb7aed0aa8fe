"""Whether promises are counted rightly, on made-up people."""

import json

import numpy as np

from classifiers.scores.gallery import Gallery
from experiments.calibration_promises import main, thirds, try_promise
from tests.classifiers.people import make_people
from tests.test_train_classifier import write_table

GALLERY = Gallery.build(*make_people(240, 2))


def test_thirds_share_nobody():
    parts = thirds(GALLERY, 0)
    assert [len(part.labels) for part in parts] == [80, 80, 80]
    assert len(set(np.concatenate([part.labels for part in parts]))) == 240


def test_a_promise_is_kept_where_strangers_are_alike_and_broken_where_they_are_not():
    _, own, strangers = thirds(GALLERY, 0)
    result = try_promise(own, strangers, head="gallery", background=None, fpir=0.05)
    assert result["kept"]
    assert result["promised"]["low"] <= result["observed"] <= result["promised"]["high"]
    doubles = Gallery.build(own.vectors, [f"double of {name}" for name in own.identities])
    broken = try_promise(own, doubles, head="gallery", background=None, fpir=0.05)
    assert broken["observed"] > 0.999
    assert (broken["observed_by_photo"], broken["kept"]) == (1.0, False)


def test_the_script_counts(tmp_path, capsys, monkeypatch):
    monkeypatch.setattr("experiments.calibration_promises.N_SPLITS", 3)
    write_table(tmp_path / "t.h5", make_people(240, 2))
    arguments = [str(tmp_path / "t.h5"), "--no-background", "--fpir", "0.05", "--json", str(tmp_path / "r.json")]
    assert main(arguments) == 0
    results = json.loads((tmp_path / "r.json").read_text())
    assert len(results) == 3
    assert f"kept: {sum(result['kept'] for result in results)} of 3" in capsys.readouterr().out
