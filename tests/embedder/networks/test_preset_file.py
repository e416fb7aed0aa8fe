"""Presets in JSON files beside the user's own networks."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from embedder.detection.alignment import CropRule, crop_faces
from embedder.errors import WeightsError
from embedder.networks.encoder import FaceEncoder
from embedder.networks.face_embedder import FaceEmbedder
from embedder.networks.presets import PRESETS, get_preset
from tests.embedder.small_networks import write_network, write_record
from tests.recognition.fakes import FakeDetector, faces_at

MADE_BEFORE = {
    "facenet-casia-20180408": {
        "alignment": "box",
        "crop_size": 160,
        "embedding_length": 512,
        "margin": {"mode": "scaled", "value": 32.0},
        "standardization": "fixed",
        "weights_sha256": "704afe26766ce6215931b0bde68650835be9518613d40ce101e641708c7d5c78",
    },
    "facenet-ms1m-keras": {
        "alignment": "box",
        "crop_size": 160,
        "embedding_length": 128,
        "margin": {"mode": "scaled", "value": 32.0},
        "standardization": "per_image",
        "weights_sha256": "6acdd8fb3a3fb2b54257abdd1879246a3fcbe18fbe53a41c751e141abe63a0af",
    },
}
"""The spaces in tables and heads that versions up to 0.2 have written."""


@pytest.mark.parametrize("name", MADE_BEFORE)
def test_spaces_stay_those_of_tables_and_heads_made_before(name: str) -> None:
    preset = PRESETS[name]
    assert {**preset.space, **preset.crop_rule.space} == MADE_BEFORE[name]
    assert {**preset.space, **CropRule(160).like(MADE_BEFORE[name]).space} == MADE_BEFORE[name]


def test_a_record_of_before_makes_the_space_of_before(tmp_path: Path) -> None:
    record = {
        "name": "run",
        "builder": "embedder.networks.inception_resnet_v1:from_safetensors",
        "weights_file": "weights.safetensors",
        "weights_sha256": "0" * 64,
        "weights_package": "",
        "input_size": 96,
        "embedding_size": 64,
        "standardization": "per_image",
        "verification_threshold": 1.2,
        "accuracy": "not measured",
        "licence": "unknown",
        "how_to_get": "",
    }
    (tmp_path / "preset.json").write_text(json.dumps(record))
    preset = get_preset(tmp_path)
    assert {**preset.space, **preset.crop_rule.space} == {
        "weights_sha256": "0" * 64,
        "crop_size": 96,
        "standardization": "per_image",
        "embedding_length": 64,
        "margin": {"mode": "scaled", "value": 32.0},
        "alignment": "box",
    }


def test_five_points_cut_faces_out_by_the_template_unless_the_head_says_otherwise(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FACETABLE_CACHE", str(tmp_path / "cache"))
    record = write_record(write_network(tmp_path / "net.onnx"), alignment="five_points", template="arcface_128")
    encoder = FaceEncoder(FakeDetector(), FaceEmbedder(record, threads=1))
    space = encoder.fingerprint.space
    assert (space["alignment"], space["template"]) == ("similarity", "arcface_128")
    image = np.random.default_rng(0).integers(0, 256, (120, 120, 3), np.uint8)
    faces = faces_at([(20, 30, 60, 70)])
    expected = crop_faces(image, faces.boxes, faces.landmarks, size=8, alignment="similarity", template="arcface_128")
    np.testing.assert_array_equal(encoder.crop(image, faces), expected)
    like = FaceEncoder.like
    assert like({}, FakeDetector(), encoder.embedder).crop_rule == encoder.crop_rule
    assert like(encoder.fingerprint, FakeDetector(), encoder.embedder).fingerprint.space == space
    of_before = {"space": {"alignment": "similarity", "margin": {"mode": "scaled", "value": 32.0}}}
    assert like(of_before, FakeDetector(), encoder.embedder).crop_rule.template == "arcface_112"


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"layout": "NHCW"}, "`layout` must be NHWC or NCHW, got 'NHCW'"),
        ({"channel_order": ["RGB"]}, "`channel_order` must be RGB or BGR, got ['RGB']"),
        ({"mean": [1.0, 2.0]}, "`mean` must be a number, or three, got [1.0, 2.0]"),
        ({"mean": float("nan")}, "`mean` must be a number, or three, got nan"),
        ({"scale": 0}, "`scale` must be a number above 0, or three, got 0"),
        ({"alignment": "eyes"}, "`alignment` must be box or five_points, got 'eyes'"),
        ({"margin": -1}, "`margin` must be a number of pixels, at least 0, got -1"),
        ({"template": {}}, "`template` must be arcface_112 or arcface_128, got {}"),
        ({"mirrored_copy": 1}, "`mirrored_copy` must be true or false, got 1"),
        ({"output": None}, "`output` must be text, got None"),
        ({"weights_file": "net.pt"}, "`weights_file` must be one of .onnx, .tflite, .safetensors, got 'net.pt'"),
        ({"standardization": "per_image", "mean": 3.0}, "`mean` and `scale` have no use beside"),
        ({"surprise": 1}, "got `surprise` in "),
    ],
)
def test_a_record_is_strict(tmp_path: Path, changes: dict[str, Any], message: str) -> None:
    path = write_record(write_network(tmp_path / "net.onnx"), **changes)
    with pytest.raises(WeightsError) as caught:
        get_preset(path)
    assert str(caught.value).startswith(f"{path}: ")
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_record_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(WeightsError, match=r"mine\.json: expected the JSON file of a preset, but it cannot be read"):
        get_preset(tmp_path / "mine.json")


def test_a_record_of_another_network_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FACETABLE_CACHE", str(tmp_path / "cache"))
    record = write_record(write_network(tmp_path / "net.onnx"), weights_sha256="0" * 64)
    with pytest.raises(WeightsError, match=r"net\.onnx: expected SHA-256 0000"):
        FaceEmbedder(record)
