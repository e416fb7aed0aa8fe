"""``facetable compare-heads``, and what the commands that measure write as CSV."""

import csv
import json
import os

import numpy as np
import pytest

import facetable
from people.forgetting.csv_files import CsvFiles, ResultSheets
from people.forgetting.person import Person
from tests.classifiers.measuring.test_head_comparison import crowd
from tests.embedder.verification.test_lfw import TEN_FOLD, make_table
from tests.test_train_classifier import write_table


@pytest.fixture
def table(tmp_path):
    write_table(tmp_path / "t.h5", crowd(40, 3))
    return str(tmp_path / "t.h5")


def rows_of(path):
    with path.open(encoding="utf-8", newline="") as stream:
        return list(csv.DictReader(stream))


@pytest.mark.usefixtures("drawing")
def test_it_compares_all_heads(table, tmp_path, capsys):
    outputs = ["--json", str(tmp_path / "r.json"), "--plot", str(tmp_path / "c.svg"), "--csv", str(tmp_path / "rows")]
    assert facetable.main(["compare-heads", table, "--no-background", "--gallery-per-person", "2", *outputs]) == 0
    heads = json.loads((tmp_path / "r.json").read_text())["heads"]
    assert [(one["head"], one["score"]) for one in heads] == [
        (name, "cosine") for name in ("gallery", "knn", "svm", "logreg", "lda")
    ]
    printed = capsys.readouterr().out
    assert printed.startswith("| photos each | head |")
    assert printed.endswith("\n\nof 60 photos of strangers: a rate below 0.017 cannot be seen\n")
    probes = rows_of(tmp_path / "rows" / "heads_probes.csv")
    assert len(probes) == 5 * (20 + 60)
    assert {row["head"] for row in probes} == {"gallery", "knn", "svm", "logreg", "lda"}
    assert (tmp_path / "c.svg").read_bytes().startswith(b"<?xml")


def test_too_few_photos_name_the_flag(table, capsys):
    assert facetable.main(["compare-heads", table, "--no-background", "--gallery-per-person", "7"]) == 2
    assert capsys.readouterr().err.endswith("or use a larger table (--gallery-per-person)\n")


