"""All heads on the same made-up people; their rows and curves."""

import numpy as np
import pytest
from PIL import Image

from classifiers.errors import IdentityError
from classifiers.measuring.head_comparison import compare_heads, format_row, try_head
from classifiers.measuring.head_plots import describe_probes, plot_heads
from classifiers.measuring.head_sheets import COMPARE_COLUMNS, MAX_RANK, comparison_rows
from classifiers.scores.gallery import Gallery
from foundation.drawing.share_plots import plot_format
from tests.classifiers.people import make_background, make_people


def crowd(n_people, n_photos):
    """Return people with as many photos as they have been given, and as many with one."""
    people = make_people(n_people, n_photos, spread=0.9)
    names = people.identities.astype("U20")
    lone = np.arange(n_people * n_photos) >= n_people // 2 * n_photos
    names[lone] = [f"stranger {row}" for row in range(lone.sum())]
    return people._replace(identities=names)


@pytest.fixture(scope="module")
def gallery():
    people = crowd(40, 3)
    return Gallery.build(*people, paths=[f"{row}.jpg" for row in range(len(people.vectors))])


def test_one_head(gallery):
    tried = try_head("svm", gallery, per_person=1, background=make_background())
    figures = tried.figures
    assert (figures["gallery_size"], figures["n_mated"], figures["n_strangers"]) == (20, 40, 60)
    assert figures["fit_s"] > 0
    assert figures["query_ms"] > 0
    assert len(tried.scores.mated_scores) == 40
    assert np.mean(tried.ranks == 1) > 0.7
    assert tried.ranks.max() <= 20
    assert format_row(figures).startswith("| 1 | svm | normalized | ")
    assert tried.label == "svm, normalized, 1 each"


def test_numbers_of_photos_that_nobody_has_are_left_out(gallery):
    tried = compare_heads(gallery, make_background(), per_person=(1, 10), names=("gallery",))
    assert [(one.name, one.per_person, one.figures["score"]) for one in tried] == [
        ("gallery", 1, "cosine"),
        ("gallery", 1, "normalized"),
    ]
    with pytest.raises(IdentityError, match="more than 10 photos"):
        compare_heads(gallery, None, per_person=(10,))


def test_rows_give_the_figures_back(gallery):
    (tried,) = compare_heads(gallery, None, per_person=(1,), names=("gallery",))
    rows = {
        name: [dict(zip(COMPARE_COLUMNS[name], row, strict=True)) for row in of_file]
        for name, of_file in comparison_rows(gallery, [tried]).items()
    }
    mated = [row for row in rows["heads_probes"] if row["kind"] == "mated"]
    strangers = [row for row in rows["heads_probes"] if row["kind"] == "stranger"]
    assert (len(mated), len(strangers)) == (40, 60)
    assert all((row["identity"] == row["named"]) == row["is_right"] for row in mated)
    assert len({row["photo"] for row in rows["heads_probes"]}) == 100
    rates = {(row["measure"], row["at"]): row for row in rows["heads_rates"]}
    assert rates["rank1", None]["value"] == np.mean([row["is_right"] for row in mated])
    assert (rates["rank1", None]["n_probes"], rates["rank1", None]["n_people"]) == (40, 20)
    assert rates["tpir_at_fpir", 0.1]["value"] == tried.figures["tpir_at_fpir"]["0.1"]["value"]
    # The curve at FPIR 10 % is the rate in the figures.
    allowed = [row["tpir"] for row in rows["heads_det"] if row["fpir"] <= 0.1]
    assert max(allowed) == pytest.approx(rates["tpir_at_fpir", 0.1]["value"])
    assert [row["rank"] for row in rows["heads_cmc"]] == list(range(1, MAX_RANK + 1))
    assert rows["heads_cmc"][0]["share"] == rates["rank1", None]["value"]
    assert rows["heads_times"][0]["probe_ms"] > 0


@pytest.mark.usefixtures("drawing")
@pytest.mark.parametrize("suffix", ["png", "svg", "pdf"])
def test_the_figure_says_what_it_is_made_of(gallery, tmp_path, suffix):
    (tried,) = compare_heads(gallery, None, per_person=(1,), names=("gallery",))
    path = tmp_path / "new" / f"c.{suffix}"
    title = describe_probes(tried.figures["gallery_size"], tried.scores)
    figure = plot_heads([(tried.label, tried.figures, tried.scores, tried.ranks)], path, title=title)
    figure.canvas.draw()
    said = figure.get_suptitle()
    assert said.startswith("20 people enrolled and 40 photos of them, 60 strangers on 60 photos\nbars")
    assert "95 % intervals" in said
    det, ranks = figure.axes
    assert [label.get_text() for label in ranks.get_xticklabels()] == ["1", "5", "10", "15", "20"]
    assert {"2 %", "5 %", "10 %", "20 %", "100 %"} <= {label.get_text() for label in det.get_xticklabels()}
    assert {label.get_text() for label in det.get_xticklabels(minor=True)} <= {""}
    assert "at FPIR 1 %" in det.get_legend().get_texts()[0].get_text()
    if suffix == "png":
        with Image.open(path) as picture:
            assert picture.width > 1000
    else:
        assert path.read_bytes()[:5] in (b"<?xml", b"%PDF-")


@pytest.mark.usefixtures("drawing")
def test_a_suffix_that_cannot_be_drawn_is_refused(tmp_path):
    with pytest.raises(ValueError, match=r"such as \.png, \.pdf or \.svg, got 'txt'"):
        plot_format(tmp_path / "c.txt")
