import subprocess
from typing import Any

import numpy as np
import pytest

from recognition.diagnosis import self_test
from recognition.diagnosis.self_test import EXPECTED_BOX, EXPECTED_VALUES, check_self, judge
from recognition.diagnosis.synthetic_face import SIZE, draw_face

GOOD: dict[str, Any] = {"n_faces": 1, "box": list(EXPECTED_BOX), "values": list(EXPECTED_VALUES), "device": "cpu"}


def moved(values: tuple[float, ...], by: float) -> list[float]:
    return [values[0] + by, *values[1:]]


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"n_faces": 0, "box": [], "values": []}, "expected one face on the drawn picture, found 0"),
        ({"box": moved(EXPECTED_BOX, 5)}, "the face was found 5.0 pixels from where it is, expected 3"),
        ({"values": moved(EXPECTED_VALUES, -0.05)}, "the vector differs by 0.0500 from the one expected"),
        ({"values": moved(EXPECTED_VALUES, float("nan"))}, "the vector differs by nan from the one expected"),
    ],
)
def test_another_result_is_a_problem(changes, problem):
    found = judge({**GOOD, **changes}, 3.0)
    assert len(found.problems) == 1 and found.problems[0].startswith(problem)
    assert found.lines == []


def test_rounding_is_none():
    found = judge({**GOOD, "values": moved(EXPECTED_VALUES, 0.001), "box": moved(EXPECTED_BOX, 0.5)}, 3.04)
    assert found.problems == []
    assert found.lines == [
        "networks converted, face found and embedded on cpu as expected (box 0.50 pixels, vector 0.0010 off), 3.0 s"
    ]


def test_the_drawn_face_is_the_same_each_time():
    image = draw_face()
    assert image.shape == (SIZE, SIZE, 3) and image.dtype == np.uint8
    np.testing.assert_array_equal(image, draw_face())


def test_the_networks_find_and_embed_it_as_expected(networks: None):
    found = judge(self_test.run(), 1.0)
    assert found.problems == []
    assert found.facts["device"] == "cpu"


class Done:
    def __init__(self, returncode: int, stdout: str = "", stderr: str = "") -> None:
        self.returncode, self.stdout, self.stderr = returncode, stdout, stderr


@pytest.mark.parametrize(
    ("done", "problem"),
    [
        (Done(-11), "the process ended with code -11: nothing said"),
        (Done(1, stderr="Traceback\nOSError: x\n"), "the process ended with code 1: OSError: x"),
        (None, "no answer within 5 s; see whether another program takes all cores"),
    ],
)
def test_a_process_that_dies_or_hangs_is_a_problem(done, problem, monkeypatch):
    def run(*_: Any, **options: Any) -> Done:
        if done is None:
            raise subprocess.TimeoutExpired("x", options["timeout"])
        return done

    monkeypatch.setattr(subprocess, "run", run)
    assert check_self(timeout_s=5).problems == [problem]


def test_a_device_that_was_left_is_a_problem(monkeypatch):
    import json

    said = "cuda cannot be used (no such device); networks run on the processor instead\n"
    monkeypatch.setattr(subprocess, "run", lambda *_, **__: Done(0, json.dumps(GOOD), said))
    monkeypatch.setenv("FACETABLE_DEVICE", "cuda")
    assert check_self().problems == [f"cuda was chosen, but networks ran on cpu: {said.strip()}"]
    monkeypatch.setenv("FACETABLE_DEVICE", "auto")
    assert check_self().problems == []
