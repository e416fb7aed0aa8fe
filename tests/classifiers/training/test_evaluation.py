"""Who is enrolled and who is looked for, and the figures of a head."""

import numpy as np
import pytest
from sklearn.metrics import roc_curve

from classifiers.heads.head import Head
from classifiers.heads.open_set import fit_decision_rule
from classifiers.heads.registry import HEADS, make_head
from classifiers.scores.gallery import Gallery
from classifiers.scores.matcher import Matcher
from classifiers.scores.thresholds import ThresholdCurve
from classifiers.training.evaluation import evaluate, rates_at, report, score_probes, split_people, summarize_scores
from tests.classifiers.people import make_background, make_people

CURVE = ThresholdCurve((10, 1000), (0.5, 0.6), "cosine", "nowhere")


def crowd(n_known=40, n_strangers=60, seed=0):
    """Return people with three photos and people with one, some hard to tell apart."""
    known, others = make_people(n_known, 3, spread=1.0, seed=seed), make_people(n_strangers, 1, seed=seed + 1)
    names = [*known.identities, *np.char.replace(others.identities, "person", "stranger")]
    paths = [f"{name}/{row:04d}.jpg" for row, name in enumerate(names)]
    return Gallery.build(np.vstack([known.vectors, others.vectors]), names, paths=paths)


def by(head):
    estimator = make_head(head)
    return lambda matcher: fit_decision_rule(estimator, matcher)


def test_the_first_photos_by_path_are_enrolled():
    gallery = Gallery.build(
        make_people(6, 1).vectors, ["Bo", "Ada", "Bo", "Bo", "Cy", "Cy"], paths=["b3", "a1", "b1", "b2", "c2", "c1"]
    )
    split = split_people(gallery, 1)
    assert gallery.paths[split.enrolled].tolist() == ["b1", "c1"]
    assert sorted(gallery.paths[split.mated]) == ["b2", "b3", "c2"]
    assert gallery.paths[split.strangers].tolist() == ["a1"]
    split = split_people(gallery, 2)
    assert gallery.paths[split.enrolled].tolist() == ["b1", "b2"]
    assert sorted(gallery.paths[split.strangers]) == ["a1", "c1", "c2"]


def test_near_duplicates_of_enrolled_photos_are_left_out():
    vectors = make_people(4, 1).vectors
    gallery = Gallery.build(
        vectors[[0, 0, 1, 2, 2, 3]], ["Ada", "Ada", "Ada", "Bo", "Bo", "Cy"], paths=["a1", "a2", "a3", "b1", "b2", "c1"]
    )
    split = split_people(gallery, 1)
    assert gallery.paths[split.mated].tolist() == ["a3"]
    assert split.n_near_duplicates == 2
    with pytest.raises(ValueError, match="all further photos are near-duplicates"):
        split_people(gallery.selected(gallery.paths != "a3"), 1)


@pytest.mark.parametrize(("per_person", "message"), [(0, "must be at least 1, got 0"), (3, "got 0 and 100 people")])
def test_refuses_splits_that_cannot_be(per_person, message):
    with pytest.raises(ValueError, match=message):
        split_people(crowd(), per_person)
    with pytest.raises(ValueError, match="got 1 and 0 people"):
        split_people(Gallery.build(*make_people(1, 3)), 1)


def test_where_all_could_be_enrolled_every_second_person_is_a_stranger():
    gallery = Gallery.build(*make_people(5, 3))
    split = split_people(gallery, 1)
    assert split.plays_strangers
    assert sorted({*gallery.identities[split.enrolled]}) == [*gallery.labels[::2]]
    assert sorted({*gallery.identities[split.mated]}) == [*gallery.labels[::2]]
    assert sorted({*gallery.identities[split.strangers]}) == [*gallery.labels[1::2]]
    assert len(split.strangers) == 6
    result = evaluate(gallery, by("gallery"), curve=CURVE)
    assert (result["gallery_size"], result["n_strangers"]) == (3, 6)
    assert report(result)[1] == "all have photos enough to be enrolled: every second person plays a stranger instead"
    assert not split_people(crowd(), 1).plays_strangers


def test_the_rates_are_those_of_a_curve_through_all_thresholds():
    gallery = crowd()
    split = split_people(gallery, 1)
    matcher = Matcher(gallery.selected(split.enrolled))
    of_probes = score_probes(Head(matcher, by("gallery")(matcher), 0.0), gallery, split)
    # Rightly named mated probes are the positives; what is named wrongly can be found at no threshold.
    scores = np.concatenate([np.where(of_probes.mated_correct, of_probes.mated_scores, -1), of_probes.stranger_scores])
    is_mated = np.arange(len(scores)) < len(split.mated)
    fpir, tpir, _ = roc_curve(is_mated, scores, drop_intermediate=False)
    for wanted in ("0.01", "0.1"):
        expected = tpir[fpir <= float(wanted)].max()
        assert summarize_scores(of_probes)["tpir_at_fpir"][wanted]["value"] == pytest.approx(expected)
    at = rates_at(of_probes, 0.6)
    assert at["fpir"]["value"] == np.mean(of_probes.stranger_scores >= 0.6)
    assert at["tpir"]["value"] == np.mean(of_probes.mated_correct & (of_probes.mated_scores >= 0.6))


@pytest.mark.parametrize("head", HEADS)
def test_every_head_is_evaluated(head):
    result = evaluate(crowd(), by(head), curve=CURVE)
    assert (result["gallery_size"], result["n_mated"], result["n_strangers"]) == (40, 80, 60)
    assert result["rank1"]["value"] > 0.7
    assert set(result["tpir_at_fpir"]) == {"0.01", "0.1"}
    for estimate in (result["rank1"], *result["tpir_at_fpir"].values()):
        assert 0 <= estimate["low"] <= estimate["value"] <= estimate["high"] <= 1
    assert result["tpir_at_fpir"]["0.01"]["value"] <= result["tpir_at_fpir"]["0.1"]["value"]
    assert result["at_threshold"]["threshold"] == CURVE.at(40)


def test_a_rate_that_so_few_strangers_cannot_show_is_said():
    one_percent, ten_percent = (line for line in report(evaluate(crowd(), by("gallery"))) if line.startswith("TPIR at"))
    assert one_percent.endswith(" (of 60 photos of strangers: a rate below 0.017 cannot be seen)")
    assert "cannot be seen" not in ten_percent


def test_with_a_background_scores_are_normalized():
    result = evaluate(crowd(), by("gallery"), background=make_background(), fpir=0.1)
    assert result["score"] == "normalized"
    assert result["at_threshold"]["source"] == "calibrated"
    assert result["at_threshold"]["expected"]["n_strangers"] == 40
    assert "normalized scores" in report(result)[0]
    assert "from the enrolled people: TPIR" in report(result)[-1]


def test_where_no_threshold_can_be_had_the_reason_is_given():
    result = evaluate(crowd(n_known=5), by("gallery"))
    assert result["at_threshold"] is None
    assert "5 people cannot measure one" in result["no_threshold_because"]
    assert report(result)[-1].startswith("no threshold: ")


def test_more_photos_per_person_find_more():
    one, two = (evaluate(crowd(), by("gallery"), per_person=k, curve=CURVE) for k in (1, 2))
    assert two["n_exemplars"] == 80
    assert two["rank1"]["value"] >= one["rank1"]["value"]
