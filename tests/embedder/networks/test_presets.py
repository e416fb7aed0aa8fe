import hashlib
import json
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from embedder.errors import WeightsError
from embedder.networks.presets import DEFAULT_PRESET, PRESETS, Preset, get_preset, preset_for, write_preset

RUN_PRESET = Preset(
    name="my run",
    builder="embedder.networks.inception_resnet_v1:from_safetensors",
    weights_file="weights.safetensors",
    weights_sha256="0" * 64,
    input_size=96,
    embedding_size=64,
    standardization="per_image",
    verification_threshold=1.2,
)


def test_built_in_presets() -> None:
    casia, ms1m = get_preset(DEFAULT_PRESET), get_preset("facenet-ms1m-keras")
    assert (casia.embedding_size, casia.standardization, casia.input_size) == (512, "fixed", 160)
    assert (ms1m.embedding_size, ms1m.standardization, ms1m.input_size) == (128, "per_image", 160)
    for name, preset in PRESETS.items():
        assert preset.name == name
        assert len(preset.weights_sha256) == 64
        assert preset.verification_threshold is not None
        assert 0.9 < preset.verification_threshold < 1.3
        assert "research data" in preset.licence


def test_an_unknown_preset_lists_the_known_ones(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"`preset` must be one of .*, or the folder") as caught:
        get_preset("facenet")
    assert all(name in str(caught.value) for name in PRESETS)
    with pytest.raises(ValueError, match=r"this folder has no preset\.json") as caught:
        get_preset(tmp_path)
    assert all(name in str(caught.value) for name in PRESETS)


def test_the_default_weights_come_from_their_package() -> None:
    assert get_preset(DEFAULT_PRESET).find_weights().name == "graph_final.pb"


