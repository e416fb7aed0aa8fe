"""The bake-off of heads with a background of other people of the same table, on made-up people."""

import json

import pytest

from experiments.compare_heads import main
from tests.classifiers.measuring.test_head_comparison import crowd
from tests.classifiers.people import make_people
from tests.test_train_classifier import write_table


@pytest.mark.timeout(120)
@pytest.mark.usefixtures("drawing")
def test_the_script_compares_all_heads(tmp_path, capsys):
    write_table(tmp_path / "t.h5", crowd(120, 2))
    arguments = [str(tmp_path / "t.h5"), "--json", str(tmp_path / "r.json"), "--plot", str(tmp_path / "c.png")]
    assert main(arguments) == 2
    assert capsys.readouterr().err.endswith("use a table of more people, or fewer components\n")
    assert main([*arguments, "--components", "2", "--csv", str(tmp_path / "rows")]) == 0
    results = json.loads((tmp_path / "r.json").read_text())
    # Nobody has four photos, let alone eleven.
    assert [(one["per_person"], one["head"], one["score"]) for one in results] == [
        (1, "gallery", "cosine"),
        *((1, head, "normalized") for head in ("gallery", "knn", "svm", "logreg", "lda")),
    ]
    assert capsys.readouterr().out.count("\n") == 8
    assert (tmp_path / "c.png").stat().st_size > 10_000
    assert (tmp_path / "rows" / "heads_probes.csv").is_file()


def test_too_few_photos_are_said_without_naming_flags_of_another_command(tmp_path, capsys):
    write_table(tmp_path / "t.h5", make_people(60, 1))
    assert main([str(tmp_path / "t.h5"), "--components", "2"]) == 2
    assert capsys.readouterr().err.endswith("; enrol another number of photos of each, or use a larger table\n")
