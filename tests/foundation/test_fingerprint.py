"""Which fields of two fingerprints differ."""

import json
import pickle

import pytest

from foundation.errors import SpaceMismatchError
from foundation.fingerprint import Fingerprint, Space, differing_fields


def test_differing_fields_sees_missing_ones():
    assert differing_fields({"a": 1, "b": 2}, {"b": 2, "c": 3}) == {"a": (1, "(not said)"), "c": ("(not said)", 3)}


def test_another_space_is_refused_and_another_provenance_is_not():
    Fingerprint({"a": 1}, {"b": 1}).check_same_space({"space": {"a": 1}, "provenance": {"b": 2}})
    with pytest.raises(SpaceMismatchError, match="compared with the table's: expected a 1, got a 2"):
        Fingerprint({"a": 1}).check_same_space({"space": {"a": 2}}, source="the table's")


def test_a_fingerprint_is_the_mapping_that_files_hold():
    made = Fingerprint({"margin": {"mode": "scaled", "value": 32.0}}, {"thresholds": (0.6, 0.7), "preset": "p"})
    stored = {
        "space": {"margin": {"mode": "scaled", "value": 32.0}},
        "provenance": {"thresholds": [0.6, 0.7], "preset": "p"},
    }
    assert made == stored and json.loads(json.dumps(made.to_json())) == stored
    assert list(made) == ["space", "provenance"] and made["space"]["margin"]["value"] == 32.0
    assert (
        Fingerprint.of(stored) == made and Fingerprint.of(made) is made and hash(Fingerprint.of(stored)) == hash(made)
    )
    assert (made.preset, made.precision) == ("p", "fp32")
    assert pickle.loads(pickle.dumps(made)) == made


def test_what_is_missing_is_empty():
    assert Fingerprint.of(None) == Fingerprint.of({}) == {"space": {}, "provenance": {}}
    assert Fingerprint.of({}).space.weights_sha256 == "" and Fingerprint.of({}).preset is None
    with pytest.raises(KeyError, match="embedding_length"):
        _ = Space().embedding_length
    with pytest.raises(KeyError, match="nonsense"):
        _ = Fingerprint()["nonsense"]


def test_fields_cannot_be_set():
    with pytest.raises(TypeError, match="item assignment"):
        Fingerprint({"a": 1}).space["a"] = 2
