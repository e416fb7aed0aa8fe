import os
import subprocess
import sys
from pathlib import Path

import pytest

from recognition.diagnosis.liveness import is_alive
from tests import PROJECT


def thread(process: Path, number: int, switches: int) -> None:
    folder = process / "task" / str(number)
    folder.mkdir(parents=True, exist_ok=True)
    text = f"Name:\tx\nvoluntary_ctxt_switches:\t{switches}\nnonvoluntary_ctxt_switches:\t2\n"
    (folder / "status").write_text(text)


def test_a_process_is_alive_while_any_of_its_threads_is_given_to_a_core(tmp_path):
    process, note = tmp_path / "1", tmp_path / "note"
    thread(process, 1, 5)
    thread(process, 7, 5)
    assert is_alive(process, note)
    assert not is_alive(process, note)
    thread(process, 7, 6)
    assert is_alive(process, note)
    assert not is_alive(process, note)


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="reads /proc")
def test_the_command_of_the_health_check(tmp_path):
    command = [sys.executable, "-m", "recognition.diagnosis.liveness"]
    done = subprocess.run(command, cwd=PROJECT, env=os.environ | {"TMPDIR": str(tmp_path)}, check=False)
    assert done.returncode == 0
    assert (tmp_path / "facetable-liveness").read_text().isdigit()
