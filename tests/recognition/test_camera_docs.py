"""What docs/camera.md shows can be used as it stands."""

import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from foundation.command_line import OneLineParser
from recognition.runs.options import add_arguments, read_options
from tests import PROJECT

TEXT = (PROJECT / "docs" / "camera.md").read_text("utf-8")


def block(kind: str) -> str:
    (found,) = re.findall(rf"^```{kind}\n(.*?)^```", TEXT, re.DOTALL | re.MULTILINE)
    return str(found)


def test_every_flag_of_the_script_that_concerns_cameras_is_explained() -> None:
    parser = OneLineParser()
    add_arguments(parser)
    flags = {flag for action in parser._actions for flag in action.option_strings if flag.startswith("--")}
    shared = {"--help", "--preset", "--weights", "--precision", "--min-face-size", "--thresholds", "--max-pixels"}
    named = set(re.findall(r"--[a-z-]+", TEXT.replace("\n", " ")))
    assert flags - shared - named == set()


def test_the_command_of_the_unit_is_understood() -> None:
    (command,) = re.findall(r"^ExecStart=\S+ recognize.py (.*)$", block("ini"), re.MULTILINE)
    parser = OneLineParser()
    add_arguments(parser)
    options = read_options(parser.parse_args(shlex.split(command.replace("${CAMERA}", "0"))))
    assert options.headless
    assert options.head == Path("/var/lib/facetable/family.skops")


def test_systemd_takes_the_unit(tmp_path: Path) -> None:
    if shutil.which("systemd-analyze") is None:
        pytest.skip("no systemd-analyze; on Debian: apt install systemd")
    unit = tmp_path / "facetable-door.service"
    unit.write_text(block("ini").replace("/opt/facetable/.venv/bin/python", sys.executable), "utf-8")
    finished = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", str(unit)], capture_output=True, text=True, check=False
    )
    about_the_unit = [line for line in finished.stderr.splitlines() if "facetable" in line]
    assert (finished.returncode, about_the_unit) == (0, []), finished.stderr


def test_what_the_container_copies_is_there() -> None:
    copied = re.findall(r"^COPY (\S+)", block("dockerfile"), re.MULTILINE)
    assert copied
    assert all((PROJECT / name).exists() for name in copied)
    assert {"foundation", "embedder", "classifiers", "recognition", "recognize.py"} <= set(copied)


def test_what_the_container_copies_is_enough_to_start(tmp_path: Path) -> None:
    for source, target in re.findall(r"^COPY (\S+) (\S+)", block("dockerfile"), re.MULTILINE):
        place = tmp_path / (source if target == "./" else target)
        if (PROJECT / source).is_dir():
            shutil.copytree(PROJECT / source, place, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(PROJECT / source, place)
    code = (
        "import sys; sys.argv = ['recognize.py', '--version']; import recognition.runs.run, recognize; recognize.main()"
    )
    finished = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert finished.stdout.startswith("facetable "), finished.stderr
