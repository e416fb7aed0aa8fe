"""What the page promises, measured: ``python -m experiments.page_targets [WHAT ...] [--faces N] [--minutes M]``.

WHAT is any of start, data, keys, load, live, memory; by default all. Each figure is printed on a line with its target.
On a machine that does other things as well, take the best of several runs.
"""

import argparse
import os
import re
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import httpx
import numpy as np

from experiments.cameras import PROJECT, Camera, save_pictures
from experiments.page_workspaces import make_workspace, person_name
from people.store.store import PeopleStore
from people.workspace.workspace import Workspace

CHROMIUM = shutil.which("chromium") or "chromium"
SECONDS_A_KEY = 0.12
"""Of a person who types 100 letters in 12 s, as practised typists do."""

N_NAMED = 50
FULL_HD = (1920, 1080)


@dataclass
class Server:
    """A server in a process of its own."""

    process: "subprocess.Popen[str]"
    address: str
    token: str
    started_s: float

    @property
    def megabytes(self) -> float:
        """Memory that is its own or shared, resident, MB."""
        text = Path(f"/proc/{self.process.pid}/status").read_text()
        return int(re.search(r"VmRSS:\s+(\d+)", text)[1]) / 1024  # type: ignore[index]

    @property
    def cpu_s(self) -> float:
        """Return the seconds that it has computed, which other work on the machine hardly changes."""
        return cpu_s(self.process.pid)

    def url(self, path: str) -> str:
        """Return an address of the page, signed in."""
        return f"{self.address}{path}?token={self.token}"


def cpu_s(pid: int) -> float:
    """Return the seconds that a process has computed."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def child_of(pid: int) -> int:
    """Return the number of the first process that another has begun."""
    return int(Path(f"/proc/{pid}/task/{pid}/children").read_text().split()[0])


@contextmanager
def serving(workspace: Workspace) -> Iterator[Server]:
    """Serve a workspace; `started_s` is from the command to the first page with its data."""
    begun_s = time.perf_counter()
    command = [sys.executable, "facetable.py", "serve", str(workspace.folder), "--port", "0"]
    # As a user starts it: with the modules compiled before.
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    process = subprocess.Popen(
        command, cwd=PROJECT, env=environment, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    )
    try:
        assert process.stdout is not None
        found = re.search(r"open (\S+)/\?token=(\S+)", process.stdout.readline())
        assert found is not None
        server = Server(process, found[1], found[2], 0.0)
        headers = {"Authorization": f"Bearer {server.token}"}
        httpx.get(server.address).raise_for_status()
        httpx.get(f"{server.address}/api/v1/workspace", headers=headers, timeout=60).raise_for_status()
        server.started_s = time.perf_counter() - begun_s
        yield server
    finally:
        process.terminate()
        process.wait()


def tell(what: str, value: float, unit: str, *, target: float, at_least: bool = False) -> None:
    """Print a figure and whether it meets its target."""
    is_met = value >= target if at_least else value <= target
    sign = "at least" if at_least else "at most"
    print(f"{what}: {value:.3g} {unit} ({'met' if is_met else 'MISSED'}: {sign} {target:g})", flush=True)


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


@contextmanager
def chromium() -> Iterator[Any]:
    """Open a browser."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as started:
        browser = started.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        try:
            yield browser
        finally:
            browser.close()


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


def measure_live(workspace: Workspace, pictures: Path, seconds: float = 20.0) -> None:
    """Print frames a second and lag of a camera of 1920x1080 in one browser."""
    camera = Camera("mjpeg", pictures, 30)
    try:
        with serving(workspace) as server, chromium() as browser:
            add_camera(server, "yard", camera)
            page = watch(browser, server)
            camera_pid = child_of(server.process.pid)
            at_first, camera_at_first = server.cpu_s, cpu_s(camera_pid)
            first, begun_s, lags = frames_of(page), time.perf_counter(), []
            while time.perf_counter() - begun_s < seconds:
                time.sleep(0.25)
                lags.append(int(page.locator("canvas").get_attribute("data-lag")))
            n_frames = frames_of(page) - first
            rate = n_frames / (time.perf_counter() - begun_s)
            computed = [server.cpu_s - at_first, cpu_s(camera_pid) - camera_at_first]
    finally:
        camera.stop()
    server_ms, camera_ms = (1000 * one / max(1, n_frames) for one in computed)
    print(f"computing a frame: server {server_ms:.1f} ms, the camera's process with detection {camera_ms:.1f} ms")
    tell("live frames a second at 1080p", rate, "", target=20, at_least=True)
    tell("from capture to canvas, median", float(np.median(lags)), "ms", target=150)
    tell("from capture to canvas, 95th percentile", float(np.percentile(lags, 95)), "ms", target=150)


