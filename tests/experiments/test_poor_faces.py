"""Faces too poor to be told apart: what is fitted, and that the shipped file finds made blurs."""

import numpy as np
import pytest

from classifiers.people_files.cannot_links import POOR
from classifiers.scores.clarity import Clarity, find_clarity
from embedder.images.reading import read_image
from embedder.networks.encoder import FaceEncoder
from experiments.poor_faces import BLURS, GOOD_LOST, RECOGNIZABLE, Blurs, blur, fit, lone_labels
from tests.classifiers.people import make_people


def test_every_blur_keeps_size_and_mean_and_loses_detail():
    photo = np.random.default_rng(0).integers(256, size=(120, 100, 3)).astype(np.uint8)
    for kind in BLURS:
        blurred = blur(photo, kind, 0.5)
        assert blurred.shape == photo.shape
        assert blurred.mean() == pytest.approx(photo.mean(), abs=3)
        assert blurred.std() < photo.std() / 2


def test_the_direction_parts_good_faces_from_poor_ones():
    good, other = make_people(40, 5, length=16).vectors, make_people(40, 5, length=16, seed=1).vectors
    shift = np.eye(16, dtype=np.float32)[3] * 1.5
    poor = (other - shift) / np.linalg.norm(other - shift, axis=1, keepdims=True)
    kinds = np.repeat(["sigma 8", "24 pixels"], 100)
    made = Blurs(np.concatenate([poor[:100], good[:100]]), kinds, np.full(200, "somebody"))
    direction, scores = fit(good, made)
    clarity = Clarity(direction, float(np.quantile(scores, GOOD_LOST)), "")
    assert np.linalg.norm(direction) == pytest.approx(1)
    assert clarity.are_poor(poor[100:]).mean() > 0.95
    assert clarity.are_poor(good).mean() <= 0.005


def test_poor_faces_are_lone():
    labels = lone_labels(np.array([0, POOR, 1, POOR]))
    assert labels[[0, 2]].tolist() == [0, 1]
    assert len(set(labels.tolist())) == 4


@pytest.mark.realdata
def test_the_shipped_direction_tells_made_blurs_from_the_photos_they_are_made_of(data):
    encoder = FaceEncoder()
    clarity = find_clarity(encoder.fingerprint)
    people = sorted((data / "lfw" / "images").iterdir())[::1000]
    photos = [read_image(sorted(folder.iterdir())[0]) for folder in people]
    hopeless = [kind for kind in BLURS if kind not in RECOGNIZABLE][::3]
    poor = {
        kind: [clarity.are_poor(encoder.encode(blur(photo, kind, 0.5)).embeddings[:1]).all() for photo in photos]
        for kind in hopeless
    }
    assert poor == dict.fromkeys(hopeless, [True] * len(photos))
    assert not any(clarity.are_poor(encoder.encode(photo).embeddings[:1]).any() for photo in photos)
