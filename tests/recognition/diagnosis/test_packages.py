import tomllib

import cv2
import pytest

from recognition.diagnosis import packages
from recognition.diagnosis.packages import check_opencv, check_packages, declared_packages
from recognition.viewer import window
from tests import PROJECT


def test_what_is_declared_is_what_pyproject_says():
    project = tomllib.loads((PROJECT / "pyproject.toml").read_text("utf-8"))["project"]
    declared = declared_packages()
    assert list(declared[""].values()) == project["dependencies"]
    assert {extra: list(found.values()) for extra, found in declared.items() if extra} == {
        extra: lines for extra, lines in project["optional-dependencies"].items() if extra != "all"
    }


def test_an_installed_wheel_declares_the_same(monkeypatch, tmp_path):
    monkeypatch.setattr(packages, "__file__", str(tmp_path / "a" / "b" / "c.py"))
    lines = ["numpy<3,>=2.4", 'keras<4,>=3.15; extra == "train"', 'facetable[train]; extra == "all"']
    monkeypatch.setattr(packages, "requires", lambda _: lines)
    assert declared_packages() == {"": {"numpy": "numpy<3,>=2.4"}, "train": {"keras": "keras<4,>=3.15"}}


def test_what_is_missing_is_a_problem_only_where_everybody_needs_it(monkeypatch):
    declared = {"": {"numpy": "numpy>=2.4,<3", "h5py": "h5py>=3.14,<4"}, "mqtt": {"paho-mqtt": "paho-mqtt>=2.2,<3"}}
    monkeypatch.setattr(packages, "declared_packages", lambda: declared)
    monkeypatch.setattr(packages, "_version", lambda package: "2.4.6" if package == "numpy" else "")
    found = check_packages()
    assert found.problems == ["not installed: h5py; run: pip install 'h5py>=3.14,<4'"]
    assert found.lines == [
        "numpy 2.4.6",
        "without paho-mqtt (extra `mqtt`); who needs it: pip install 'paho-mqtt>=2.2,<3'",
    ]
    assert found.facts == {"versions": {"numpy": "2.4.6"}}


def test_every_wheel_of_opencv_will_do(monkeypatch):
    monkeypatch.setattr(packages, "opencv_wheels", lambda: {"opencv-python-headless": "5.0.0.93"})
    monkeypatch.setattr(packages, "version", lambda _: (_ for _ in ()).throw(packages.PackageNotFoundError))
    assert packages._version("opencv-python") == "5.0.0.93"
    assert packages._version("numpy") == ""


@pytest.mark.parametrize(("gui", "windows"), [("NONE", "no windows"), ("QT5", "windows")])
def test_opencv_tells_what_it_can_do(gui, windows, monkeypatch):
    monkeypatch.setattr(cv2, "getBuildInformation", lambda: f"  GUI:   {gui}\n  FFMPEG:   YES\n")
    assert window.cv2 is cv2
    found = check_opencv()
    assert found.lines[0].endswith(f"; {windows}, ffmpeg")
    assert found.facts["windows"] == (gui != "NONE")


def test_two_wheels_are_a_problem_even_where_opencv_cannot_be_used(monkeypatch):
    monkeypatch.setattr(packages, "describe_opencv_conflict", lambda: "expected one of OpenCV's packages, found two")
    assert check_opencv().problems == ["expected one of OpenCV's packages, found two"]
