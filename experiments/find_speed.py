"""How long finding photos takes on the page: ``python -m experiments.find_speed [--faces N]``.

A made workspace, see `experiments.people_scale`: three faces a photo, twenty a person, photos of one folder a thousand.
Asks the HTTP interface as a browser does, without a network between, and prints the median and the 95th percentile of
the milliseconds of each question.
"""

import argparse
import logging
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
from fastapi.testclient import TestClient

from experiments.people_scale import make_store, record_table
from people.store.records import photo_number
from people.store.store import PeopleStore
from people.workspace.workspace import Workspace, create_workspace
from webapp.access.tokens import Access
from webapp.server.app import create_app

ROUNDS = 20
TOKEN = "token-of-the-measurement"

QUESTIONS: dict[str, tuple[str, dict[str, Any]]] = {
    "one person": ("/find", {"with": 1}),
    "all of a year": ("/find", {"from": "2019", "to": "2019"}),
    "all of a year, last page": ("/find", {"from": "2019", "to": "2019", "offset": 33_000}),
    "without one person": ("/find", {"without": 1}),
    "unnamed": ("/find", {"unnamed": True}),
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


def measure(client: TestClient, path: str, query: dict[str, Any]) -> tuple[float, float, Any]:
    """Return the median and the 95th percentile of the milliseconds an answer takes, and the answer."""
    seconds = []
    for _ in range(ROUNDS):
        begun = time.perf_counter()
        answer = client.get(f"/api/v1{path}", params=query)
        seconds.append(time.perf_counter() - begun)
        answer.raise_for_status()
    return float(np.median(seconds) * 1e3), float(np.percentile(seconds, 95) * 1e3), answer.json()


def main() -> None:
    """Make a workspace and print how long each question takes."""
    parser = argparse.ArgumentParser(description="Speed of finding photos on the page.")
    parser.add_argument("--faces", type=int, default=100_000)
    n_faces = parser.parse_args().faces
    logging.getLogger("httpx").setLevel(logging.WARNING)
    with tempfile.TemporaryDirectory() as folder:
        workspace, middle = make_workspace(Path(folder), n_faces)
        app = create_app(workspace, Access(start_token=TOKEN))
        headers = {"Authorization": f"Bearer {TOKEN}"}
        beside: dict[str, tuple[str, dict[str, Any]]] = {"photos beside one of all": (f"/photos/{middle}/beside", {})}
        with TestClient(app, base_url="http://127.0.0.1:8764", headers=headers) as client:
            for what, (path, query) in {**QUESTIONS, **beside}.items():
                median, slowest, answer = measure(client, path, query)
                total = f", {answer['total']:,} photos" if "total" in answer else ""
                print(f"{what}{total}: {median:.0f} ms, 95 % within {slowest:.0f}", flush=True)


if __name__ == "__main__":
    main()
