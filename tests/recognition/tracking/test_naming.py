import json

import numpy as np
import pytest

from recognition.tracking.naming import FaceReader, NetworkOptions, load_reader, name_faces
from tests.recognition.fakes import (
    ANN,
    STRANGER,
    FakeDetector,
    FakeEmbedder,
    FakeHead,
    faces_at,
    fake_reader,
    image_with,
)


def test_a_face_is_named_and_a_stranger_is_not() -> None:
    reader, head = fake_reader(), FakeHead()
    image = image_with((ANN, (20, 30, 60, 70)), (STRANGER, (120, 40, 160, 80)))
    faces = reader.detect(image)
    names = name_faces(head, reader.embed(reader.crop(image, faces)), reader.fingerprint)  # type: ignore[arg-type]
    assert names.identities.tolist() == ["ann", "unknown"]
    assert names.accepted.tolist() == [True, False]
    assert names.scores[0] > 0.95 > names.scores[1]
    assert names.choices[0] == "ann"
    assert head.checked == [reader.fingerprint]


def test_no_face_gives_no_names() -> None:
    names = name_faces(FakeHead(), np.empty((0, 3), np.float32))  # type: ignore[arg-type]
    assert [len(column) for column in names] == [0, 0, 0, 0]


def test_the_threshold_belongs_to_the_accepted() -> None:
    head = FakeHead(threshold=1.0)
    exactly = head._exemplars[:1]
    head.threshold = float(head.match(exactly).scores[0])
    assert name_faces(head, exactly).identities.tolist() == ["ann"]  # type: ignore[arg-type]


def test_crops_follow_the_heads_fingerprint() -> None:
    image = np.random.default_rng(0).integers(0, 255, (120, 200, 3), np.uint8)
    faces = faces_at([(20, 30, 60, 70)])
    for margin, alignment in (
        ({"mode": "absolute", "value": 8.0}, "box"),
        ({"mode": "scaled", "value": 0.0}, "box"),
        ({"mode": "scaled", "value": 32.0}, "similarity"),
    ):
        wanted = {"space": {"margin": margin, "alignment": alignment}}
        reader = FaceReader(FakeDetector(), FakeEmbedder(), wanted)
        expected = faces.crop(
            image,
            32,
            margin["value"],
            margin_mode=margin["mode"],  # type: ignore[arg-type]
            alignment=alignment,
        )  # type: ignore[arg-type]
        assert np.array_equal(reader.crop(image, faces), expected)
        assert reader.fingerprint["space"]["margin"] == margin
        assert reader.fingerprint["space"]["alignment"] == alignment


def test_the_fingerprint_is_the_one_of_tables() -> None:
    from embedder.pipeline.settings import EmbedSettings

    detector, embedder = FakeDetector(), FakeEmbedder()
    of_table = EmbedSettings().fingerprint(detector, embedder)  # type: ignore[arg-type]
    reader = FaceReader(detector, embedder, of_table)
    assert json.loads(json.dumps(reader.fingerprint)) == of_table
    assert FaceReader(detector, embedder, {}).fingerprint["space"] == of_table["space"]


def test_what_only_tables_have_is_no_difference_but_the_detector_is() -> None:
    wanted = {"provenance": {"faces": "all", "min_face_size": "auto", "detector": "other"}}
    provenance = FaceReader(FakeDetector(), FakeEmbedder(), wanted).fingerprint["provenance"]
    assert (provenance["faces"], provenance["min_face_size"], provenance["detector"]) == ("all", "auto", "fake")


def test_a_head_of_weights_nobody_knows_is_named() -> None:
    with pytest.raises(ValueError, match=r"family\.skops: expected vectors of weights .*, found those of weights 0000"):
        load_reader({"space": {"weights_sha256": "0" * 64}}, NetworkOptions(), whose="family.skops")
