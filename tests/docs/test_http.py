"""What docs/http.md shows works against a real server, with curl and with Python."""

import json
import shutil
import subprocess
from pathlib import Path

import pytest

from people.workspace.scan import scan
from people.workspace.workspace import create_workspace
from tests import PROJECT
from tests.docs.pages import blocks_of
from tests.webapp.conftest import TOKEN, serve  # noqa: F401 - a fixture
from webapp.jobs.job import ENDED, JobFolder

PAGE = PROJECT / "docs" / "http.md"
SHOWN = "http://127.0.0.1:8764"

pytestmark = pytest.mark.realdata


@pytest.fixture
def family(data, tmp_path, monkeypatch):
    """Return a scanned workspace of Anna and Anton, beside a photo of both."""
    for name, source in {"anna": "biden", "anton": "obama"}.items():
        shutil.copytree(data / "people" / "train" / source, tmp_path / "photos" / name)
    shutil.copy(data / "people" / "test" / "obama_and_biden.jpg", tmp_path / "party.jpg")
    workspace = create_workspace(tmp_path / "family", [tmp_path / "photos"], identity_from="folder")
    scan(workspace)
    monkeypatch.chdir(tmp_path)
    return workspace


def test_the_commands_with_curl(family, serve):  # noqa: F811
    if shutil.which("curl") is None:
        pytest.skip("curl is not installed; apt-get install curl")
    address = serve(family)
    lines = [line for block in blocks_of(PAGE) if block.language == "bash" for line in block.lines()]
    answers = []
    for line in lines:
        command = line.replace(SHOWN, address).replace("curl ", "curl -sS --fail ", 1)
        run = subprocess.run(command, shell=True, env={"TOKEN": TOKEN, "PATH": "/usr/bin:/bin"}, capture_output=True)
        assert run.returncode == 0, run.stderr
        answers.append(json.loads(run.stdout))
    recognized, people, job = answers
    assert {"anna", "anton"} <= {face["name"] for face in recognized["faces"]}
    assert [person["name"] for person in people["people"]] == ["anna"]
    folder = JobFolder(family)
    while folder.get(job["id"]).state not in ENDED:
        pass
    assert folder.get(job["id"]).state == "done"


def test_the_example_in_python(family, serve, capsys):  # noqa: F811
    address = serve(family)
    (block,) = [block for block in blocks_of(PAGE) if block.language == "python"]
    exec(compile(block.code.replace(SHOWN, address), PAGE.name, "exec"), {"TOKEN": TOKEN})
    assert {"anna", "anton"} <= set(capsys.readouterr().out.split())
    assert not (Path("family") / "uploads").exists()