def measure_memory(workspace: Workspace, pictures: Path, minutes: float) -> None:
    """Let three viewers at a time come and go for some minutes, and print the server's memory."""
    from websockets.sync.client import connect

    camera = Camera("mjpeg", pictures, 15)
    try:
        with serving(workspace) as server:
            add_camera(server, "door", camera)
            address = f"{server.address.replace('http', 'ws', 1)}/api/v1/cameras/door/live"
            headers = {"Authorization": f"Bearer {server.token}"}
            start, seen, begun_s = server.megabytes, [], time.perf_counter()
            while time.perf_counter() - begun_s < 60 * minutes:
                with ExitStack() as stack:
                    opened = (connect(address, additional_headers=headers, max_size=None) for _ in range(3))
                    for viewer in [stack.enter_context(one) for one in opened]:
                        while isinstance(viewer.recv(timeout=90), str):
                            pass
                seen.append(server.megabytes)
    finally:
        camera.stop()
    half = len(seen) // 2
    growth = max(seen[half:], default=start) - max(seen[:half], default=start)
    print(f"{3 * len(seen)} viewers came and went in {minutes:g} minutes; {start:.0f} MB at first")
    tell("memory of the server", max(seen, default=start), "MB", target=250)
    tell("growth from the first half to the second", growth, "MB", target=5)


def add_camera(server: Server, name: str, camera: Camera) -> None:
    """Let a server's workspace have a camera."""
    headers = {"Authorization": f"Bearer {server.token}"}
    asked = {"name": name, "address": camera.url}
    httpx.post(f"{server.address}/api/v1/cameras", json=asked, headers=headers).raise_for_status()


def watch(browser: Any, server: Server) -> Any:
    """Open the live page and wait for its picture."""
    page = browser.new_page()
    page.goto(server.url("/live"))
    page.get_by_role("button", name="yard", exact=True).click()
    page.locator("canvas[data-frames]").wait_for(timeout=90_000)
    return page


def frames_of(page: Any) -> int:
    """Return how many frames were drawn so far."""
    return int(page.locator("canvas").get_attribute("data-frames"))


def live_workspace(folder: Path, data: Path) -> tuple[Workspace, Path]:
    """Make a workspace whose head knows people on real photos, and pictures of a camera that sees two of them."""
    from classifiers.files.head_file import save_head
    from classifiers.training.train import train_head
    from embedder import embed_folder
    from embedder.images.reading import read_image
    from embedder.tables.table import EmbeddingTable

    workspace = make_workspace(folder / "live", 200, n_people=5, n_groups=1)
    embed_folder(data / "people" / "train", folder / "people.h5", min_face_size="auto")
    workspace.head.parent.mkdir()
    save_head(train_head(EmbeddingTable.read(folder / "people.h5"), threshold=0.3), workspace.head)
    photo = cv2.resize(read_image(data / "people" / "test" / "obama_and_biden.jpg"), (2040, 1200))
    steps = [*range(0, 120, 3), *range(120, 0, -3)]
    pictures = [photo[step : step + FULL_HD[1], step : step + FULL_HD[0]] for step in steps]
    return workspace, save_pictures(folder / "pictures", pictures)


def main() -> None:
    """Measure what is asked for."""
    parser = argparse.ArgumentParser(description="What the page promises, measured.")
    everything = ("start", "data", "keys", "load", "live", "memory")
    parser.add_argument("what", nargs="*", choices=[*everything, []], default=list(everything))
    parser.add_argument("--faces", type=int, default=100_000)
    parser.add_argument("--minutes", type=float, default=3.0)
    parser.add_argument("--data", type=Path, default=Path("../shared/data"), help="folder of real photos")
    chosen = parser.parse_args()
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
        if {"live", "memory"} & set(chosen.what):
            workspace, pictures = live_workspace(folder, data)
            if "live" in chosen.what:
                measure_live(workspace, pictures)
            if "memory" in chosen.what:
                measure_memory(workspace, pictures, chosen.minutes)


if __name__ == "__main__":
    main()
