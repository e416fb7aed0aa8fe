import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from embedder.detection.faces import Faces
from embedder.pipeline import settings as embed_settings
from embedder.pipeline import state
from embedder.pipeline.settings import EmbedSettings, identity_of
from embedder.tables.file import Header
from foundation.fingerprint import (
    Fingerprint,
    same_settings,
    setting_differences,
    vector_differences,
    version_differences,
)
from tests.embedder.fakes import SIZE_HW, FakeDetector, FakeEmbedder, make_encoder


@pytest.mark.parametrize(
    ("path", "folder", "filename"),
    [
        ("Ada/1.jpg", "Ada", "1"),
        ("Ada/1840/portrait.jpg", "Ada", "portrait"),
        ("Ada.jpg", "", "Ada"),
        ("王 小明/照片.png", "王 小明", "照片"),
        ("Ada/no_suffix", "Ada", "no_suffix"),
        ("Ada/J. S. Bach.jpg", "Ada", "J. S. Bach"),
        ("Zoe\u0308/Zoe\u0308 .jpg", "Zo\u00eb", "Zo\u00eb"),
        ("Bob /1.jpg", "Bob", "1"),
    ],
)
def test_identity_of(path: str, folder: str, filename: str) -> None:
    assert identity_of(path, "folder") == folder
    assert identity_of(path, "filename") == filename
    assert identity_of(path, "none") == ""


def faces(n: int) -> Faces:
    return FakeDetector._faces(n)


def test_only_the_chosen_face_carries_the_identity() -> None:
    settings = EmbedSettings()
    assert settings.identities("Ada/1.jpg", SIZE_HW, faces(3)) == ["", "Ada", ""]
    assert settings.identities("Ada/1.jpg", SIZE_HW, faces(1)) == ["Ada"]
    assert settings.identities("Ada/1.jpg", SIZE_HW, faces(0)) == []
    assert settings.identities("1.jpg", SIZE_HW, faces(2)) == ["", ""]
    assert EmbedSettings(identity_from="filename").identities("x/Ada.jpg", SIZE_HW, faces(3)) == ["", "Ada", ""]
    assert EmbedSettings(identity_from="none").identities("Ada/1.jpg", SIZE_HW, faces(3)) == ["", "", ""]


def test_identities_of_stored_rows() -> None:
    found = faces(3)
    rows = {"box": found.boxes, "landmarks": found.landmarks, "detection_score": found.scores}
    assert EmbedSettings().identities_of_rows("Bob/1.jpg", SIZE_HW, rows) == ["", "Bob", ""]


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("faces", "two", "`faces` must be one of all, one, got 'two'"),
        ("identity_from", "exif", "`identity_from` must be one of folder, filename, none"),
        ("margin_mode", "relative", "`margin_mode` must be one of scaled, absolute"),
        ("alignment", "affine", "`alignment` must be one of box, similarity"),
        ("margin", -1, "`margin` must be a finite number of pixels, at least 0, got -1"),
        ("margin", float("nan"), "`margin` must be"),
        ("margin", float("inf"), "`margin` must be"),
        ("detector", "yolo", "`detector` must be one of mtcnn, centerface, got 'yolo'"),
        ("upright", "always", "`upright` must be one of auto, exif, got 'always'"),
        ("max_pixels", 0, "`max_pixels` must be at least 1, got 0"),
    ],
)
def test_refuses_other_values(name: str, value: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        EmbedSettings(**{name: value})


def test_fingerprint_holds_all_settings_and_survives_json() -> None:
    settings = EmbedSettings(margin=44, margin_mode="absolute", faces="one", identity_from="none", max_pixels=10**6)
    fingerprint = settings.fingerprint(
        make_encoder(FakeDetector(min_face_size=20), FakeEmbedder(precision="int8"), settings)
    )
    assert fingerprint["space"] == {
        "weights_sha256": "ab" * 32,
        "crop_size": 16,
        "standardization": "fixed",
        "embedding_length": 8,
        "margin": {"mode": "absolute", "value": 44.0},
        "alignment": "box",
    }
    provenance = dict(fingerprint.provenance)
    versions = provenance.pop("versions")
    assert provenance == {
        "upright": "auto",
        "detector": "fake",
        "thresholds": [0.6, 0.7, 0.7],
        "min_face_size": 20,
        "precision": "int8",
        "faces": "one",
        "identity_from": "none",
        "max_pixels": 1_000_000,
    }
    assert versions["numpy"] == np.__version__ and set(versions) >= {"facetable", "onnxruntime", "pillow"}
    assert json.loads(json.dumps(fingerprint.to_json())) == fingerprint


def test_a_package_that_is_not_there_has_no_version(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(embed_settings, "_PACKAGES", ("no-such-package",))
    fingerprint = EmbedSettings().fingerprint(make_encoder())
    assert fingerprint["provenance"]["versions"]["no-such-package"] == "unknown"


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({}, ""),
        ({"min_face_size": "auto"}, "min_face_size=20 in Python, --min-face-size 20 on the command line"),
        (
            {"faces": "one", "thresholds": [0.5, 0.7, 0.7]},
            "faces='all', thresholds=(0.6, 0.7, 0.7) in Python, "
            "--all-faces --thresholds 0.6 0.7 0.7 on the command line",
        ),
        ({"min_face_size": "auto", "precision": "int8"}, ""),
        (
            {"detector": "centerface", "thresholds": [0.4], "smallest_on_input": 20, "weights_sha256": {"net": "ab"}},
            "detector='fake', thresholds=(0.6, 0.7, 0.7) in Python, "
            "--detector fake --thresholds 0.6 0.7 0.7 on the command line",
        ),
        ({"new_setting": 1}, ""),
    ],
)
def test_the_settings_to_go_on_with(changes: dict[str, Any], words: str) -> None:
    before = EmbedSettings().fingerprint(make_encoder(FakeDetector(min_face_size=20)))
    now = Fingerprint(before.space, {**before.provenance, **changes})
    assert same_settings(before, now) == words


