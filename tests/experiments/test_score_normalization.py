"""The comparison of score normalizations, on made-up people some of whom look like everybody."""

import json

import numpy as np
import pytest

from classifiers.presets.mixture import fit_background
from classifiers.scores.gallery import Gallery
from classifiers.training.evaluation import split_people
from experiments.score_normalization import (
    draw_faces,
    find_rates,
    level_of_faces,
    main,
    soft_maximum,
    symmetric_norm,
)
from tests.classifiers.people import make_background, make_people
from tests.test_train_classifier import write_table


def test_draws_follow_the_mixture():
    background = make_background()
    draws = draw_faces(background, 20_000, np.random.default_rng(0))
    np.testing.assert_allclose(np.linalg.norm(draws, axis=1), 1.0, atol=1e-5)
    mean = background.weights @ background.means
    assert np.corrcoef(draws.mean(axis=0) @ background.components.T, mean)[0, 1] > 0.99


def test_symmetric_norm_by_hand():
    cohort, rows = make_people(200, 1, seed=1).vectors, make_people(5, 1, seed=2).vectors
    scores = symmetric_norm(cohort, 0.1)(rows[:2], rows[2:])
    top = [np.sort(cohort @ row)[::-1][:20] for row in rows]
    cosine = rows[0] @ rows[3]
    expected = ((cosine - top[0].mean()) / top[0].std() + (cosine - top[3].mean()) / top[3].std()) / 2
    assert scores[0, 1] == pytest.approx(expected, rel=1e-4)


def test_the_mixture_stands_in_for_its_faces():
    faces = make_people(3, 1000, length=6, spread=0.8).vectors
    background = fit_background(faces, n_components=3, temperature=0.3)
    probes = background.center(make_people(20, 1, length=6, seed=3).vectors)
    real = level_of_faces(background.center(faces), 0.3)(probes)
    assert np.corrcoef(background.level(probes), real)[0, 1] > 0.98
    np.testing.assert_allclose(background.level(probes), real, atol=0.1)
    scores = soft_maximum(background.level)(probes, probes)
    np.testing.assert_allclose(np.diag(scores), 1.0 - background.level(probes), atol=1e-5)


def test_rates_by_hand():
    names = ["Ada", "Ada", "Bo", "Bo", "Cy", "Dee"]
    gallery = Gallery.build(make_people(6, 1).vectors, names, paths=["a1", "a2", "b1", "b2", "c", "d"])
    split = split_people(gallery, 1)
    # Probes a2, b2, then the strangers c and d; exemplars a1, b1.
    scores = np.array([[0.9, 0.1], [0.8, 0.2], [0.5, 0.4], [0.3, 0.2]])
    assert find_rates(scores, gallery, split) == {"rank1": 0.5, "tpir_at_fpir_0.01": 0.5, "tpir_at_fpir_0.1": 0.5}


@pytest.mark.timeout(60)
def test_the_script_compares_all_scores(tmp_path, capsys, monkeypatch):
    monkeypatch.setattr("experiments.score_normalization.N_HALVES", 1)
    people = make_people(1400, 2, length=16, spread=0.9)
    names = people.identities.copy()
    # Half of the people have one photo only, and play strangers.
    names[1::4] = [f"other {row}" for row in range(len(names[1::4]))]
    write_table(tmp_path / "t.h5", people._replace(identities=names))
    assert main([str(tmp_path / "t.h5"), "--json", str(tmp_path / "r.json")]) == 0
    (half,) = json.loads((tmp_path / "r.json").read_text())
    assert len(half) == 6
    assert all(0.0 <= rate <= 1.0 for rates in half.values() for rate in rates.values())
    assert "| soft maximum, mixture (shipped) |" in capsys.readouterr().out
