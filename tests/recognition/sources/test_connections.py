import os
import socket
import threading
import time
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from recognition.errors import SourceError
from recognition.sources.connections import (
    CaptureConnection,
    ConnectionSettings,
    HttpConnection,
    PipeConnection,
    connect,
    decode,
    open_camera,
    open_http,
)
from recognition.sources.source import Source, SourceKind, parse_source
from tests.recognition.fakes import ANN, image_with
from tests.recognition.mjpeg_server import MjpegServer, encode, in_turn
from tests.recognition.sources.test_video_file import write_video
from tests.recognition.trickling_server import TricklingServer

IMAGE = image_with((ANN, (20, 30, 60, 70)))


def camera(answer: str = "video") -> MjpegServer:
    return MjpegServer(in_turn([IMAGE]), 50, answer=answer)


def test_an_http_camera_gives_pictures() -> None:
    with camera() as server:
        connection = connect(parse_source(server.url))
        (picture_bytes, *_) = connection.read()
        connection.close()
    image = decode(picture_bytes)
    assert image is not None
    assert np.abs(image.astype(int) - IMAGE).mean() < 3


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        ("401", r"refuses access \(HTTP 401\); write the address like http://USER:PASSWORD@ADDRESS/PATH"),
        ("404", "answers HTTP 404 Not Found; check the path"),
        ("html", r"expected a video stream, got a page \(text/html\)"),
        ("hang", "does not answer within 2 s"),
    ],
)
def test_what_is_no_camera_says_what_it_is(answer: str, message: str) -> None:
    with camera(answer) as server:
        address = server.url.replace("://", "://me:secret@")
        with pytest.raises(SourceError, match=message) as caught:
            connect(parse_source(address))
    assert "secret" not in str(caught.value)
    assert f"http://127.0.0.1:{server.port}/video" in str(caught.value)


@pytest.mark.parametrize("how", ["basic", "digest"])
def test_user_and_password_are_given(how: str) -> None:
    with camera(how) as server:
        response = open_http(server.url.replace("://", "://me:p%20w@"))
        assert response.status == 200
        response.close()
        with pytest.raises(SourceError, match="refuses access"):
            open_http(server.url)


def free_port() -> int:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return int(taken.getsockname()[1])


@pytest.mark.parametrize("scheme", ["http", "rtsp"])
def test_nobody_there(scheme: str) -> None:
    with pytest.raises(SourceError, match="refuses the connection; check the port"):
        connect(parse_source(f"{scheme}://me:secret@127.0.0.1:{free_port()}/live"))


def test_an_address_with_a_space_is_refused_without_its_secrets() -> None:
    with pytest.raises(SourceError, match="write a space as %20") as caught:
        connect(parse_source(f"http://127.0.0.1:{free_port()}/video?pwd=my secret"))
    assert "secret" not in str(caught.value)


def test_a_host_that_does_not_exist() -> None:
    with pytest.raises(SourceError, match=r"http://no-such-host\.invalid/: (no such host|does not answer)"):
        connect(parse_source("http://no-such-host.invalid/"))


def test_something_else_than_rtsp_answers() -> None:
    with camera("html") as server, pytest.raises(SourceError, match="answers, but not with a video that can be read"):
        connect(parse_source(f"rtsp://127.0.0.1:{server.port}/live"))


def test_an_http_camera_that_sends_nothing_is_over() -> None:
    with camera("nothing") as server:
        connection = connect(parse_source(server.url))
        assert connection.read() == []
        connection.close()


def test_a_stream_that_stops_is_over_in_time() -> None:
    with MjpegServer(lambda number: encode(IMAGE), rate=0.1) as server:
        connection = connect(parse_source(server.url), ConnectionSettings(timeout_s=0.3))
        assert len(connection.read()) == 1
        assert connection.read() == []
        connection.close()


HEADERS = b"HTTP/1.1 200 OK\r\nContent-Type: multipart/x-mixed-replace; boundary=frame\r\n"


