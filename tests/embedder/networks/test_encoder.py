"""Detector, crop rule and network as one thing."""

import json

import numpy as np
import pytest

from embedder.detection.alignment import CropRule
from embedder.networks.encoder import EncoderOptions, FaceEncoder
from tests.embedder.finding.test_upright import ByWayUp, marked
from tests.recognition.fakes import ANN, STRANGER, FakeDetector, FakeEmbedder, faces_at, fake_encoder, image_with


def test_crops_follow_the_heads_fingerprint() -> None:
    image = np.random.default_rng(0).integers(0, 255, (120, 200, 3), np.uint8)
    faces = faces_at([(20, 30, 60, 70)])
    for margin, alignment in (
        ({"mode": "absolute", "value": 8.0}, "box"),
        ({"mode": "scaled", "value": 0.0}, "box"),
        ({"mode": "scaled", "value": 32.0}, "similarity"),
    ):
        wanted = {"space": {"margin": margin, "alignment": alignment}}
        encoder = FaceEncoder.like(wanted, FakeDetector(), FakeEmbedder())
        expected = faces.crop(
            image,
            32,
            margin["value"],
            margin_mode=margin["mode"],  # type: ignore[arg-type]
            alignment=alignment,
        )  # type: ignore[arg-type]
        assert np.array_equal(encoder.crop(image, faces), expected)
        assert encoder.fingerprint["space"]["margin"] == margin
        assert encoder.fingerprint["space"]["alignment"] == alignment


def test_the_fingerprint_is_the_one_of_tables() -> None:
    from embedder.networks.encoder import FaceEncoder
    from embedder.pipeline.settings import EmbedSettings

    detector, embedder = FakeDetector(), FakeEmbedder()
    of_table = EmbedSettings().fingerprint(FaceEncoder(detector, embedder))
    encoder = FaceEncoder.like(of_table, detector, embedder)
    assert json.loads(json.dumps(encoder.fingerprint.to_json())) == of_table
    assert FaceEncoder.like({}, detector, embedder).fingerprint["space"] == of_table["space"]


def test_what_only_tables_have_is_no_difference_but_the_detector_is() -> None:
    wanted = {"provenance": {"faces": "all", "min_face_size": "auto", "detector": "other"}}
    provenance = FaceEncoder.like(wanted, FakeDetector(), FakeEmbedder()).fingerprint["provenance"]
    assert (provenance["faces"], provenance["min_face_size"], provenance["detector"]) == ("all", "auto", "fake")


def test_a_head_of_weights_nobody_knows_is_named() -> None:
    with pytest.raises(ValueError, match=r"family\.skops: expected vectors of weights .*, found those of weights 0000"):
        FaceEncoder.for_fingerprint({"space": {"weights_sha256": "0" * 64}}, EncoderOptions(), source="family.skops")


def test_a_head_with_a_precision_nobody_knows_is_named() -> None:
    with pytest.raises(
        ValueError, match=r"family\.skops: expected vectors of precision fp32 or int8, found fp7; give --"
    ):
        FaceEncoder.for_fingerprint({"provenance": {"precision": "fp7"}}, EncoderOptions(), source="family.skops")


def test_a_head_with_crops_nobody_knows_is_named(networks: None) -> None:
    with pytest.raises(
        ValueError, match=r"family\.skops: its fingerprint cannot be followed: `alignment` must be one of"
    ):
        FaceEncoder.for_fingerprint({"space": {"alignment": "askew"}}, EncoderOptions(), source="family.skops")