def test_weights_that_no_package_carries_must_be_given(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FACETABLE_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr("embedder.runtime.weights._CHECKOUT", tmp_path)
    preset = get_preset("facenet-ms1m-keras")
    with pytest.raises(WeightsError, match=r"needs its weights file: .*facenet_keras\.h5.*--weights FILE"):
        preset.find_weights()
    other = tmp_path / "facenet_keras.h5"
    other.write_bytes(b"other")
    with pytest.raises(WeightsError, match="expected SHA-256 6acdd8fb"):
        preset.find_weights(other)


@pytest.mark.parametrize("folder", ["cache/models", "data/models"])
def test_weights_that_were_fetched_are_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, folder: str) -> None:
    monkeypatch.setenv("FACETABLE_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr("embedder.runtime.weights._CHECKOUT", tmp_path)
    fetched = tmp_path / folder / "facenet_keras.h5"
    fetched.parent.mkdir(parents=True)
    fetched.write_bytes(b"weights")
    assert get_preset("facenet-ms1m-keras").find_weights() == fetched


def test_the_users_own_copy_is_taken_when_it_is_the_presets_file(tmp_path: Path) -> None:
    copy = tmp_path / "copy.bin"
    copy.write_bytes(b"weights")
    sha256 = hashlib.sha256(b"weights").hexdigest()
    assert replace(RUN_PRESET, weights_sha256=sha256).find_weights(str(copy)) == copy


def test_fixed_standardization() -> None:
    crops = np.array([0, 127, 128, 255], np.uint8).reshape(1, 2, 2, 1).repeat(3, axis=3)
    x = get_preset(DEFAULT_PRESET).standardize(crops)
    assert x.dtype == np.float32
    np.testing.assert_array_equal(x[0, :, :, 0].ravel(), np.array([-127.5, -0.5, 0.5, 127.5]) / 128)


def test_per_image_standardization_equals_its_definition() -> None:
    crops = np.random.default_rng(0).integers(0, 256, (3, 20, 20, 3)).astype(np.uint8)
    crops[1] //= 4
    crops[2] = 77
    x = RUN_PRESET.standardize(crops)
    assert x.dtype == np.float32
    for crop, got in zip(crops.astype(float), x, strict=True):
        deviation = max(np.sqrt(((crop - crop.mean()) ** 2).sum() / crop.size), 1 / np.sqrt(crop.size))
        np.testing.assert_allclose(got, (crop - crop.mean()) / deviation, atol=1e-6)
    np.testing.assert_array_equal(x[2], 0)
    np.testing.assert_allclose(x[:2].std(axis=(1, 2, 3)), 1, atol=1e-5)


def test_the_deviation_of_a_nearly_flat_crop_has_a_floor() -> None:
    crop = np.zeros((1, 100, 100, 3), np.uint8)
    crop[0, 0, 0, 0] = 1
    x = RUN_PRESET.standardize(crop)
    assert x.max() == pytest.approx((1 - 1 / 30000) * np.sqrt(30000), rel=1e-5)


def test_a_training_run_is_a_preset(tmp_path: Path) -> None:
    write_preset(tmp_path, RUN_PRESET)
    expected = replace(RUN_PRESET, weights_file=str(tmp_path / "weights.safetensors"))
    assert get_preset(tmp_path) == get_preset(str(tmp_path)) == expected
    assert [path.name for path in tmp_path.iterdir()] == ["preset.json"]


def test_a_record_needs_only_what_has_no_default(tmp_path: Path) -> None:
    record = {name: asdict(RUN_PRESET)[name] for name in ("name", "builder", "weights_file", "weights_sha256")}
    (tmp_path / "preset.json").write_text(json.dumps(record))
    preset = get_preset(tmp_path)
    assert (preset.input_size, preset.embedding_size, preset.verification_threshold) == (160, 512, None)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"name": ""}, "`name` must be a word"),
        ({"weights_file": "../other/weights.safetensors"}, "`weights_file` must be a file name without a folder"),
        ({"weights_file": "/etc/passwd"}, "`weights_file` must be a file name without a folder"),
        ({"weights_sha256": "123"}, "`weights_sha256` must be 64 hexadecimal digits, got '123'"),
        (
            {"builder": "os:remove"},
            "`builder` must be embedder.networks.inception_resnet_v1:from_safetensors, got 'os:remove'",
        ),
        ({"input_size": 0}, "`input_size` must be a whole number of at least 1, got 0"),
        ({"embedding_size": True}, "`embedding_size` must be a whole number of at least 1, got True"),
        ({"standardization": "none"}, "`standardization` must be fixed or per_image, got 'none'"),
        ({"verification_threshold": "1"}, "`verification_threshold` must be a number or null, got '1'"),
        ({"surprise": 1}, "expected an object with some of name, builder"),
    ],
)
def test_a_damaged_record_is_refused(tmp_path: Path, changes: dict[str, Any], message: str) -> None:
    (tmp_path / "preset.json").write_text(json.dumps(asdict(RUN_PRESET) | changes))
    with pytest.raises(WeightsError) as caught:
        get_preset(tmp_path)
    assert message in str(caught.value)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{", "not JSON"),
        ("[]", "expected an object"),
        ("{}", "`name` must be"),
    ],
)
def test_a_record_that_is_none_is_refused(tmp_path: Path, text: str, message: str) -> None:
    (tmp_path / "preset.json").write_text(text)
    with pytest.raises(WeightsError, match=message):
        get_preset(tmp_path)


def test_the_preset_of_a_fingerprint_is_that_of_its_weights() -> None:
    for name, preset in PRESETS.items():
        assert preset_for({"space": {"weights_sha256": preset.weights_sha256}}, source="h") == name
    assert preset_for({}, source="h") == DEFAULT_PRESET


@pytest.mark.parametrize(
    ("provenance", "found"),
    [({}, "000000000000...;"), ({"preset": DEFAULT_PRESET}, f"000000000000... of a preset '{DEFAULT_PRESET}';")],
)
def test_weights_nobody_knows_are_refused(provenance: dict[str, str], found: str) -> None:
    with pytest.raises(WeightsError) as raised:
        preset_for({"space": {"weights_sha256": "0" * 64}, "provenance": provenance}, source="family.skops")
    assert str(raised.value) == (
        "family.skops: expected vectors of weights 704afe26766c... (facenet-casia-20180408) or 6acdd8fb3a3f... "
        f"(facenet-ms1m-keras) or d8ba40c0127f... (mobilefacenet-ms1m), found those of weights {found} name the "
        "training run or preset file that made them with --preset, or embed the photos again and train a new head"
    )