class TestCsv:
    @pytest.fixture
    def results(self, table, tmp_path):
        folder = tmp_path / "rows"
        csv_folder = ["--csv", str(folder)]
        assert facetable.main(["evaluate", table, "--no-background", *csv_folder]) == 0
        command = ["cluster", table, "-o", str(tmp_path / "people.csv"), "--no-background", "--threshold", "0.5"]
        assert facetable.main([*command, *csv_folder]) == 0
        (tmp_path / "pairs.txt").write_text(TEN_FOLD)
        make_table(noise=0.2).write(tmp_path / "clear.h5")
        make_table(noise=3).write(tmp_path / "noisy.h5")
        tables = ["--table", str(tmp_path / "clear.h5"), "--table", str(tmp_path / "noisy.h5")]
        assert facetable.main(["verify", "--pairs", str(tmp_path / "pairs.txt"), *tables, *csv_folder]) == 0
        return folder

    def test_every_command_writes_its_rows(self, results):
        assert {path.name: len(rows_of(path)) for path in results.iterdir() if "det" not in path.name} == {
            "evaluate_probes.csv": 100,
            "evaluate_rates.csv": 3,
            "cluster_faces.csv": 120,
            "cluster_groups.csv": len({row["cluster"] for row in rows_of(results / "cluster_faces.csv")}),
            "cluster_rates.csv": 14,
            "verify_pairs.csv": 16,
            "verify_rates.csv": 2 * (4 + 3),
            "verify_roc.csv": len(rows_of(results / "verify_roc.csv")),
        }
        pairs = [row for row in rows_of(results / "verify_pairs.csv") if row["network"] == "clear"]
        genuine = [float(row["score"]) for row in pairs if row["is_genuine"] == "1"]
        impostor = [float(row["score"]) for row in pairs if row["is_genuine"] == "0"]
        assert min(genuine) > max(impostor)
        rates = {(row["network"], row["measure"]): row for row in rows_of(results / "verify_rates.csv")}
        assert float(rates["clear", "auc"]["value"]) == 1 > float(rates["noisy", "auc"]["value"])
        curve = [row for row in rows_of(results / "verify_roc.csv") if row["network"] == "noisy"]
        area = np.trapezoid([float(row["tar"]) for row in curve], [float(row["far"]) for row in curve])
        assert area == pytest.approx(float(rates["noisy", "auc"]["value"]))

    @pytest.mark.skipif(os.name != "posix", reason="file modes are POSIX")
    def test_they_are_private(self, results):
        assert results.stat().st_mode & 0o777 == 0o700
        assert {oct(path.stat().st_mode & 0o777) for path in results.iterdir()} == {"0o600"}

    def test_names_in_them_can_be_found_and_forgotten(self, results):
        person = Person("Ada")
        stranger = Person("person 001")
        kinds = {}
        for path in sorted(results.iterdir()):
            beginning = path.read_bytes()[:64]
            kinds[path.name] = ResultSheets().claims(path, beginning)
            assert not CsvFiles().claims(path, beginning)
            if not kinds[path.name]:
                assert "person" not in path.read_text("utf-8") and "Ada" not in path.read_text("utf-8")
                continue
            for one in (person, stranger):
                n_rows = sum(any(map(one.is_in_text, row.values())) for row in rows_of(path))
                assert sum(found.n_found for found in ResultSheets().find(path, one)) == n_rows
            before = rows_of(path)
            ResultSheets().forget(path, person)
            ResultSheets().forget(path, stranger)
            after = rows_of(path)
            assert [row.get("score") for row in before] == [row.get("score") for row in after]
            assert "Ada" not in path.read_text("utf-8") and "person 001" not in path.read_text("utf-8")
        assert {name for name, is_known in kinds.items() if is_known} == {
            "cluster_faces.csv",
            "cluster_groups.csv",
            "evaluate_probes.csv",
            "verify_pairs.csv",
        }

    def test_nothing_else_is_replaced(self, table, tmp_path, capsys):
        folder = tmp_path / "mine"
        folder.mkdir()
        (folder / "evaluate_rates.csv").write_text("my,own,columns\n1,2,3\n")
        assert facetable.main(["evaluate", table, "--no-background", "--csv", str(folder)]) == 2
        assert "evaluate_rates.csv: expected the columns measure, at, value" in capsys.readouterr().err
        assert [path.name for path in folder.iterdir()] == ["evaluate_rates.csv"]
        assert facetable.main(["evaluate", table, "--no-background", "--csv", table]) == 2
        assert "expected a folder for --csv, found a file; name a folder" in capsys.readouterr().err


@pytest.mark.usefixtures("drawing")
def test_several_tables_come_into_one_figure(tmp_path, capsys):
    (tmp_path / "pairs.txt").write_text(TEN_FOLD)
    make_table(noise=0.2).write(tmp_path / "clear.h5")
    make_table(noise=3).write(tmp_path / "noisy.h5")
    command = ["verify", "--pairs", str(tmp_path / "pairs.txt"), "--table", str(tmp_path / "clear.h5")]
    command += ["--table", str(tmp_path / "noisy.h5"), "--json", str(tmp_path / "r.json")]
    assert facetable.main([*command, "--plot", str(tmp_path / "roc.svg")]) == 0
    record = json.loads((tmp_path / "r.json").read_text())
    assert record["n_pairs"] == 8
    assert record["networks"]["clear"]["auc"] == 1 > record["networks"]["noisy"]["auc"]
    assert "clear\n  8 pairs" in capsys.readouterr().out
    presets = ["--preset", "facenet-casia-20180408", "--preset", "facenet-ms1m-keras"]
    assert facetable.main([*command, *presets]) == 2
    assert "got `--table` and several `--preset`" in capsys.readouterr().err
    assert facetable.main([*command[:3], *presets, "--weights", "a.h5"]) == 2
    assert "give each its own: --preset NAME=WEIGHTS" in capsys.readouterr().err