def test_faces_come_with_their_vectors_and_quality() -> None:
    encoder = fake_encoder()
    image = image_with((ANN, (20, 30, 60, 70)), (STRANGER, (120, 40, 160, 80)))
    encoded = encoder.encode(image)
    faces = encoder.detect(image)
    assert len(encoded) == 2 and encoded.faces.boxes.tolist() == faces.boxes.tolist()
    np.testing.assert_array_equal(encoded.crops, encoder.crop(image, faces))
    np.testing.assert_array_equal(encoded.embeddings, encoder.embed(encoded.crops))
    np.testing.assert_allclose(np.linalg.norm(encoded.embeddings, axis=1), 1, rtol=1e-6)
    assert encoded.quality.sizes.tolist() == pytest.approx([40, 40])
    assert len(encoded.quality.sharpness) == len(encoded.quality.turns) == 2


def test_an_image_that_lies_on_its_side_is_turned_before_it_is_encoded() -> None:
    encoder = FaceEncoder(ByWayUp(0.9, 0, 0, 0.9995), FakeEmbedder())
    image = np.random.default_rng(3).integers(0, 200, (50, 64, 3), np.uint8)
    image[:16, :16] = 255
    encoded = encoder.encode(image)
    turned = np.ascontiguousarray(np.rot90(image))
    expected = encoder.encode(turned, upright="exif")
    assert (encoded.turned, expected.turned) == (270, 0)
    np.testing.assert_array_equal(encoded.crops, expected.crops)
    np.testing.assert_array_equal(encoded.embeddings, expected.embeddings)
    assert expected.faces.boxes.tolist() == [[10, 10, 30, 30]]
    assert encoded.faces.boxes.tolist() == [[64 - 30, 10, 64 - 10, 30]]  # where it is on the image as it was given
    np.testing.assert_array_equal(encoder.crop_main(image), expected.crops[0])
    as_it_is = encoder.encode(image, upright="exif")
    assert as_it_is.turned == 0 and as_it_is.faces.scores.tolist() == pytest.approx([0.9])
    with pytest.raises(ValueError, match="`upright` must be one of auto, exif, got 'never'"):
        encoder.encode(image, upright="never")  # type: ignore[arg-type]
    assert FaceEncoder(ByWayUp(0, 0, 0, 0), FakeEmbedder()).crop_main(marked()) is None


def test_the_detector_is_that_of_the_fingerprint_unless_somebody_names_one(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[tuple[str, object]] = []

    def load(name: str, **settings: object) -> FakeDetector:
        asked.append((name, settings["thresholds"]))
        return FakeDetector()

    monkeypatch.setattr("embedder.networks.encoder.load_detector", load)
    monkeypatch.setattr("embedder.networks.encoder._load_embedder", lambda *_: FakeEmbedder())
    of_centerface = {"provenance": {"detector": "centerface", "thresholds": [0.3]}}
    FaceEncoder.for_fingerprint(of_centerface)
    FaceEncoder.for_fingerprint(of_centerface, EncoderOptions(detector="mtcnn", thresholds=(0.1, 0.2, 0.3)))
    FaceEncoder.for_fingerprint({"provenance": {"detector": "fake"}})
    assert asked == [("centerface", None), ("mtcnn", (0.1, 0.2, 0.3)), ("mtcnn", None)]


def test_an_image_without_a_face_gives_none() -> None:
    encoded = fake_encoder().encode(image_with())
    assert len(encoded) == 0 and encoded.crops.shape == (0, 32, 32, 3) and len(encoded.quality.sizes) == 0


def test_the_mean_of_both_ways_has_unit_length_and_no_side() -> None:
    encoder = fake_encoder()
    crops = np.random.default_rng(0).integers(0, 255, (3, 32, 32, 3), np.uint8)
    vectors = encoder.embed_mirrored(crops)
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1, rtol=1e-6)
    np.testing.assert_allclose(vectors, encoder.embed_mirrored(crops[:, :, ::-1]), atol=1e-6)


def test_a_crop_rule_of_another_size_is_refused() -> None:
    with pytest.raises(ValueError, match="`crop_rule` must give crops of the network's 32 pixels, got 160"):
        FaceEncoder(FakeDetector(), FakeEmbedder(), CropRule(size=160))
