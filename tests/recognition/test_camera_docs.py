"""What docs/camera.md shows can be used as it stands."""

import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import facetable
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


def test_the_commands_in_the_container_are_understood() -> None:
    groups = facetable.command_groups()
    commands = {command.name: command for group in groups for command in group.commands}
    shown = re.findall(r"^docker compose run --rm camera (\w+[^#\n]*)", TEXT, re.MULTILINE)
    assert [line.split()[0] for line in shown] == ["doctor", "embed", "train"]
    for line in shown:
        name, *arguments = shlex.split(line)
        parser = OneLineParser()
        commands[name].add_arguments(parser)
        parser.parse_args(arguments)


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
