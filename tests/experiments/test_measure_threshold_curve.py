"""The script that measures threshold curves."""

import json

from classifiers.scores.thresholds import find_curve
from experiments.measure_threshold_curve import main
from tests.classifiers.people import make_people
from tests.test_train_classifier import write_table


def test_the_written_curves_are_found(tmp_path, capsys):
    write_table(tmp_path / "t.h5", make_people(300, 2))
    output = tmp_path / f"{'0' * 12}.json"
    arguments = [str(tmp_path / "t.h5"), "--name", "made-up people", "-o", str(output), "--sizes", "10", "50"]
    assert main([*arguments, "--repeats", "3", "--components", "2"]) == 0
    for score in ("cosine", "normalized"):
        curve = find_curve({"space": {"weights_sha256": "0" * 64}}, score=score, folder=tmp_path)
        assert (curve.n_exemplars, curve.measured_on, curve.score) == ((10, 50), "made-up people", score)
    assert "--repeats 3" in json.loads(output.read_text())["recipe"]
    assert "cosine:    50 exemplars" in capsys.readouterr().out
