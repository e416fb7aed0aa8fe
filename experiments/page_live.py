"""The page's live picture, measured: frames a second and lag, and memory while viewers come and go."""

import time
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import cv2
import httpx
import numpy as np

from experiments.cameras import Camera, save_pictures
from experiments.page_server import Server, child_of, chromium, cpu_s, launched, megabytes_of, serving, tell
from experiments.page_workspaces import make_workspace
from people.workspace.workspace import Workspace

FULL_HD = (1920, 1080)

N_BROWSERS = 3


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


def measure_browsers(workspace: Workspace, pictures: Path, minutes: float, n_rounds: int) -> None:
    """Open three browsers on the live page and close them, again and again, and print the server's memory."""
    from playwright.sync_api import sync_playwright

    camera = Camera("mjpeg", pictures, 15)
    sizes: list[tuple[float, float]] = []
    n_frames = 0
    try:
        with serving(workspace) as server, sync_playwright() as started:
            add_camera(server, "yard", camera)
            begun_s = time.monotonic()
            for number in range(1, n_rounds + 1):
                with ExitStack() as stack:
                    pages = [watch(stack.enter_context(launched(started)), server) for _ in range(N_BROWSERS)]
                    time.sleep(max(0.0, begun_s + 60 * minutes * number / n_rounds - time.monotonic()))
                    n_frames += sum(frames_of(page) for page in pages)
                    sizes.append((server.megabytes, megabytes_of(child_of(server.process.pid))))
            taken_minutes = (time.monotonic() - begun_s) / 60
    finally:
        camera.stop()
    print(
        f"{N_BROWSERS} browsers opened and closed {n_rounds} times in {taken_minutes:.0f} minutes, {n_frames:,} frames "
        f"drawn; MB of the server after each tenth of them: {_tenths([size for size, _ in sizes])}, of the camera's "
        f"process: {_tenths([size for _, size in sizes])}"
    )
    tell("memory of the server", max(size for size, _ in sizes), "MB", target=250)
    for name, values in zip(("server", "camera's process"), zip(*sizes, strict=True), strict=True):
        half = len(values) // 2
        tell(
            f"{name}: growth from the first half to the second", max(values[half:]) - max(values[:half]), "MB", target=5
        )


def _tenths(values: list[float]) -> str:
    return ", ".join(f"{value:.0f}" for value in values[max(1, len(values) // 10) - 1 :: max(1, len(values) // 10)])


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
