import json
import subprocess
import sys
from pathlib import Path

import facetable
from recognition.diagnosis import command
from recognition.diagnosis.check import Findings
from tests import PROJECT


def broken() -> Findings:
    raise OSError("no disk")


def test_a_healthy_machine_is_exit_code_0(monkeypatch, capsys, tmp_path):
    checks = {"system": lambda: Findings(["one", "two"], facts={"threads": 2})}
    monkeypatch.setattr(command, "CHECKS", checks)
    assert facetable.main(["doctor", "--json", str(tmp_path / "d.json")]) == 0
    assert capsys.readouterr().out == "system     one\n           two\nnothing is broken\n"
    report = json.loads((tmp_path / "d.json").read_text())
    assert report["is_healthy"] is True
    assert report["checks"] == {"system": {"lines": ["one", "two"], "problems": [], "threads": 2}}


def test_what_is_broken_stops_no_other_check_and_is_exit_code_2(monkeypatch, capsys, tmp_path):
    monkeypatch.setattr(command, "CHECKS", {"space": broken, "cameras": lambda: Findings(["none"])})
    assert facetable.main(["doctor", "--json", str(tmp_path / "d.json")]) == 2
    assert capsys.readouterr().out == "space      BROKEN: OSError: no disk\ncameras    none\nbroken: space\n"
    assert json.loads((tmp_path / "d.json").read_text())["is_healthy"] is False


def test_it_answers_where_no_package_is_installed():
    """-S: without site-packages, as where nothing was installed."""
    done = subprocess.run(
        [sys.executable, "-S", str(PROJECT / "facetable.py"), "doctor"], capture_output=True, text=True, check=False
    )
    assert done.returncode == 2
    assert "Traceback" not in done.stdout + done.stderr
    assert [line.split()[0] for line in done.stdout.splitlines() if not line.startswith(" ")] == [
        *command.CHECKS,
        "broken:",
    ]
    assert "opencv     BROKEN: the package `cv2` is not installed" in done.stdout
    assert str(Path.home()) not in done.stdout
