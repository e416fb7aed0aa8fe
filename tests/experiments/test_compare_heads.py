"""The bake-off of heads, on made-up people."""

import json

import numpy as np
import pytest

from classifiers.scores.gallery import Gallery
from experiments.compare_heads import draw_curves, format_row, main, ranks_of, try_head
from tests.classifiers.people import make_background, make_people
from tests.test_train_classifier import write_table


def crowd(n_people, n_photos):
    """Return people with as many photos as they have been given, and as many with one."""
    people = make_people(n_people, n_photos, spread=0.9)
    names = people.identities.astype("U20")
    lone = np.arange(n_people * n_photos) >= n_people // 2 * n_photos
    names[lone] = [f"stranger {row}" for row in range(lone.sum())]
    return people._replace(identities=names)


def test_one_head():
    gallery = Gallery.build(*crowd(40, 3))
    figures, outcome, head = try_head("svm", gallery, per_person=1, background=make_background())
    assert (figures["gallery_size"], figures["n_mated"], figures["n_strangers"]) == (20, 40, 60)
    assert figures["fit_s"] > 0
    assert figures["query_ms"] > 0
    assert len(outcome.mated_scores) == 40
    ranks = ranks_of(head, gallery, 1)
    assert np.mean(ranks == 1) > 0.7
    assert ranks.max() <= 20
    assert format_row(figures).startswith("| 1 | svm | normalized | ")


@pytest.mark.usefixtures("drawing")
def test_curves_are_drawn(tmp_path):
    gallery = Gallery.build(*crowd(40, 3))
    _, outcome, head = try_head("gallery", gallery, per_person=1, background=None)
    draw_curves({"cosine, 1 photos each": (outcome, ranks_of(head, gallery, 1))}, str(tmp_path / "c.png"))
    assert (tmp_path / "c.png").read_bytes().startswith(b"\x89PNG")


@pytest.mark.timeout(120)
@pytest.mark.usefixtures("drawing")
def test_the_script_compares_all_heads(tmp_path, capsys, monkeypatch):
    monkeypatch.setattr("experiments.compare_heads.PHOTOS_PER_PERSON", (1, 2))
    write_table(tmp_path / "t.h5", crowd(120, 3))
    arguments = [str(tmp_path / "t.h5"), "--json", str(tmp_path / "r.json"), "--plot", str(tmp_path / "c.png")]
    assert main(arguments) == 2
    assert capsys.readouterr().err.endswith("use a table of more people, or fewer components\n")
    assert main([*arguments, "--components", "2"]) == 0
    results = json.loads((tmp_path / "r.json").read_text())
    assert [(one["per_person"], one["head"], one["score"]) for one in results] == [
        (k, *head)
        for k in (1, 2)
        for head in (
            ("gallery", "cosine"),
            ("gallery", "normalized"),
            ("knn", "normalized"),
            ("svm", "normalized"),
            ("logreg", "normalized"),
            ("lda", "normalized"),
        )
    ]
    assert capsys.readouterr().out.count("\n") == 14
    assert (tmp_path / "c.png").stat().st_size > 10_000


def test_too_few_photos_are_said_without_naming_flags_of_another_command(tmp_path, capsys):
    write_table(tmp_path / "t.h5", make_people(60, 1))
    assert main([str(tmp_path / "t.h5"), "--components", "2"]) == 2
    assert capsys.readouterr().err.endswith("; enrol another number of photos of each, or use a larger table\n")