def test_tables_of_two_detectors_do_not_mix_and_both_are_named() -> None:
    before = EmbedSettings().fingerprint(make_encoder(FakeDetector(detector="centerface", thresholds=[0.4])))
    now = EmbedSettings().fingerprint(make_encoder(FakeDetector(detector="mtcnn", scale_factor=0.7)))
    assert setting_differences(before, now) == [
        "`detector` centerface before, mtcnn now",
        "`thresholds` [0.4] before, [0.6, 0.7, 0.7] now",
    ]
    assert "--detector centerface --detector-threshold 0.4 on the command line" in same_settings(before, now)
    assert set(vector_differences(before.provenance, now.provenance)) == {"detector", "thresholds"}


def test_the_margin_has_two_settings_to_go_on_with() -> None:
    before, now = (
        settings.fingerprint(make_encoder(settings=settings))
        for settings in (EmbedSettings(margin=32), EmbedSettings(margin=44, margin_mode="absolute"))
    )
    assert same_settings(before, now) == (
        "margin_mode='scaled', margin=32.0 in Python, --margin-mode scaled --margin 32.0 on the command line"
    )


def test_differences_are_named_and_versions_apart() -> None:
    before = Fingerprint(
        {"crop_size": 160, "margin": {"mode": "scaled", "value": 32.0}, "weights_sha256": "a" * 64},
        {"thresholds": [0.6, 0.7, 0.7], "versions": {"numpy": "2.0", "pillow": "12"}},
    )
    now = Fingerprint(
        {"crop_size": 160, "margin": {"mode": "scaled", "value": 44.0}, "weights_sha256": "b" * 64},
        {"thresholds": [0.6, 0.7, 0.7], "precision": "int8", "versions": {"numpy": "2.4", "pillow": "12"}},
    )
    assert setting_differences(before, now) == [
        "`margin.value` 32.0 before, 44.0 now",
        "`precision` absent before, int8 now",
        "`weights_sha256` aaaaaaaaaaaa... before, bbbbbbbbbbbb... now",
    ]
    assert version_differences(before, now) == ["numpy 2.0 before, 2.4 now"]
    assert setting_differences(before, before) == version_differences(now, now) == []


def test_a_table_of_before_is_gone_on_with_on_another_device_and_that_is_said(caplog):
    before, now = Header("", Fingerprint(), ""), Header("", Fingerprint({}, {"device": "cuda"}), "")
    state._warn_of_versions([(Path("t.h5"), before)], now)
    assert caplog.messages == ["t.h5: made on another device: `device` cpu before, cuda now; its vectors are kept"]


def test_the_smallest_face_has_one_default_in_python_and_on_the_command_line():
    import argparse
    import inspect

    from embedder import MTCNN, FaceEncoder, FaceTransformer, embed_folder
    from embedder.commands.arguments import add_detector_arguments
    from embedder.folders.align import align_folder
    from recognition.runs.options import add_arguments

    callables = (MTCNN, FaceEncoder, FaceTransformer, embed_folder, EmbedSettings, align_folder)
    parameters = [inspect.signature(made).parameters for made in callables]
    defaults = [found["min_face_size"].default for found in parameters if "min_face_size" in found]
    assert len(defaults) >= 5
    for add in (add_detector_arguments, add_arguments):
        parser = argparse.ArgumentParser()
        add(parser)
        defaults.append(parser.get_default("min_face_size"))
    assert set(defaults) == {"auto"}
