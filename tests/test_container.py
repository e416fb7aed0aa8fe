"""What Dockerfile and compose.yaml name is there; no engine is needed for that."""

import argparse
import json
import re
import shutil
import subprocess
import sys

import pytest

import facetable
from foundation.command_line import OneLineParser
from recognition.runs.options import read_options
from tests import PROJECT
from tests.test_packaging import PACKAGES, PROJECT_TABLE

STEPS = [
    (step, rest.strip())
    for step, _, rest in (
        line.partition(" ")
        for line in re.sub(r"\\\n", " ", (PROJECT / "Dockerfile").read_text("utf-8")).splitlines()
        if line and not line.startswith("#")
    )
]


def steps(name: str) -> list[str]:
    return [rest for step, rest in STEPS if step == name]


def parsed(arguments: list[str]) -> argparse.Namespace:
    """Return what the command line makes of a container's command."""
    commands = {command.name: command for group in facetable.command_groups() for command in group.commands}
    parser = OneLineParser()
    commands[arguments[0]].add_arguments(parser)
    return parser.parse_args(arguments[1:])


def test_every_copied_path_is_there_and_every_package_is_copied():
    copied = {source for rest in steps("COPY") for source in rest.split()[:-1]}
    assert [source for source in copied if not (PROJECT / source).exists()] == []
    assert {pattern.removesuffix("*") for pattern in PACKAGES} <= copied
    assert copied >= {"pyproject.toml", "facetable.py", "recognize.py", "train_classifier.py"}


def test_what_is_copied_is_not_ignored():
    lines = (PROJECT / ".dockerignore").read_text("utf-8").splitlines()
    kept = {line[1:] for line in lines if line.startswith("!")}
    assert "*" in lines and kept == {source for rest in steps("COPY") for source in rest.split()[:-1]}


def test_windows_of_opencv_are_left_out():
    (step,) = [rest for rest in steps("RUN") if "opencv" in rest]
    pattern = re.search(r"s/(\S+)/(\S+)/", step)
    assert pattern is not None
    requirements = (PROJECT / "requirements-serving.txt").read_text("utf-8")
    assert len(re.findall(pattern[1], requirements, re.MULTILINE)) == 1
    assert any("--no-deps /opt/facetable" in rest for rest in steps("RUN"))


def test_it_runs_as_a_user_of_its_own_with_volumes_and_a_health_check():
    assert steps("USER") == ["facetable"]
    assert any("useradd --create-home --uid 1000 facetable" in rest for rest in steps("RUN"))
    assert set(json.loads(steps("VOLUME")[0])) == {"/photos", "/workspace", "/cache"}
    assert steps("ENV") == ["FACETABLE_CACHE=/cache"]
    module = json.loads(steps("HEALTHCHECK")[0].partition("CMD ")[2])[-1]
    assert (PROJECT / (module.replace(".", "/") + ".py")).is_file()


def test_its_commands_are_commands():
    assert set(json.loads(steps("ENTRYPOINT")[0])) <= PROJECT_TABLE["scripts"].keys()
    parsed(json.loads(steps("CMD")[0]))


def test_the_base_is_a_python_that_is_supported():
    (version,) = re.findall(r"python:3\.(\d+)-slim", steps("FROM")[0])
    low, high = re.findall(r"3\.(\d+)", PROJECT_TABLE["requires-python"])
    assert int(low) <= int(version) < int(high)


def test_every_system_package_is_known():
    if shutil.which("apt-cache") is None:
        pytest.skip("no apt-cache here")
    (step,) = [rest for rest in steps("RUN") if "apt-get install" in rest]
    packages = re.findall(r"(?<= )[a-z][\w.-]+", step.partition("--no-install-recommends")[2].partition("&&")[0])
    assert len(packages) == 3
    found = subprocess.run(["apt-cache", "pkgnames"], capture_output=True, text=True, check=True).stdout.split()
    if "python3" not in found:
        pytest.skip("apt has no lists of packages here; apt-get update fetches them")
    assert set(packages) <= set(found)


def test_the_service_is_one_that_recognize_understands():
    yaml = pytest.importorskip("yaml")
    compose = yaml.safe_load((PROJECT / "compose.yaml").read_text("utf-8"))
    (service,) = compose["services"].values()
    command = [re.sub(r"\$\{\w+:-(.+)\}", r"\1", str(word)) for word in service["command"]]
    options = read_options(parsed(command))
    assert options.headless and options.events == "events.jsonl"
    mounted = [volume.split(":") for volume in service["volumes"]]
    assert {place[1] for place in mounted} == set(json.loads(steps("VOLUME")[0]))
    assert {place[0] for place in mounted if not place[0].startswith(".")} == compose["volumes"].keys()


def test_what_is_copied_is_enough_to_start(tmp_path):
    for rest in steps("COPY"):
        *sources, target = rest.split()
        for source in (PROJECT / source for source in sources):
            place = tmp_path / target.removeprefix("/")
            if source.is_dir():
                shutil.copytree(source, place, ignore=shutil.ignore_patterns("__pycache__"))
            else:
                place.mkdir(parents=True, exist_ok=True)
                shutil.copy(source, place)
    done = subprocess.run(
        [sys.executable, "facetable.py", "recognize", "--help"],
        cwd=tmp_path / "opt" / "facetable",
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stdout.startswith("usage: facetable recognize"), done.stderr
