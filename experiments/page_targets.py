"""What the page promises, measured: ``python -m experiments.page_targets [WHAT ...] [--faces N] [--minutes M]``.

WHAT is any of start, data, keys, load, live, memory, browsers; by default all. Each figure is printed on a line with
its target. On a machine that does other things as well, take the best of several runs.
"""

import argparse
import os
import re
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import numpy as np

from experiments.cameras import PROJECT
from experiments.page_live import live_workspace, measure_browsers, measure_live, measure_memory
from experiments.page_server import chromium, serving, tell
from experiments.page_workspaces import make_workspace, person_name
from people.store.store import PeopleStore
from people.workspace.workspace import Workspace

SECONDS_A_KEY = 0.12
"""Of a person who types 100 letters in 12 s, as practised typists do."""

N_NAMED = 50


def measure_start(workspace: Workspace, rounds: int = 5) -> None:
    """Print the best of several starts."""
    seconds, computed = [], []
    for _ in range(rounds):
        with serving(workspace) as server:
            seconds.append(server.started_s)
            computed.append(server.cpu_s)
    print(f"starts: {', '.join(f'{one:.2f}' for one in seconds)} s, of which computing {min(computed):.2f} s at least")
    tell("start to first page, best", min(seconds), "s", target=1.5)


@contextmanager
def scan_beside(workspace: Workspace, photos: Path) -> Iterator[None]:
    """Let a scan of real photos run in a workspace beside, and write groups into `workspace` as a scan does."""
    stopping = threading.Event()
    other = workspace.folder.parent / "scanned beside"
    code = (
        "import sys; from pathlib import Path; from people.workspace.workspace import create_workspace\n"
        "from people.workspace.scan import scan; import shutil\n"
        "folder, photos = Path(sys.argv[1]), sys.argv[2]\n"
        "while True:\n"
        "    shutil.rmtree(folder, ignore_errors=True); scan(create_workspace(folder, [photos]))\n"
    )
    scan = subprocess.Popen([sys.executable, "-c", code, str(other), str(photos)], cwd=PROJECT)

    def write() -> None:
        with PeopleStore(workspace.store) as store:
            groups = np.array([face.group for face in sorted(store.faces_in_table(), key=lambda face: face.row)])
            while not stopping.wait(0.5):
                store.record_groups(groups)

    writing = threading.Thread(target=write)
    writing.start()
    try:
        time.sleep(8)  # until it has loaded its networks and looks at photos
        yield
    finally:
        stopping.set()
        writing.join()
        scan.kill()
        scan.wait()


def measure_data(workspace: Workspace, photos: Path, rounds: int = 40) -> None:
    """Print the 95th percentile of what each page asks for, while a scan runs."""
    with serving(workspace) as server, httpx.Client(timeout=60) as client:
        client.headers["Authorization"] = f"Bearer {server.token}"
        root = f"{server.address}/api/v1"
        people = client.get(f"{root}/people", params={"limit": 100}).json()["people"]
        group = client.get(f"{root}/groups").json()["groups"][0]["group"]
        photo = client.get(f"{root}/people/{people[0]['id']}/faces").json()["faces"][0]["photo"]
        pages: dict[str, tuple[str, dict[str, Any]]] = {
            "start": ("/workspace", {}),
            "groups": ("/groups", {}),
            "a group": (f"/groups/{group}", {}),
            "people": ("/people", {"limit": 100}),
            "people, searched": ("/people", {"q": "person 7", "limit": 9}),
            "person": (f"/people/{people[0]['id']}", {}),
            "faces of a person": (f"/people/{people[0]['id']}/faces", {"limit": 100}),
            "find": ("/find", {"with": people[0]["id"]}),
            "photo": (f"/photos/{photo}", {}),
            "questions": ("/questions", {}),
            "history": ("/history", {}),
            "visits": ("/visits", {}),
        }
        with scan_beside(workspace, photos):
            for name, (path, query) in pages.items():
                answer = client.get(root + path, params=query)  # what is kept between requests is made with the first
                if answer.status_code != 200:
                    print(f"{name}: {answer.status_code} {answer.text[:200]}")
                    continue
                took = [client.get(root + path, params=query).elapsed.total_seconds() for _ in range(rounds)]
                tell(f"data of {name}, 95th percentile", 1000 * float(np.percentile(took, 95)), "ms", target=150)
        tell("memory of the server after that", server.megabytes, "MB", target=250)


