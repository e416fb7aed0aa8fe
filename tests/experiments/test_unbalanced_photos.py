"""Sets of people with few and with many photos, made of made-up people."""

import json

import numpy as np

from classifiers.scores.gallery import Gallery
from experiments.unbalanced_photos import draw_balanced, draw_crowd, draw_mixed, main, mislabel, try_gallery
from tests.classifiers.people import People, make_people
from tests.test_train_classifier import write_table


def people_of_many_sizes():
    crowd, some, alone = make_people(2, 120, seed=1), make_people(12, 5, seed=2), make_people(1300, 1, seed=3)
    names = [np.char.add(prefix, part.identities) for prefix, part in zip("abc", (crowd, some, alone), strict=True)]
    return People(np.vstack([crowd.vectors, some.vectors, alone.vectors]), np.concatenate(names))


def test_what_is_enrolled_is_never_looked_for():
    people = people_of_many_sizes()
    gallery = Gallery.build(people.vectors[:300], people.identities[:300])
    for draw in (draw_mixed, draw_crowd, lambda *arguments: draw_balanced(*arguments, per_person=3)):
        enrolled, probes = draw(gallery, np.random.default_rng(0))
        assert not set(enrolled) & set(probes)
        assert set(gallery.codes[probes]) == set(gallery.codes[enrolled])
        assert np.bincount(gallery.codes[probes]).max() <= 10
    enrolled, _ = draw_crowd(gallery, np.random.default_rng(0))
    assert sorted(np.bincount(gallery.codes[enrolled])) == [*[1] * 13, 119]


def test_a_crowd_outvoted_before_and_does_not_now():
    rng = np.random.default_rng(0)
    crowd = rng.normal(size=(200, 16)) * 0.12 + np.eye(16)[0]
    few = np.eye(16)[1:9] + 0.2 * np.eye(16)[0]
    enrolled = Gallery.build(np.vstack([crowd, few]), ["Crowd"] * 200 + [f"person {row}" for row in range(8)])
    probes = Gallery.build(0.5 * np.eye(16)[1:9] + 0.9 * np.eye(16)[10], [f"person {row}" for row in range(8)])
    shares = try_gallery(enrolled, probes, Gallery.build(np.eye(16)[12:], list("stuv")), background=None)
    assert {name: share["rank1"] for name, share in shares.items()} == {
        "gallery": 1.0,
        "knn": 1.0,
        "knn before": 0.0,
        "svm": 1.0,
        "svm before": 0.0,
    }


def test_a_tenth_is_mislabelled():
    gallery = Gallery.build(*make_people(50, 20))
    assert 0.05 < np.mean(mislabel(gallery, np.random.default_rng(0)).identities != gallery.identities) < 0.15


def test_the_script_prints_a_row_for_each_kind_and_head(tmp_path, capsys, monkeypatch):
    monkeypatch.setattr("experiments.unbalanced_photos.N_SETS", 1)
    write_table(tmp_path / "t.h5", people_of_many_sizes())
    assert main([str(tmp_path / "t.h5"), "--json", str(tmp_path / "r.json")]) == 0
    assert capsys.readouterr().out.count("\n") == 2 + 6 * 5
    record = json.loads((tmp_path / "r.json").read_text())
    assert record["1 to 300 photos"][0]["knn"]["rank1"] == record["1 to 300 photos"][0]["gallery"]["rank1"]
    write_table(tmp_path / "alone.h5", make_people(5, 1))
    assert main([str(tmp_path / "alone.h5")]) == 2
    assert "expected people with one photo and people with more" in capsys.readouterr().err
