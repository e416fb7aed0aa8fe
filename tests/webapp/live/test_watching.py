"""Watching cameras: no viewer holds a thread or another up, processes that end are begun again, and why is said."""

import asyncio
import os
import signal
import socket
import sys
import threading
import time
from contextlib import suppress
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import pytest
from websockets.asyncio.client import ClientConnection, connect

from people.workspace.workspace import create_workspace
from tests.webapp.conftest import TOKEN
from tests.webapp.event_loop import run_coroutine
from webapp.live import watching
from webapp.live.camera_list import add_camera
from webapp.live.messages import unpack, without_credentials

STAND_IN = Path(__file__).with_name("stand_in_camera.py")
BEARER = {"Authorization": f"Bearer {TOKEN}"}


@pytest.fixture
def site(workspace, serve, monkeypatch):
    """Serve a workspace whose cameras are stand-ins; return a function that adds one and returns its address."""
    workspace.head.parent.mkdir(exist_ok=True)
    workspace.head.write_bytes(b"a head")
    monkeypatch.setattr(watching, "camera_command", lambda head, _: [sys.executable, str(STAND_IN), str(head)])
    monkeypatch.setattr(watching, "SECONDS_AFTER_LAST", 0.1)
    monkeypatch.setenv("PYTHONPATH", str(Path.cwd()))
    address = serve(workspace)

    def add(path: str, credentials: str = "") -> str:
        add_camera(workspace, "door", f"http://{credentials}camera/{path}")
        return f"{address}/api/v1/cameras/door"

    return add


def look(camera: str) -> connect:
    return connect(f"{camera}/live".replace("http", "ws", 1), additional_headers=BEARER, max_size=None)


async def receive(socket: ClientConnection) -> tuple[dict, int]:
    """Return the header and the number of the next message; the number is 0 where it is no picture."""
    async with asyncio.timeout(60):
        while isinstance(message := await socket.recv(), str):
            assert message.isdecimal()  # there is something new about visits
    header, jpeg = unpack(message)
    return header, int.from_bytes(jpeg[:8], "big")


async def first_picture(socket: ClientConnection) -> int:
    while True:
        header, number = await receive(socket)
        await socket.send("seen")
        if header["state"] == "picture":
            return number


def children() -> list[int]:
    """Return the numbers of the processes of stand-ins that this process has begun."""
    found = []
    for place in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            state, parent = (place / "stat").read_text().rpartition(")")[2].split()[:2]
            if int(parent) == os.getpid() and state != "Z" and STAND_IN.name in (place / "cmdline").read_text():
                found.append(int(place.name))
    return found


def wait_until(holds) -> None:
    until_s = time.monotonic() + 60
    while not holds():
        assert time.monotonic() < until_s
        time.sleep(0.02)


def test_fifty_viewers_hold_no_thread_and_one_process(site):
    camera = site("frames/20/20000")

    async def run():
        sockets = [await look(camera).__aenter__()]
        await first_picture(sockets[0])
        before = threading.active_count()
        for _ in range(49):
            sockets.append(await look(camera).__aenter__())
        await asyncio.gather(*map(first_picture, sockets))
        numbers = await asyncio.gather(*map(first_picture, sockets))
        assert threading.active_count() <= before + 3
        assert (max(numbers) - min(numbers), len(children())) <= (20, 1)
        async with httpx.AsyncClient(headers=BEARER) as client:
            begun_s = time.monotonic()
            assert (await client.get(camera.rpartition("/")[0])).status_code == 200
            assert time.monotonic() - begun_s < 5
        await asyncio.gather(*(socket.close() for socket in sockets))

    run_coroutine(run())
    wait_until(lambda: not children())


def test_a_slow_viewer_gets_the_newest_picture_and_holds_nobody_up(site):
    camera = site("frames/50/100000")

    async def run():
        async with look(camera) as slow, look(camera) as fast:
            first = await first_picture(slow)
            _, unseen = await receive(slow)  # and is not acknowledged
            assert unseen > first
            for _ in range(40):
                newest = await first_picture(fast)
            with pytest.raises(TimeoutError):  # nothing more is sent to who has not seen what was sent
                async with asyncio.timeout(0.2):
                    await slow.recv()
            await slow.send("seen")
            _, number = await receive(slow)
            assert number >= newest > unseen + 30

    run_coroutine(run())


def test_words_that_nobody_asked_for_are_no_credit(site):
    camera = site("frames/50/1000")

    async def run():
        async with look(camera) as viewer:
            await first_picture(viewer)
            for _ in range(100):
                await viewer.send("seen")
            await asyncio.sleep(0.5)
            numbers = []
            with pytest.raises(TimeoutError):
                while True:
                    async with asyncio.timeout(0.3):
                        numbers.append(await viewer.recv())
            assert len(numbers) <= 12  # what was acknowledged while the words came in

    run_coroutine(run())


