"""The script that fits a background model."""

import json

from classifiers.scores.normalization import find_background, read_background
from experiments.fit_background import main
from tests.classifiers.people import make_people
from tests.test_train_classifier import write_table


def test_the_script_writes_a_model_that_is_found(tmp_path, capsys):
    write_table(tmp_path / "t.h5", make_people(120, 2))
    output, figures = tmp_path / f"{'0' * 12}.npz", tmp_path / "f.json"
    arguments = [str(tmp_path / "t.h5"), "--name", "made-up people", "-o", str(output), "--json", str(figures)]
    assert main([*arguments, "--components", "2"]) == 0
    background = find_background({"space": {"weights_sha256": "0" * 64}}, folder=tmp_path)
    assert (background.n_identities, background.record["measured_on"]) == (120, "made-up people")
    assert background.record["space"]["crop_size"] == 160
    assert set(json.loads(figures.read_text())) == {
        "n_identities",
        "fewest_identities_in_a_component",
        "largest_share_of_one_identity",
        "membership_auc",
    }
    assert "membership_auc: " in capsys.readouterr().out
    assert read_background(output).temperature == 0.06
