"""Whether names on clips are counted rightly, on the stand-ins of the loop's own tests."""

import argparse
from pathlib import Path

import numpy as np
import pytest
from scipy.stats import poisson

from classifiers.heads.open_set import build_head
from classifiers.heads.registry import make_head
from classifiers.scores.gallery import Gallery
from classifiers.scores.matcher import Matcher
from experiments.camera_names import (
    ClipResult,
    ListeningEncoder,
    draw_head,
    per_hour,
    rates_of_rule,
    read_rule,
    summarize,
    watch,
)
from experiments.moving_photos import FacePhoto
from recognition.tracking.evidence import EvidenceSettings
from tests.classifiers.people import make_people
from tests.recognition.fakes import ANN, BOB, FakeHead, draw_person, fake_encoder


def photo_of(colour: tuple[int, int, int]) -> FacePhoto:
    image = np.full((250, 250, 3), 96, np.uint8)
    return FacePhoto(draw_person(image, colour, (75, 70, 175, 170)), np.array([75.0, 70, 175, 170], np.float32))


def result(person: str, named_s: float | None, n_false: int = 0) -> ClipResult:
    return ClipResult(person, True, 9.0, 1, named_s, n_false, 2 * n_false, 0)


def test_a_known_face_is_named_rightly_and_soon() -> None:
    watched = watch(
        [photo_of(ANN)], "ann", ListeningEncoder(fake_encoder()), FakeHead(threshold=0.7), rng=np.random.default_rng(0)
    )
    assert (watched.is_enrolled, watched.n_false_names, watched.n_false_looks) == (True, 0, 0)
    assert watched.shown_s == 3.0
    assert watched.named_rightly_s is not None
    assert 0 < watched.named_rightly_s < 1.5


def test_a_stranger_who_is_taken_for_somebody_counts() -> None:
    head = FakeHead({"bob": BOB}, threshold=-1.0)
    watched = watch([photo_of(ANN)], "ann", ListeningEncoder(fake_encoder()), head, rng=np.random.default_rng(0))
    assert (watched.is_enrolled, watched.named_rightly_s) == (False, None)
    assert watched.n_false_names >= 1
    assert watched.n_false_looks >= 1


def test_rates() -> None:
    summary = summarize([result("a", 0.4), result("b", 1.5), result("b", None, n_false=1), result("c", 0.6)])
    assert (summary["clips"], summary["people"], summary["hours"]) == (4, 3, pytest.approx(0.01))
    assert summary["false_names_per_hour"]["value"] == pytest.approx(100)
    assert summary["false_looks_per_hour"]["value"] == pytest.approx(200)
    assert summary["clips_with_false_name"] == 0.25
    assert summary["named"] == 0.75
    assert summary["named_within"] == {"0.5 s": 0.25, "1 s": 0.5, "2 s": 0.75}
    assert summary["median_s"] == 0.6
    assert summarize([result("a", None)])["median_s"] is None


@pytest.mark.parametrize("n_events", [0, 1, 7])
def test_intervals_of_rates_are_exact(n_events: int) -> None:
    rate = per_hour(n_events, 2.0)
    assert rate["value"] == n_events / 2
    assert poisson.cdf(n_events, 2 * rate["high"]) == pytest.approx(0.025)
    if n_events:
        assert poisson.sf(n_events - 1, 2 * rate["low"]) == pytest.approx(0.025)
    else:
        assert rate["low"] == 0


def test_the_rule_on_vectors() -> None:
    gallery = Gallery.build(*make_people(6, 9))
    enrolled = gallery.selected(np.isin(gallery.codes, [0, 1, 2]) & (np.arange(len(gallery)) % 9 == 0))
    head = build_head(Matcher(enrolled), make_head("gallery"), threshold=0.5)
    own = gallery.selected(np.isin(gallery.codes, [0, 1, 2]) & (np.arange(len(gallery)) % 9 > 0))
    strangers = gallery.selected(~np.isin(gallery.codes, [0, 1, 2]))
    rows = list(rates_of_rule(own, head, np.random.default_rng(0)))
    assert [(row["photos"], row["n_people"], row["rate"]) for row in rows] == [(n, 3, 1.0) for n in (1, 2, 4, 8)]
    assert all(row["rate"] == 0 for row in rates_of_rule(strangers, head, np.random.default_rng(0)))
    head.threshold = 1.0 + EvidenceSettings().fusion_gain["cosine"]
    assert all(row["rate"] == 0 for row in rates_of_rule(own, head, np.random.default_rng(0)))
    asked = argparse.Namespace(score="cosine", fusion_gain=1.0, mean_vector_margin=None)
    lenient = list(rates_of_rule(own, head, np.random.default_rng(0), read_rule(asked, {})))
    assert [row["rate"] for row in lenient[::3]] == [0, 1], "one photo gains nothing, eight gain up to seven eighths"
    few = gallery.selected(np.arange(len(gallery)) % 9 < 4)
    assert list(rates_of_rule(few, head, np.random.default_rng(0))) == []


def test_who_is_enrolled_is_no_stranger_and_photos_are_used_once() -> None:
    people = make_people(900, 5)
    gallery = Gallery.build(*people, paths=[f"{name}/{row}.jpg" for row, name in enumerate(people.identities)])
    arguments = argparse.Namespace(people=20, photos=3, strangers=40, repeats=1, seed=0)
    head, mated, strange = draw_head(gallery, arguments, score="cosine")
    assert (len(head.labels), len(head.gallery), len(mated), len(strange)) == (20, 60, 40, 200)
    assert set(mated.labels) == set(head.labels)
    assert not set(strange.labels) & set(head.labels)
    assert not set(mated.paths) & set(head.gallery.paths)
    assert Path(str(mated.paths[0])).suffix == ".jpg"