@pytest.mark.parametrize(
    "at_once",
    [
        b"HTTP/1.1 200 OK\r\nX-Long: ",
        b"",
        b"HTTP/1.1 302 Found\r\nLocation: /elsewhere\r\nContent-Length: 99999\r\n\r\n",
    ],
)
def test_an_answer_that_trickles_in_is_not_waited_for(at_once: bytes) -> None:
    started_s = time.monotonic()
    with (
        TricklingServer(at_once, b"x") as server,
        pytest.raises(SourceError, match=r"does not answer within 0\.3 s; check the address"),
    ):
        connect(parse_source(server.url), ConnectionSettings(timeout_s=0.3))
    assert 0.25 < time.monotonic() - started_s < 10


@pytest.mark.parametrize(
    ("at_once", "slowly"),
    [(HEADERS + b"\r\n--frame\r\n", b"x"), (HEADERS + b"Transfer-Encoding: chunked\r\n\r\n", b"0")],
)
def test_pictures_that_trickle_in_are_not_waited_for(at_once: bytes, slowly: bytes) -> None:
    with TricklingServer(at_once, slowly) as server:
        connection = connect(parse_source(server.url), ConnectionSettings(first_frame_s=0.3))
        started_s = time.monotonic()
        assert connection.read() == []
        assert 0.25 < time.monotonic() - started_s < 10
        connection.close()


@pytest.mark.parametrize(
    "answer",
    [
        b"HTTP/1.1 418 Tea\x1b[2Jpot\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Type: text/html\x1b[2J\r\n\r\n",
        b"\x1b[2J\r\n\r\n",
    ],
)
def test_what_a_server_says_cannot_move_the_cursor(answer: bytes) -> None:
    with TricklingServer(answer) as server, pytest.raises(SourceError) as caught:
        connect(parse_source(server.url))
    assert str(caught.value).isprintable()


def test_a_pipe_gives_pictures_and_ends() -> None:
    reading, writing = os.pipe()
    jpeg = encode(IMAGE)
    writer = threading.Thread(target=lambda: (os.write(writing, jpeg * 3), os.close(writing)))
    writer.start()
    connection = PipeConnection(os.fdopen(reading, "rb"))
    found: list[Any] = []
    while pictures := connection.read():
        found += pictures
    writer.join()
    connection.close()
    assert found == [jpeg] * 3


def test_a_named_pipe_to_which_somebody_writes_later(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    connection = connect(parse_source(str(tmp_path / "pipe")))
    jpeg = encode(IMAGE)

    def write() -> None:
        time.sleep(0.3)
        (tmp_path / "pipe").write_bytes(jpeg)

    writer = threading.Thread(target=write)
    writer.start()
    assert connection.read() == [jpeg]
    assert connection.read() == []
    writer.join()
    connection.close()


class Terminal:
    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize(("stdin", "found"), [(Terminal(), "a terminal"), (None, "nothing")])
def test_standard_input_that_is_no_pipe(monkeypatch: pytest.MonkeyPatch, stdin: Terminal | None, found: str) -> None:
    monkeypatch.setattr("sys.stdin", stdin)
    with pytest.raises(SourceError, match=f"expected MJPEG on standard input, found {found}; pipe it in, such as"):
        connect(parse_source("-"))


def test_a_pipe_without_a_picture_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "empty").write_bytes(b"no picture")
    connection = connect(Source(SourceKind.PIPE, str(tmp_path / "empty"), "empty"))
    with pytest.raises(SourceError, match="the pipe ended without a picture; send MJPEG"):
        connection.read()
    connection.close()


def test_a_damaged_picture_is_none() -> None:
    assert decode(b"\xff\xd8\xffno picture") is None


def file_backed(path: Path) -> Any:
    """Return what opens a video file in the place of each camera."""
    return lambda _number: cv2.VideoCapture(str(path))


