"""Which of OpenCV's wheels are installed; distributions are stand-ins, as their folders in site-packages are."""

from pathlib import Path

import pytest

from embedder.pipeline import settings
from foundation.command_line import Command, run_command
from foundation.installation import describe_opencv_conflict, opencv_wheels


def install(folder: Path, monkeypatch: pytest.MonkeyPatch, **versions: str) -> None:
    """Let exactly these packages be installed."""
    for name, version in versions.items():
        info = folder / f"{name}-{version}.dist-info"
        info.mkdir(parents=True)
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name.replace('_', '-')}\nVersion: {version}\n")
    monkeypatch.setattr("sys.path", [str(folder)])


@pytest.mark.parametrize("wheel", ["opencv_python", "opencv_python_headless", "opencv_contrib_python"])
def test_one_wheel_is_no_conflict(wheel, tmp_path, monkeypatch):
    install(tmp_path / "site", monkeypatch, **{wheel: "5.0.0.93"})
    assert opencv_wheels() == {wheel.replace("_", "-"): "5.0.0.93"}
    assert describe_opencv_conflict() == ""


def test_two_wheels_are_said_by_every_command_with_the_remedy(tmp_path, monkeypatch, capsys):
    install(tmp_path / "site", monkeypatch, opencv_python="5.0.0.93", opencv_python_headless="4.11.0.86")
    assert run_command("try", Command("try", "Try.", lambda _: None, lambda _: 0), []) == 0
    assert capsys.readouterr().err == (
        "warning: expected one of OpenCV's packages, found opencv-python 5.0.0.93 and opencv-python-headless "
        "4.11.0.86, which overwrite each other's files; run: pip uninstall -y opencv-python opencv-python-headless; "
        "then: pip install opencv-python\n"
    )


def test_a_table_made_with_the_headless_wheel_notes_the_version_of_opencv(tmp_path, monkeypatch):
    install(tmp_path / "site", monkeypatch, opencv_python_headless="5.0.0.93")
    assert settings._versions()["opencv-python"] == "5.0.0.93"
    monkeypatch.setattr("sys.path", [])
    assert settings._versions()["opencv-python"] == "unknown"
