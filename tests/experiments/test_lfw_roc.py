"""Several tables in one ROC figure."""

import json

import pytest
from PIL import Image

from experiments.lfw_roc import main, verify_all
from tests.embedder.verification.test_lfw import TEN_FOLD, make_table


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "pairs.txt").write_text(TEN_FOLD)
    make_table(noise=0.2).write(tmp_path / "clear.h5")
    make_table(noise=3).write(tmp_path / "noisy.h5")
    return tmp_path


@pytest.mark.usefixtures("drawing")
def test_draws_all_tables(folder, capsys):
    arguments = [
        "--pairs",
        folder / "pairs.txt",
        "--table",
        folder / "clear.h5",
        "--table",
        folder / "noisy.h5",
        "-o",
        folder / "out/roc.png",
        "--json",
        folder / "r.json",
    ]
    assert main(list(map(str, arguments))) == 0
    results = json.loads((folder / "r.json").read_text())
    assert results["clear"]["auc"] == 1
    assert results["clear"]["auc"] > results["noisy"]["auc"]
    assert "clear\n  8 pairs" in capsys.readouterr().out
    with Image.open(folder / "out/roc.png") as figure:
        assert figure.width > 1000


def test_refuses_nothing_to_compare(folder):
    with pytest.raises(ValueError, match="`--preset` or `--table` is needed at least once"):
        verify_all(folder / "pairs.txt")


def test_refuses_presets_without_photos(folder):
    with pytest.raises(ValueError, match="`--images` is needed with `--preset`"):
        verify_all(folder / "pairs.txt", presets=["facenet-casia-20180408"])