def test_a_camera_gives_pictures_until_it_ends(tmp_path: Path) -> None:
    path = write_video(tmp_path / "a.avi", 4)
    connection = CaptureConnection(open_camera(0, file_backed(path)))
    images = []
    while pictures := connection.read():
        images += [decode(one) for one in pictures]
    connection.close()
    assert len(images) == 3, "the first picture is the one that shows that it works"
    assert images[0] is not None
    assert np.abs(images[0].mean(axis=(0, 1)) - (18, 100, 200)).max() < 8


def test_a_camera_that_does_not_exist() -> None:
    with pytest.raises(SourceError, match=r"camera 63 cannot be opened; (cameras here: |no camera was found)"):
        connect(parse_source("63"))


def test_a_camera_another_program_uses(tmp_path: Path) -> None:
    whole = write_video(tmp_path / "whole.avi", 5).read_bytes()
    (tmp_path / "a.avi").write_bytes(whole[: whole.index(b"movi") + 4])
    with pytest.raises(SourceError, match="camera 0 gives no picture; another program may be using it"):
        open_camera(0, file_backed(tmp_path / "a.avi"))


class Closed:
    """What OpenCV gives for a camera that another program streams from."""

    def isOpened(self) -> bool:
        return False


@pytest.mark.parametrize(
    ("devices", "mode", "message"),
    [
        ([], 0, "no camera was found on this machine"),
        (["video2", "video10"], 0o600, "cameras here: 2, 10"),
        (["video0"], 0o600, "another program, such as a second loop, may be using .*video0: close that one first"),
        (["video0"], 0o000, "expected permission to use .*video0; add your user to its group"),
    ],
)
def test_why_a_camera_does_not_open(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, devices: list[str], mode: int, message: str
) -> None:
    for name in devices:
        (tmp_path / name).write_bytes(b"")
    monkeypatch.setattr("os.access", lambda *_: mode != 0)
    with pytest.raises(SourceError, match=f"camera 0 cannot be opened; {message}"):
        open_camera(0, lambda _: Closed(), devices=tmp_path)  # type: ignore[arg-type, return-value]


def test_an_http_camera_that_sends_no_pictures_but_much_else_is_over() -> None:
    with MjpegServer(lambda number: b"\xff\xd8\xff\xda" + b"0" * 5000) as server:
        connection = connect(parse_source(server.url), ConnectionSettings(max_frame_bytes=1000))
        assert connection.read() == []
        connection.close()


def test_an_http_camera_that_trickles_without_a_picture_is_over() -> None:
    class Trickle:
        n_reads = 0

        def wait_until(self, _: float) -> None: ...

        def read1(self, _: int) -> bytes:
            self.n_reads += 1
            assert self.n_reads < 100, "it is waited for too long"
            time.sleep(0.01)
            return b"--boundary\r\n"

    response: Any = Trickle()
    assert HttpConnection(response, ConnectionSettings(first_frame_s=0.1)).read() == []


class Capture:
    """Gives what a list says, a picture or none, after a while."""

    def __init__(self, *steps: np.ndarray | None, seconds: float = 0.0) -> None:
        self.steps = list(steps)
        self._seconds = seconds

    def read(self) -> tuple[bool, np.ndarray | None]:
        time.sleep(self._seconds)
        step = self.steps.pop(0) if self.steps else None
        return step is not None, step


def test_the_first_picture_of_a_stream_may_take_longer_than_others() -> None:
    capture: Any = Capture(None, None, IMAGE, None, IMAGE, seconds=0.06)
    connection = CaptureConnection(capture, 10.0)
    assert len(connection.read()) == 1
    assert connection.read() == []
    assert len(CaptureConnection(Capture(None, IMAGE), 0.0).read()) == 0  # type: ignore[arg-type]


@pytest.mark.parametrize(("seconds", "patience_s"), [(0.0, 10.0), (0.06, 0.3)])
def test_a_stream_that_never_gives_a_picture_is_over(seconds: float, patience_s: float) -> None:
    started_s = time.monotonic()
    connection = CaptureConnection(Capture(seconds=seconds), patience_s)  # type: ignore[arg-type]
    assert connection.read() == []
    assert time.monotonic() - started_s < 10
