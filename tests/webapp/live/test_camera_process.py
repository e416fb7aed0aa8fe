"""A camera's own process before real servers: away and back, killed, wrong credentials, read by OpenCV."""

import asyncio
import io
import os
import shutil
import signal
import threading
from pathlib import Path

import cv2
import numpy as np
import pytest

from experiments.cameras import GSTREAMER, Camera, has_rtsp, save_pictures
from recognition.sources.source import parse_source
from tests.webapp.conftest import TOKEN
from tests.webapp.event_loop import run_coroutine
from tests.webapp.live.test_watching import look, wait_until
from webapp.live import camera_process, watching
from webapp.live.camera_list import add_camera
from webapp.live.messages import unpack

pytestmark = pytest.mark.realdata


@pytest.fixture(scope="session")
def clip(data: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with the pictures of a real clip, which cameras show again and again."""
    video = cv2.VideoCapture(str(data / "video" / "short_hamilton_clip.mp4"))
    pictures = []
    while len(pictures) < 40 and (read := video.read())[0]:
        pictures.append(np.ascontiguousarray(read[1][..., ::-1]))
    return save_pictures(tmp_path_factory.mktemp("clip"), pictures)


@pytest.fixture
def site(workspace, serve, people_head, monkeypatch):
    """Serve a workspace with a head of real people; return a function that adds a camera and returns its address."""
    workspace.head.parent.mkdir(exist_ok=True)
    shutil.copyfile(people_head, workspace.head)
    monkeypatch.setattr(watching, "SECONDS_AFTER_LAST", 0.1)
    address = serve(workspace)

    def add(url: str) -> str:
        add_camera(workspace, "door", url)
        return f"{address}/api/v1/cameras/door"

    return add


async def until_state(socket, state: str, *, reason: str = "") -> dict:
    """Acknowledge messages until one has a state and a reason that holds a text."""
    async with asyncio.timeout(60):
        while True:
            message = await socket.recv()
            if isinstance(message, str):
                continue
            await socket.send("seen")
            header, _ = unpack(message)
            if header["state"] == state and reason in header.get("reason", ""):
                return header


@pytest.mark.parametrize("kind", ["mjpeg", "rtsp"])
def test_a_camera_that_is_gone_is_said_and_seen_again_when_it_is_back(site, clip, kind):
    if kind == "rtsp" and not has_rtsp():
        pytest.skip(GSTREAMER)
    camera = Camera(kind, clip, 10)
    shown = site(camera.url)

    async def run():
        async with look(shown) as viewer:
            await until_state(viewer, "picture")
            camera.stop()
            said = await until_state(viewer, "waiting", reason="still trying")
            assert f"127.0.0.1:{camera.port}" in said["reason"]
            camera.start()
            await until_state(viewer, "picture")

    try:
        run_coroutine(run())
    finally:
        camera.stop()


def test_wrong_credentials_are_said_without_them(site, clip):
    if not has_rtsp():
        pytest.skip(GSTREAMER)
    camera = Camera("rtsp", clip, 10, "me", "right")
    shown = site(f"rtsp://me:wrong@{camera.address}")

    async def run():
        async with look(shown) as viewer:
            return await until_state(viewer, "waiting", reason="rtsp://")

    try:
        said = run_coroutine(run())
    finally:
        camera.stop()
    assert said["reason"].startswith(f"rtsp://{camera.address}") and "wrong@" not in said["reason"]


def test_a_damaged_head_is_said(site, clip, workspace):
    shown = site("http://127.0.0.1:9/video")
    workspace.head.write_bytes(b"no head")

    async def run():
        async with look(shown) as viewer:
            return await until_state(viewer, "stopped")

    assert "people.skops" in run_coroutine(run())["reason"]


def test_a_process_that_is_killed_while_it_sends_is_begun_again(site, clip):
    camera = Camera("mjpeg", clip, 10)
    shown = site(camera.url)

    async def run():
        async with look(shown) as viewer:
            await until_state(viewer, "picture")
            (process,) = camera_processes()
            os.kill(process, signal.SIGKILL)
            assert (await until_state(viewer, "stopped"))["again_s"] == watching.FIRST_PAUSE_S
            await until_state(viewer, "picture")

    try:
        run_coroutine(run())
    finally:
        camera.stop()
    wait_until(lambda: not camera_processes())


def test_opencv_reads_the_stream(site, clip, monkeypatch):
    camera = Camera("mjpeg", clip, 10)
    shown = site(camera.url)
    monkeypatch.setenv("OPENCV_FFMPEG_CAPTURE_OPTIONS", f"headers;Authorization: Bearer {TOKEN}")
    try:
        stream = cv2.VideoCapture(f"{shown}/stream", cv2.CAP_FFMPEG)
        frames = [stream.read() for _ in range(3)]
        stream.release()
    finally:
        camera.stop()
    assert [is_read for is_read, _ in frames] == [True] * 3
    expected = cv2.imread(str(clip / "0000.jpg"))
    assert frames[0][1].shape == expected.shape and frames[0][1].std() > 10
    wait_until(lambda: not camera_processes())


class Witness:
    """Stands in for a second detector that says the same of everything."""

    def __init__(self, score):
        self.score = score

    def scores(self, image, boxes):
        return np.full(len(boxes), self.score, np.float32)


class Messages(io.RawIOBase):
    """Takes what a camera's process writes and stops it after some pictures."""

    def __init__(self, stopping):
        self.stopping, self.pictures, self.n_visits = stopping, [], 0

    def writable(self):
        return True

    def write(self, message):
        header, _ = unpack(bytes(message)[4:])
        self.n_visits += header["state"] == "visit"
        if header["state"] == "picture":
            self.pictures.append(header["faces"])
            if len(self.pictures) == 40:
                self.stopping.set()
        return len(message)


@pytest.mark.parametrize(("score", "is_face"), [(0.0, False), (0.9, True)])
def test_what_a_second_detector_takes_for_no_face_gets_no_name_and_no_visit(
    people_head, clip, monkeypatch, score, is_face
):
    asked = []
    monkeypatch.setattr(
        camera_process, "load_second", lambda options: asked.append(options.second_detector) or Witness(score)
    )
    stopping, camera = threading.Event(), Camera("mjpeg", clip, 10)
    output = Messages(stopping)
    try:
        loop = camera_process.CameraLoop(
            people_head, parse_source(camera.url), camera.url, second_detector="centerface"
        )
        loop.run(camera_process.PictureWriter(output), stopping, camera_process.LastWarning())
    finally:
        camera.stop()
    assert asked == ["centerface"]
    faces = [face for faces in output.pictures for face in faces]
    assert faces and any(face["is_face"] for face in faces) == is_face
    assert any(face["visit"] for face in faces) == is_face and (output.n_visits > 0) == is_face


def camera_processes() -> list[int]:
    """Return the numbers of the processes of cameras that this process has begun."""
    found = []
    for place in Path("/proc").glob("[0-9]*"):
        try:
            state, parent = (place / "stat").read_text().rpartition(")")[2].split()[:2]
            is_camera = "webapp.live.camera_process" in (place / "cmdline").read_text()
        except OSError:
            continue
        if int(parent) == os.getpid() and state != "Z" and is_camera:
            found.append(int(place.name))
    return found