def measure_load(workspace: Workspace) -> None:
    """Print how many bytes the first page takes."""
    with serving(workspace) as server, chromium() as browser:
        page = browser.new_page()
        page.goto(server.url("/"))
        page.locator("main h1").wait_for()
        page.wait_for_load_state("networkidle")
        entries = "['resource', 'navigation'].flatMap((kind) => performance.getEntriesByType(kind))"
        sizes = page.evaluate(f"() => {entries}.reduce((sum, one) => sum + one.transferSize, 0)")
        tell("first load", sizes / 1024, "KB", target=300)


def measure_keys(folder: Path) -> None:
    """Name groups as a person does, and print how many keys each took beside the letters of names."""
    workspace = make_workspace(folder, 20 * (N_NAMED + 12), n_people=10, n_groups=N_NAMED)
    with serving(workspace) as server, chromium() as browser:
        page = browser.new_page()
        page.goto(server.url("/groups"))
        n_keys, begun_s = 0, time.perf_counter()
        with PeopleStore(workspace.store) as store:
            rows = {face.face.key: face.row for face in store.faces_in_table()}
        with httpx.Client(base_url=server.address, headers={"Authorization": f"Bearer {server.token}"}) as client:
            sizes = client.get("/api/v1/groups").json()["groups"]
            for done, one in enumerate(sizes):
                faces = client.get(f"/api/v1/groups/{one['group']}").json()["faces"]
                number = (rows[faces[0]["key"]] - 20 * 12) // 20 % 10
                n_keys += _name_group(page, person_name(number), n_left=len(sizes) - done)
        page.get_by_text("Every group has a name").wait_for()
        seconds = time.perf_counter() - begun_s
    print(f"{N_NAMED} groups in {seconds:.0f} s, a key each {SECONDS_A_KEY} s")
    tell("keys a group, beside the letters of names", n_keys / N_NAMED, "keys", target=2.5)


def _name_group(page: Any, name: str, *, n_left: int) -> int:
    """Take the proposal that is right, or type the name; return how many keys were pressed that are no letters."""
    page.get_by_text(re.compile(rf"^{n_left} groups? without a name")).wait_for()
    proposals = page.locator(".likely .name").all_inner_texts()
    time.sleep(SECONDS_A_KEY)
    if name in proposals:
        page.keyboard.press(str(proposals.index(name) + 1))
    else:
        page.keyboard.type(name, delay=1000 * SECONDS_A_KEY)
        page.keyboard.press("Enter")
    return 1


def main() -> None:
    """Measure what is asked for."""
    parser = argparse.ArgumentParser(description="What the page promises, measured.")
    everything = ("start", "data", "keys", "load", "live", "memory", "browsers")
    parser.add_argument("what", nargs="*", choices=[*everything, []], default=list(everything))
    parser.add_argument("--faces", type=int, default=100_000)
    parser.add_argument("--minutes", type=float, default=3.0, help="of memory and of browsers, each")
    parser.add_argument("--rounds", type=int, default=10, help="times that three browsers are opened and closed")
    parser.add_argument("--data", type=Path, default=Path("../shared/data"), help="folder of real photos")
    chosen = parser.parse_args()
    if chosen.rounds < 2:
        parser.error(f"--rounds must be 2 or more, got {chosen.rounds}")
    print(f"load of the machine: {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores")
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as name:  # a server that ends may still write
        folder, data = Path(name), chosen.data.resolve()
        if {"start", "data", "load"} & set(chosen.what):
            large = make_workspace(folder / "large", chosen.faces, n_people=chosen.faces // 100, n_groups=500)
            print(f"{chosen.faces:,} faces; store {large.store.stat().st_size / 2**20:.0f} MB")
            steps: dict[str, Callable[[], None]] = {
                "start": lambda: measure_start(large),
                "data": lambda: measure_data(large, data / "people" / "train"),
                "load": lambda: measure_load(large),
            }
            for what in steps.keys() & set(chosen.what):
                steps[what]()
        if "keys" in chosen.what:
            measure_keys(folder / "naming")
        if {"live", "memory", "browsers"} & set(chosen.what):
            workspace, pictures = live_workspace(folder, data)
            if "live" in chosen.what:
                measure_live(workspace, pictures)
            if "memory" in chosen.what:
                measure_memory(workspace, pictures, chosen.minutes)
            if "browsers" in chosen.what:
                measure_browsers(workspace, pictures, chosen.minutes, chosen.rounds)


if __name__ == "__main__":
    main()
