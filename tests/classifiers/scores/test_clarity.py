"""Which faces are too poor to be told apart."""

import json

import numpy as np
import pytest

from classifiers.errors import BackgroundError
from classifiers.scores.clarity import Clarity, find_clarity

WEIGHTS = "0123456789ab" + "0" * 52
FINGERPRINT = {"space": {"weights_sha256": WEIGHTS}, "provenance": {}}


def write(folder, **record):
    whole = {"weights_sha256": WEIGHTS, "direction": [1.0, 0.0], "threshold": 0.5, **record}
    (folder / f"{WEIGHTS[:12]}.clarity.json").write_text(json.dumps(whole))


def test_faces_below_the_threshold_are_poor():
    clarity = Clarity(np.float32([1, 0]), 0.5, WEIGHTS)
    vectors = np.float32([[1, 0], [0.5, 0.5], [0.4, 0.9], [-1, 0]])
    assert clarity.are_poor(vectors).tolist() == [False, False, True, True]
    assert clarity.are_poor(np.empty((0, 2), np.float32)).tolist() == []


def test_a_face_is_poor_whatever_stands_beside_it():
    rng = np.random.default_rng(0)
    clarity = Clarity(rng.normal(size=512).astype(np.float32), 0.0, WEIGHTS)
    vectors = rng.normal(size=(100, 512)).astype(np.float32)
    assert clarity.scores(vectors)[17:18].tolist() == clarity.scores(vectors[17:18]).tolist()


def test_is_found_by_its_weights(tmp_path):
    assert find_clarity(FINGERPRINT, folder=tmp_path) is None
    write(tmp_path)
    assert find_clarity(FINGERPRINT, folder=tmp_path).threshold == 0.5
    assert find_clarity(None, folder=tmp_path) is None
    write(tmp_path, weights_sha256="0123456789ab" + "1" * 52)
    assert find_clarity(FINGERPRINT, folder=tmp_path) is None


@pytest.mark.parametrize(
    "record", [{"direction": "x"}, {"threshold": None}, {"direction": [[1.0]]}, {"threshold": 1e999}]
)
def test_a_damaged_file_is_named(tmp_path, record):
    write(tmp_path, **record)
    with pytest.raises(BackgroundError, match=r"clarity\.json: expected the clarity direction of a preset"):
        find_clarity(FINGERPRINT, folder=tmp_path)


def test_vectors_of_another_length_are_refused():
    with pytest.raises(ValueError, match="must hold vectors of length 2, got 3"):
        Clarity(np.float32([1, 0]), 0.5, WEIGHTS).are_poor(np.ones((1, 3)))
