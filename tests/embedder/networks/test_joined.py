"""Several networks as one: vectors, crops, records, and what is refused."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from embedder.detection.alignment import CropRule
from embedder.detection.faces import Faces
from embedder.errors import WeightsError
from embedder.networks.encoder import EncoderOptions, FaceEncoder
from embedder.networks.face_embedder import FaceEmbedder
from embedder.networks.joined import JoinedCropRule, JoinedEmbedder, JoinedPreset, find_preset, load_embedder
from embedder.networks.mirrored import MirroredEmbedder
from embedder.networks.presets import PRESETS, alike_similarity, get_preset, preset_for
from embedder.pipeline.runner import embed_folder
from foundation.errors import SpaceMismatchError
from foundation.fingerprint import Fingerprint
from tests.embedder.small_networks import LENGTH, SIZE, write_network, write_record
from tests.recognition.fakes import ANN, FakeDetector, faces_at, image_with

FACENETS = "facenet-casia-20180408+facenet-ms1m-keras"
WEIGHTS = (0.8, 0.2)


class BatchDetector(FakeDetector):
    """Finds faces of several images at a time."""

    def detect_batch(self, images: Sequence[np.ndarray]) -> list[Faces]:
        return [self.detect(image) for image in images]


@pytest.fixture
def parts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[Path, Path, Path]:
    """Return the records of three presets: the second cuts out otherwise, the third as the first one does."""
    monkeypatch.setenv("FACETABLE_CACHE", str(tmp_path / "cache"))
    network = write_network(tmp_path / "net.onnx")
    first = write_record(network).rename(tmp_path / "first.json")
    second = write_record(network, name="other", alignment="five_points").rename(tmp_path / "second.json")
    third = write_record(network, name="third", channel_order="BGR").rename(tmp_path / "third.json")
    return first, second, third


def write_joined(folder: Path, *entries: Any, **changes: Any) -> Path:
    path = folder / "joined.json"
    path.write_text(json.dumps({"name": "both", "joined": entries, **changes}))
    return path


def joined_record(folder: Path) -> Path:
    entries = [
        {"preset": "first.json", "weight": 4},
        {"preset": "second.json", "weight": 1},
    ]
    return write_joined(folder, *entries, verification_threshold=1.25)


def test_the_cosine_is_the_weighted_mean_of_the_cosines(tmp_path: Path, parts: tuple[Path, ...]) -> None:
    encoder = FaceEncoder(FakeDetector(), load_embedder(joined_record(tmp_path), threads=1))
    assert isinstance(encoder.embedder, JoinedEmbedder)
    assert encoder.embedder.preset.weights == pytest.approx(WEIGHTS)
    image = np.random.default_rng(0).integers(0, 256, (120, 240, 3), np.uint8)
    faces = faces_at([(20, 30, 60, 70), (100, 20, 160, 90), (170, 40, 220, 100)])
    vectors = encoder.embed(encoder.crop(image, faces))
    assert vectors.dtype == np.float32
    assert vectors.shape == (3, 2 * LENGTH) == (3, encoder.embedding_length)
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-6)
    expected = np.zeros((3, 3))
    for record, weight in zip(parts, WEIGHTS, strict=False):
        alone = FaceEncoder(FakeDetector(), FaceEmbedder(record, threads=1))
        own = alone.embed(alone.crop(image, faces))
        expected += weight * (own @ own.T)
    np.testing.assert_allclose(vectors @ vectors.T, expected, atol=1e-6)


def test_equal_crops_are_made_once_and_people_look_at_the_first_one(parts: tuple[Path, ...]) -> None:
    preset = JoinedPreset("all", tuple(get_preset(part) for part in parts))
    assert preset.crop_rule.rules == (CropRule(SIZE), CropRule(SIZE, alignment="similarity"))
    image = np.random.default_rng(0).integers(0, 256, (120, 120, 3), np.uint8)
    faces = faces_at([(20, 30, 60, 70)])
    crops = preset.crop_rule.crop(image, faces.boxes, faces.landmarks)
    assert crops.shape == (1, SIZE, 2 * SIZE, 3)
    for number, rule in enumerate(preset.crop_rule.rules):
        alone = rule.crop(image, faces.boxes, faces.landmarks)
        np.testing.assert_array_equal(preset.crop_rule.part(crops, number), alone)
    np.testing.assert_array_equal(
        preset.crop_rule.view(crops), CropRule(SIZE).crop(image, faces.boxes, faces.landmarks)
    )


def test_parts_of_two_sizes_lie_side_by_side() -> None:
    rule = JoinedCropRule((CropRule(16), CropRule(24, margin=0)))
    assert rule.shape == (24, 40, 3)
    image = np.random.default_rng(0).integers(1, 256, (60, 60, 3), np.uint8)
    faces = faces_at([(20, 20, 40, 44)])
    crops = rule.crop(image, faces.boxes, faces.landmarks)
    assert (rule.part(crops, 0).shape, rule.part(crops, 1).shape) == ((1, 16, 16, 3), (1, 24, 24, 3))
    assert not crops[:, 16:, :16].any()
    assert crops[:, :16, :16].all() and crops[:, :, 16:].all()


def test_mirrored_crops_are_mirrored_part_by_part(tmp_path: Path, parts: tuple[Path, ...]) -> None:
    embedder = load_embedder(joined_record(tmp_path), threads=1)
    crops = np.random.default_rng(0).integers(0, 256, (2, SIZE, 2 * SIZE, 3), np.uint8)
    turned = np.concatenate([crops[:, :, SIZE - 1 :: -1], crops[:, :, : SIZE - 1 : -1]], axis=2)
    expected = np.hstack([embedder.embed(crops), embedder.embed(turned)]) / np.sqrt(2)
    np.testing.assert_allclose(MirroredEmbedder(embedder).embed(crops), expected, atol=1e-6)
    encoder = FaceEncoder(FakeDetector(), embedder)
    sums = embedder.embed(crops) + embedder.embed(turned)
    expected = sums / np.linalg.norm(sums, axis=1, keepdims=True)
    np.testing.assert_allclose(encoder.embed_mirrored(crops), expected, atol=1e-6)


def test_a_table_of_joined_presets_is_mixed_with_none_of_theirs(tmp_path: Path, parts: tuple[Path, ...]) -> None:
    photos = tmp_path / "photos"
    photos.mkdir()
    Image.fromarray(image_with((ANN, (20, 30, 60, 70)))).save(photos / "a.png")
    record = joined_record(tmp_path)
    embedder = load_embedder(record, threads=1)
    table = embed_folder(photos, tmp_path / "faces.h5", embedder=embedder, detector=BatchDetector())
    assert table.embeddings.shape == (1, 2 * LENGTH)
    space = table.fingerprint.space
    assert (space.embedding_length, [part["weight"] for part in space["joined"]]) == (2 * LENGTH, [0.8, 0.2])
    assert [part["alignment"] for part in space["joined"]] == ["box", "similarity"]
    assert table.fingerprint.preset == "both"
    again = FaceEncoder.like(table.fingerprint, FakeDetector(), load_embedder(record, threads=1))
    table.fingerprint.check_same_space(again.fingerprint)
    alone = FaceEncoder.like({}, FakeDetector(), FaceEmbedder(parts[0], threads=1))
    with pytest.raises(
        SpaceMismatchError, match=r"embedding_length 10, joined \w+\.\.\. \(0\.8\) \+ .*, got alignment box"
    ):
        table.fingerprint.check_same_space(alone.fingerprint)
    other = write_joined(tmp_path, {"preset": "first.json"}, {"preset": "second.json"})
    equal = FaceEncoder(FakeDetector(), load_embedder(other, threads=1))
    with pytest.raises(SpaceMismatchError, match=r"expected joined .*\(0\.8\) \+ .*\(0\.2\).*got joined .*\(0\.5\)"):
        table.fingerprint.check_same_space(equal.fingerprint)


def test_built_in_presets_are_joined_by_name_and_found_by_the_fingerprint() -> None:
    preset = find_preset(FACENETS)
    assert isinstance(preset, JoinedPreset)
    assert [part.name for part in preset.parts] == FACENETS.split("+")
    assert preset.weights == (0.5, 0.5)
    assert preset.crop_rule.rules == (CropRule(160),)
    assert preset.space["embedding_length"] == 512 + 128
    assert preset.licence.count("research data") == 2
    made = Fingerprint(preset.space)
    assert preset_for(made, source="h") == FACENETS
    assert alike_similarity(made) == pytest.approx(1 - 1.099**2 / 2)
    assert (preset.verification_threshold, preset.accuracy) == (1.099, "LFW, 2,200 pairs: 0.9941 +- 0.0013")
    uneven = JoinedPreset("uneven", preset.parts, (0.6, 0.4))
    assert (alike_similarity({"space": uneven.space}), uneven.verification_threshold) == (None, None)
    assert find_preset("facenet-casia-20180408") is PRESETS["facenet-casia-20180408"]


def test_weights_that_were_measured_follow_the_names_in_any_order() -> None:
    there = find_preset("mobilefacenet-ms1m+facenet-casia-20180408")
    back = find_preset("facenet-casia-20180408+mobilefacenet-ms1m")
    assert isinstance(there, JoinedPreset) and isinstance(back, JoinedPreset)
    assert there.weights == pytest.approx((0.8, 0.2))
    assert back.weights == pytest.approx((0.2, 0.8))
    three = find_preset("mobilefacenet-ms1m+facenet-casia-20180408+facenet-ms1m-keras")
    assert isinstance(three, JoinedPreset) and three.weights == pytest.approx((0.7, 0.1, 0.2))


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("facenet-casia-20180408+facenet-casia-20180408", "facenet-casia-20180408 cannot be joined with itself"),
        ("facenet-casia-20180408+", r"expected names of presets between \+, found an empty one"),
        ("facenet-casia-20180408+other", r"`preset` must be one of facenet-casia-20180408.*, got 'other'"),
    ],
)
def test_names_that_join_nothing_are_refused(name: str, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        find_preset(name)


def test_one_weights_file_is_none_for_two_networks() -> None:
    with pytest.raises(ValueError, match=r"`weights` names one file, and facenet.* has 2 networks; leave it out"):
        FaceEncoder.for_fingerprint({}, EncoderOptions(preset=FACENETS, weights=Path("x.h5")))


def test_one_network_is_needed_where_one_alone_can_be_used() -> None:
    with pytest.raises(ValueError, match="one network is needed here, not joined ones"):
        get_preset(FACENETS)


def test_crop_settings_are_the_presets_own(tmp_path: Path, parts: tuple[Path, ...]) -> None:
    (tmp_path / "photos").mkdir()
    Image.fromarray(image_with((ANN, (20, 30, 60, 70)))).save(tmp_path / "photos" / "a.png")
    embedder = load_embedder(joined_record(tmp_path), threads=1)
    with pytest.raises(ValueError, match="`margin` cannot be given for joined presets: each network cuts"):
        embed_folder(tmp_path / "photos", tmp_path / "t.h5", margin=8.0, embedder=embedder, detector=BatchDetector())
    with pytest.raises(ValueError, match=r"`crops` must be uint8 of shape \(n, 8, 16, 3\), got uint8 of shape"):
        embedder.embed(np.zeros((1, SIZE, SIZE, 3), np.uint8))


FIRST, SECOND = {"preset": "first.json"}, {"preset": "second.json"}


@pytest.mark.parametrize(
    ("entries", "changes", "message"),
    [
        ([FIRST], {}, "expected at least two presets to join, got 1"),
        ([], {}, "expected at least two presets to join, got 0"),
        ([FIRST, FIRST], {}, "small cannot be joined with itself; name it once"),
        (
            [FIRST | {"weight": 0}, SECOND | {"weight": 0}],
            {},
            "weights must be numbers above 0, one for each preset, got 0",
        ),
        ([FIRST | {"weight": 1}, SECOND | {"weight": -1}], {}, "weights must be numbers above 0"),
        ([FIRST | {"weight": float("inf")}, SECOND], {}, "weights must be numbers above 0"),
        ([FIRST | {"weight": "1"}, SECOND], {}, "`weight` must be a number above 0"),
        ([FIRST | {"weight": True}, SECOND], {}, "`weight` must be a number above 0"),
        ([FIRST, {"preset": "../second.json"}], {}, "or a .json file beside this one, got '../second.json'"),
        ([FIRST, {"preset": 3}], {}, "or a .json file beside this one, got 3"),
        ([FIRST, "second"], {}, "`joined` must be a list of"),
        ([FIRST, {"weight": 1}], {}, "`joined` must be a list of"),
        ([FIRST, SECOND], {"surprise": 1}, "got `surprise`"),
        ([FIRST, SECOND], {"name": ""}, "`name` must be text, got ''"),
        ([FIRST, SECOND], {"licence": 3}, "`licence` must be text, got 3"),
        ([FIRST, SECOND], {"verification_threshold": 3}, "`verification_threshold` must be a number or null, got 3"),
    ],
)
def test_a_record_that_joins_nothing_is_refused(
    tmp_path: Path, parts: tuple[Path, ...], entries: list[Any], changes: dict[str, Any], message: str
) -> None:
    path = write_joined(tmp_path, *entries, **changes)
    with pytest.raises(WeightsError) as caught:
        find_preset(path)
    assert str(caught.value).startswith(f"{path}: ")
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)
