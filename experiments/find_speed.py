"""How long finding photos takes on the page: ``python -m experiments.find_speed [--faces N]``.

A made workspace, see `experiments.people_scale`: three faces a photo, twenty a person, a thousand photos a folder.
Serves it and asks as a browser does. Prints the median and the 95th percentile of the milliseconds of each question,
and how many of them processors worked for the server, which other programs do not lengthen.
"""

import argparse
import json
import os
import re
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from experiments.people_scale import make_store, record_table
from people.store.records import photo_number
from people.store.store import PeopleStore
from people.workspace.workspace import Workspace, create_workspace

ROUNDS = 20

QUESTIONS = {
    "find one person": "/find?with=1",
    "find all of a year": "/find?from=2019&to=2019",
    "find all of a year, last page": "/find?from=2019&to=2019&offset=33000",
    "find those without one person": "/find?without=1",
    "find unnamed": "/find?unnamed=true",
    "photo": "/photos/{photo}",
    "photos beside one of all": "/photos/{photo}/beside",
    "faces of a person, doubtful first": "/people/1/doubts",
    "with whom a person is": "/people/1/together",
    "when a person was photographed": "/people/1/timeline",
}


def make_workspace(folder: Path, n_faces: int) -> tuple[Workspace, int]:
    """Make a workspace; return it and the number of a photo in the middle of it."""
    (folder / "photos").mkdir(parents=True)
    workspace = create_workspace(folder / "made", [folder / "photos"])
    make_store(workspace.store, n_faces)
    with PeopleStore(workspace.store) as store:
        record_table(store, n_faces)
        files = store.files()
    return workspace, photo_number(files[len(files) // 2].sha256)


@contextmanager
def served(workspace: Workspace) -> Iterator[tuple[str, str, int]]:
    """Serve a workspace; yield address, token and the process's number."""
    command = [sys.executable, "-m", "webapp", str(workspace.folder), "--port", "0"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as server:
        try:
            assert server.stdout is not None
            found = re.search(r"open (\S+)/\?token=(\S+)", server.stdout.readline())
            if found is None:
                raise RuntimeError("expected the address of the server, found none")
            yield found[1], found[2], server.pid
        finally:
            server.terminate()


def processor_seconds(pid: int) -> float:
    """Return how long processors have worked for a process, NaN where the system does not tell."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return float("nan")
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def measure(address: str, token: str) -> tuple[float, float, Any]:
    """Return the median and the 95th percentile of the milliseconds an answer takes, and the answer."""
    seconds = []
    for _ in range(ROUNDS):
        begun = time.perf_counter()
        request = urllib.request.Request(address, headers={"Authorization": f"Bearer {token}"})
        with urllib.request.urlopen(request) as response:
            answer = json.load(response)
        seconds.append(time.perf_counter() - begun)
    return float(np.median(seconds) * 1e3), float(np.percentile(seconds, 95) * 1e3), answer


def main() -> None:
    """Make a workspace and print how long each question takes."""
    parser = argparse.ArgumentParser(description="Speed of finding photos on the page.")
    parser.add_argument("--faces", type=int, default=100_000)
    n_faces = parser.parse_args().faces
    with tempfile.TemporaryDirectory() as folder:
        workspace, photo = make_workspace(Path(folder), n_faces)
        with served(workspace) as (address, token, pid):
            for what, question in QUESTIONS.items():
                before = processor_seconds(pid)
                median, slowest, answer = measure(f"{address}/api/v1{question.format(photo=photo)}", token)
                worked = (processor_seconds(pid) - before) / ROUNDS * 1e3
                total = f", {answer['total']:,}" if "total" in answer else ""
                print(f"{what}{total}: {median:.0f} ms, 95 % within {slowest:.0f}, worked {worked:.0f}", flush=True)


if __name__ == "__main__":
    main()