def test_who_does_not_read_a_stream_holds_nobody_up(site):
    camera = site("frames/40/500000")
    parts = urlsplit(camera)
    with socket.create_connection((parts.hostname, parts.port)) as lazy:
        asked = f"GET {parts.path}/stream HTTP/1.1\r\nHost: {parts.netloc}\r\nAuthorization: Bearer {TOKEN}\r\n\r\n"
        lazy.sendall(asked.encode())
        assert lazy.recv(15).startswith(b"HTTP/1.1 200")

        async def run():
            async with look(camera) as viewer:
                first = await first_picture(viewer)
                begun_s = time.monotonic()
                for _ in range(30):
                    newest = await first_picture(viewer)
                assert newest >= first + 30 and time.monotonic() - begun_s < 10

        run_coroutine(run())
    wait_until(lambda: not children())


def test_a_process_that_is_killed_is_begun_again_and_that_is_said(site, monkeypatch):
    monkeypatch.setattr(watching, "FIRST_PAUSE_S", 0.2)
    camera = site("frames/20/1000")

    async def run():
        async with look(camera) as viewer:
            await first_picture(viewer)
            (killed,) = children()
            os.kill(killed, signal.SIGKILL)
            states = []
            while not states or states[-1]["state"] != "stopped":
                states.append((await receive(viewer))[0])
                await viewer.send("seen")
            assert states[-1]["again_s"] == 0.2
            assert await first_picture(viewer) > 0
            assert children() not in ([], [killed])

    run_coroutine(run())


def test_a_process_that_always_fails_is_tried_ever_less_often_and_its_last_words_are_shown(site, monkeypatch):
    monkeypatch.setattr(watching, "FIRST_PAUSE_S", 0.05)
    monkeypatch.setattr(watching, "LONGEST_PAUSE_S", 0.15)
    camera = site("fails?token=abc", "me:secret@")

    async def run():
        async with look(camera) as viewer:
            said = []
            while len(said) < 4:
                header, _ = await receive(viewer)
                await viewer.send("seen")
                if header["state"] == "stopped":
                    said.append(header)
        return said

    said = run_coroutine(run())
    assert [one["again_s"] for one in said] == [0.05, 0.1, 0.15, 0.15]
    assert {one["reason"] for one in said} == {"http://camera/fails?token=***: this camera is broken"}


def test_a_process_that_is_silent_is_ended(site, monkeypatch):
    monkeypatch.setattr(watching, "LONGEST_SILENCE_S", 0.3)
    camera = site("silent")

    async def run():
        async with look(camera) as viewer:
            while (await receive(viewer))[0]["state"] != "stopped":
                await viewer.send("seen")

    run_coroutine(run())


def test_other_programs_read_the_stream(site, monkeypatch):
    camera = site("frames/20/1000")
    with httpx.stream("GET", f"{camera}/stream", headers=BEARER, timeout=60) as answer:
        assert answer.headers["content-type"] == "multipart/x-mixed-replace; boundary=frame"
        content = b""
        for chunk in answer.iter_bytes():
            content += chunk
            if content.count(b"--frame") > 3:
                break
    parts = content.split(b"--frame\r\n")[1:-1]
    heads, jpegs = zip(*(part.split(b"\r\n\r\n", 1) for part in parts), strict=True)
    assert set(heads) == {b"Content-Type: image/jpeg\r\nContent-Length: 1008"}
    numbers = [int.from_bytes(jpeg[:8], "big") for jpeg in jpegs]
    assert numbers == sorted(set(numbers)) and all(len(jpeg) == 1010 for jpeg in jpegs)
    wait_until(lambda: not children())


def test_a_removed_camera_ends_its_process(site):
    camera = site("frames/20/1000")

    async def run():
        async with look(camera) as viewer:
            await first_picture(viewer)
            assert len(children()) == 1
            async with httpx.AsyncClient(headers=BEARER) as client:
                assert (await client.delete(camera)).json() == {"cameras": []}
            assert children() == []

    run_coroutine(run())


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("rtsp://me:pw@10.0.0.7/live: lost", "rtsp://10.0.0.7/live: lost"),
        ("a http://a:b@c/d and rtsp://e:f/g@h/i", "a http://c/d and rtsp://h/i"),
        ("nothing of me@home", "nothing of me@home"),
    ],
)
def test_lines_are_shown_without_credentials(text, shown):
    assert without_credentials(text) == shown


@pytest.mark.parametrize("second", ["centerface", ""])
def test_a_camera_asks_the_second_detector_that_its_workspace_has(serve, photos, tmp_path, monkeypatch, second):
    asked = []

    def command(head, second_detector):
        asked.append(second_detector)
        return [sys.executable, str(STAND_IN), str(head)]

    monkeypatch.setattr(watching, "camera_command", command)
    monkeypatch.setattr(watching, "SECONDS_AFTER_LAST", 0.1)
    monkeypatch.setenv("PYTHONPATH", str(Path.cwd()))
    workspace = create_workspace(tmp_path / "asking", [photos], second_detector=second)
    workspace.head.parent.mkdir(exist_ok=True)
    workspace.head.write_bytes(b"a head")
    add_camera(workspace, "door", "http://camera/frames/20/20000")
    address = serve(workspace)

    async def run():
        async with look(f"{address}/api/v1/cameras/door") as viewer:
            assert await first_picture(viewer) > 0

    run_coroutine(run())
    assert asked == [second]


def test_the_process_is_told_which_second_detector():
    assert watching.camera_command(Path("family.skops"), "centerface")[-2:] == ["family.skops", "centerface"]
