"""ROC and DET curves say what they are made of, with ticks that can be read."""

import pytest

from embedder.verification.lfw import read_pairs, verify
from embedder.verification.plots import plot_verifications
from foundation.drawing.share_plots import plot_format
from tests.embedder.verification.test_lfw import TEN_FOLD, make_table

pytestmark = pytest.mark.usefixtures("drawing")


@pytest.fixture
def pairs(tmp_path):
    (tmp_path / "pairs.txt").write_text(TEN_FOLD)
    return read_pairs(tmp_path / "pairs.txt")


@pytest.mark.parametrize(("suffix", "beginning"), [("png", b"\x89PNG"), ("svg", b"<?xml"), ("pdf", b"%PDF")])
def test_a_figure_says_people_pairs_and_interval(pairs, tmp_path, suffix, beginning):
    path = tmp_path / f"roc.{suffix}"
    figure = plot_verifications({"one": verify(pairs, make_table(noise=0.2))}, path)
    assert path.read_bytes().startswith(beginning)
    said = figure.get_suptitle()
    assert said.startswith("4 people, 8 pairs (4 of one person), 0 photos without a usable face\n")
    assert said.endswith("95 % intervals, bootstrapped over people")
    roc, det = figure.axes
    assert "TAR 100.0% [39.8%, 100.0%] at FAR 1 %" in roc.get_legend().get_texts()[0].get_text()
    figure.canvas.draw()
    for axis in (roc.xaxis, det.xaxis, det.yaxis):
        assert {"20 %", "50 %", "100 %"} <= {label.get_text() for label in axis.get_ticklabels()}
        assert {label.get_text() for label in axis.get_ticklabels(minor=True)} <= {""}
    assert all(label.get_text().endswith(" %") for label in roc.get_yticklabels())


def test_where_networks_failed_on_different_photos_each_says_its_own(pairs, tmp_path):
    whole, lacking = make_table(noise=0.2), make_table(statuses=["no_face", *["ok"] * 7])
    figure = plot_verifications({"a": verify(pairs, whole), "b": verify(pairs, lacking)}, tmp_path / "roc.png")
    assert "a: 4 people" in figure.get_suptitle()
    assert "(4 of one person), 1 photo without" in figure.get_suptitle().splitlines()[1]


def test_a_suffix_that_cannot_be_drawn_is_refused(tmp_path):
    with pytest.raises(ValueError, match=r"such as \.png, \.pdf or \.svg, got 'txt'"):
        plot_format(tmp_path / "roc.txt")
