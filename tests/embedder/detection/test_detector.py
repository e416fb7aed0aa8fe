"""Detectors by name."""

import argparse

import pytest

from embedder.commands.arguments import add_detector_arguments
from embedder.detection import centerface
from embedder.detection.detector import DETECTORS, load_detector
from embedder.detection.mtcnn import MTCNN


def test_mtcnn_is_loaded_with_its_own_thresholds_or_others(networks: None) -> None:
    made = load_detector("mtcnn", min_face_size=30, threads=1)
    assert isinstance(made, MTCNN) and made.provenance["min_face_size"] == 30
    assert made.provenance["thresholds"] == [0.8, 0.6, 0.65]
    assert load_detector("mtcnn", thresholds=[0.5, 0.6, 0.7]).provenance["thresholds"] == [0.5, 0.6, 0.7]


def test_centerface_is_loaded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(centerface, "CenterFace", lambda size, **settings: (size, settings))
    assert load_detector("centerface", min_face_size=30, thresholds=[0.2]) == (
        30,
        {"threads": None, "thresholds": (0.2,)},
    )


def test_another_name_is_refused() -> None:
    with pytest.raises(ValueError, match="`detector` must be one of mtcnn, centerface, got 'yolo'"):
        load_detector("yolo")


def test_the_command_line_knows_the_same_names() -> None:
    parser = argparse.ArgumentParser()
    add_detector_arguments(parser)
    (flag,) = [action for action in parser._actions if action.dest == "detector"]
    assert tuple(flag.choices or ()) == DETECTORS and flag.default == DETECTORS[0]
    given = parser.parse_args(["--detector", "centerface", "--detector-threshold", "0.3"])
    assert (given.detector, given.thresholds) == ("centerface", [0.3])
