"""Connections to live sources: cameras, streams and pipes; each reads frames until it fails."""

import http.client
import os
import select
import socket
import ssl
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Protocol
from urllib.parse import unquote, urlsplit, urlunsplit

import cv2
import numpy as np

from foundation.plug_ins.loading import SOURCES, load_plug_in
from recognition.errors import SourceError
from recognition.sources.deadline_http import DeadlineHandler, DeadlineResponse, SecureDeadlineHandler
from recognition.sources.mjpeg import MAX_FRAME_BYTES, JpegSplitter
from recognition.sources.source import STREAM_SCHEMES, Source, SourceKind, redact_url

_CHUNK = 64 * 1024
DEVICES = Path("/dev")
# Each further thread with which FFmpeg decodes delays frames by one more, and returns an old one after a pause.
_DECODING_THREADS = 1
# FFmpeg analyses a stream for as long as it is allowed to, to find its frame rate, which is not used here.
_FFMPEG_OPTIONS = "rtsp_flags;prefer_tcp|fpsprobesize;0|analyzeduration;1000000"
_DEFAULT_PORTS = {"rtsp": 554, "rtsps": 322, "rtmp": 1935, "rtmps": 443, "http": 80, "https": 443}

EncodedFrame = np.ndarray | bytes
"""A frame as it arrives: uint8 (h, w, 3) in OpenCV's channel order, or a JPEG image that is decoded only if used."""


@dataclass(frozen=True)
class ConnectionSettings:
    """How long live sources may take to answer.

    Attributes
    ----------
    timeout_s : float
        Seconds a stream may take to open, and to send its next frame, before it counts as lost. Longer tolerates slow
        networks; shorter opens a hanging camera again sooner.
    first_frame_s : float
        Seconds the first frame of a stream may take: decoding begins at a key frame, and many cameras send one every
        few seconds only.
    max_frame_bytes : int
        Bytes of MJPEG without a whole image after which the stream counts as lost.
    max_empty_reads : int
        Reads in a row without a frame after which a stream that has not sent one yet is over. Each may be the end, or a
        frame that could not be decoded.
    empty_read_pause_s : float
        Seconds between two such reads.
    """

    timeout_s: float = 2.0
    first_frame_s: float = 10.0
    max_frame_bytes: int = MAX_FRAME_BYTES
    max_empty_reads: int = 10
    empty_read_pause_s: float = 0.05


class Connection(Protocol):
    """An open live source."""

    def read(self) -> list[EncodedFrame]:
        """Return the frames that arrived since the last call, the newest last; none when the connection is over."""

    def close(self) -> None:
        """Release the source."""


def connect(source: Source, settings: ConnectionSettings = ConnectionSettings()) -> Connection:
    """Open a camera, stream or pipe.

    Raises
    ------
    SourceError
        If it cannot be opened, or sends no frame; the message says what it answers.
    """
    if source.kind is SourceKind.CAMERA:
        return CaptureConnection(open_camera(int(source.address)))
    if source.kind is SourceKind.PIPE:
        return PipeConnection(open_pipe(source.address), settings)
    scheme = urlsplit(source.address).scheme.lower()
    if scheme and scheme not in STREAM_SCHEMES:
        return _connect_plug_in(scheme, source)
    if scheme in ("http", "https"):
        response = open_http(source.address, settings)
        if response is not None:
            return HttpConnection(response, settings)
    return CaptureConnection(open_stream(source.address, settings), settings.first_frame_s, settings)


def _connect_plug_in(scheme: str, source: Source) -> Connection:
    """Return what a package opens that offers this kind of address in the group ``facetable.sources``."""
    open_address = load_plug_in(SOURCES, scheme)
    if open_address is None:
        raise SourceError(f"{source.name}: no installed package reads addresses with {scheme}://; install it")
    try:
        connection: Connection = open_address(source.address)
    except SourceError:
        raise
    except Exception as error:  # what the code of somebody else raises can be anything
        raise SourceError(f"{source.name}: cannot be opened ({type(error).__name__}: {error})") from error
    return connection


def decode(encoded: EncodedFrame) -> np.ndarray | None:
    """Return a frame as uint8 (h, w, 3) RGB; None for a damaged JPEG image."""
    if isinstance(encoded, np.ndarray):
        return cv2.cvtColor(encoded, cv2.COLOR_BGR2RGB)
    return cv2.imdecode(np.frombuffer(encoded, np.uint8), cv2.IMREAD_COLOR_RGB)


class CaptureConnection:
    """Read frames from an opened `cv2.VideoCapture`.

    Parameters
    ----------
    capture : cv2.VideoCapture
    first_frame_s : float
        Seconds the first frame may take.
    settings : ConnectionSettings
    """

    def __init__(
        self,
        capture: cv2.VideoCapture,
        first_frame_s: float = 0.0,
        settings: ConnectionSettings = ConnectionSettings(),
    ) -> None:
        self._capture = capture
        self._first_frame_s = first_frame_s
        self._settings = settings

    def read(self) -> list[EncodedFrame]:
        """Return the next frame."""
        read, pixels = self._capture.read()
        until_s, n_tries = time.monotonic() + self._first_frame_s, self._settings.max_empty_reads
        while not read and n_tries and time.monotonic() < until_s:
            started_s = time.monotonic()
            read, pixels = self._capture.read()
            if time.monotonic() - started_s < self._settings.empty_read_pause_s:
                # A stream that has ended answers at once, but so does a frame that could not be decoded.
                n_tries -= 1
                time.sleep(self._settings.empty_read_pause_s)
        self._first_frame_s = 0.0
        return [pixels] if read else []

    def close(self) -> None:
        """Release the device or stream."""
        self._capture.release()


class PipeConnection:
    """Read frames from MJPEG on a pipe.

    Raises
    ------
    SourceError
        When the pipe ends without a frame.
    """

    def __init__(self, stream: IO[bytes], settings: ConnectionSettings = ConnectionSettings()) -> None:
        self._stream = stream
        self._splitter = JpegSplitter(settings.max_frame_bytes)
        self._n_frames = 0

    def read(self) -> list[EncodedFrame]:
        """Return the next complete frames."""
        if not self._n_frames and os.name == "posix":
            # Nobody may write yet; to read at once would be the end.
            select.select([self._stream], [], [])
        while data := os.read(self._stream.fileno(), _CHUNK):
            frames = self._splitter.feed(data)
            if frames:
                self._n_frames += len(frames)
                return [*frames]
        if not self._n_frames:
            raise SourceError("the pipe ended without a picture; send MJPEG, such as ffmpeg -i INPUT -f mjpeg -")
        return []

    def close(self) -> None:
        """Close the pipe."""
        self._stream.close()


class HttpConnection:
    """Read frames from MJPEG over HTTP (``multipart/x-mixed-replace``), as phones and many cameras serve it."""

    def __init__(self, response: DeadlineResponse, settings: ConnectionSettings = ConnectionSettings()) -> None:
        self._response = response
        self._settings = settings
        self._splitter = JpegSplitter(settings.max_frame_bytes)

    def read(self) -> list[EncodedFrame]:
        """Return the next complete frames; none if none arrived in time."""
        until_s = time.monotonic() + self._settings.first_frame_s
        self._response.wait_until(until_s)
        try:
            # A camera may send for ever without a frame, slowly enough not to run into the time-out.
            while (data := self._response.read1(_CHUNK)) and time.monotonic() < until_s:
                frames = self._splitter.feed(data)
                if frames:
                    return [*frames]
        except (OSError, http.client.HTTPException, SourceError):
            pass  # lost, as if it had ended: the caller opens it again
        return []

    def close(self) -> None:
        """Close the connection."""
        self._response.close()


def open_pipe(address: str) -> IO[bytes]:
    """Open standard input, for ``-``, or a named pipe, to which nobody need write yet.

    Raises
    ------
    SourceError
        If standard input is a terminal, or closed.
    """
    if address != "-":
        pipe = os.open(address, os.O_RDONLY | os.O_NONBLOCK)
        os.set_blocking(pipe, True)
        return os.fdopen(pipe, "rb")
    if sys.stdin is None or sys.stdin.isatty():
        found = "nothing" if sys.stdin is None else "a terminal"
        raise SourceError(
            f"expected MJPEG on standard input, found {found}; pipe it in, such as "
            "ffmpeg -i INPUT -f mjpeg - | facetable recognize - ..."
        )
    return sys.stdin.buffer


def open_camera(
    number: int, opener: Callable[..., cv2.VideoCapture] = cv2.VideoCapture, *, devices: Path = DEVICES
) -> cv2.VideoCapture:
    """Open the camera of a number.

    Parameters
    ----------
    number : int
    opener : callable
        Opens it, such as `cv2.VideoCapture`.
    devices : Path
        Folder of the system's devices, for the message.

    Raises
    ------
    SourceError
        If there is none, or it sends no frame.
    """
    capture = opener(number)
    if not capture.isOpened():
        raise SourceError(f"camera {number} cannot be opened; {_why_not_opened(number, devices)}")
    # Frames that are buffered in the driver are old when they are read.
    capture.set(cv2.CAP_PROP_BUFFERSIZE, 1)
    if not capture.grab():
        capture.release()
        raise SourceError(f"camera {number} gives no picture; another program may be using it: close that one first")
    return capture


def _why_not_opened(number: int, devices: Path) -> str:
    """Return why a camera may have failed to open, which OpenCV does not say."""
    device = devices / f"video{number}"
    if not device.exists():
        found = sorted(int(path.name.removeprefix("video")) for path in devices.glob("video[0-9]*"))
        return f"cameras here: {', '.join(map(str, found))}" if found else "no camera was found on this machine"
    if not os.access(device, os.R_OK | os.W_OK):
        return f"expected permission to use {device}; add your user to its group, often `video`"
    return f"another program, such as a second loop, may be using {device}: close that one first"


def open_stream(url: str, settings: ConnectionSettings = ConnectionSettings()) -> cv2.VideoCapture:
    """Open a stream with FFmpeg.

    Raises
    ------
    SourceError
        If it cannot be opened; the message says whether anything answers there.
    """
    os.environ.setdefault("OPENCV_FFMPEG_CAPTURE_OPTIONS", _FFMPEG_OPTIONS)
    timeout_ms = round(settings.timeout_s * 1000)
    capture = cv2.VideoCapture(
        url,
        cv2.CAP_FFMPEG,
        [
            cv2.CAP_PROP_OPEN_TIMEOUT_MSEC,
            timeout_ms,
            cv2.CAP_PROP_READ_TIMEOUT_MSEC,
            timeout_ms,
            cv2.CAP_PROP_N_THREADS,
            _DECODING_THREADS,
        ],
    )
    if not capture.isOpened():
        raise SourceError(f"{redact_url(url)}: {_why_closed(url, settings.timeout_s)}")
    return capture


def open_http(url: str, settings: ConnectionSettings = ConnectionSettings()) -> DeadlineResponse | None:
    """Open an HTTP address; return the response if it is MJPEG, None if it is a video for FFmpeg.

    Raises
    ------
    SourceError
        If it cannot be opened, or is neither.
    """
    name = redact_url(url)
    parts = urlsplit(url)
    address = urlunsplit(parts._replace(netloc=parts.netloc.rpartition("@")[2]))
    # Cameras stand in the local network, which no proxy leads to.
    opener = urllib.request.build_opener(
        urllib.request.ProxyHandler({}), DeadlineHandler(), SecureDeadlineHandler(), *_handlers(url)
    )
    request = urllib.request.Request(address, headers={"User-Agent": "facetable"})
    try:
        response: DeadlineResponse = opener.open(request, timeout=settings.timeout_s)
    except urllib.error.HTTPError as error:
        error.close()
        if error.code in (401, 403):
            raise SourceError(
                f"{name}: refuses access (HTTP {error.code}); write the address like http://USER:PASSWORD@ADDRESS/PATH"
            ) from None
        raise SourceError(f"{name}: answers HTTP {error.code} {error.reason}; check the path") from None
    except http.client.InvalidURL:
        # What is wrong is not said: it may be a part of a password.
        raise SourceError(f"{name}: expected no spaces or control characters; write a space as %20") from None
    except (OSError, http.client.HTTPException, ValueError) as error:
        raise SourceError(f"{name}: {_describe(error, settings.timeout_s)}") from None
    kind = response.headers.get_content_type()
    if kind.startswith("multipart/"):
        return response
    response.close()
    if kind in ("text/html", "text/plain", "application/json", "image/jpeg", "image/png"):
        what = "a single picture" if kind.startswith("image/") else "a page"
        raise SourceError(
            f"{name}: expected a video stream, got {what} ({kind}); "
            "phone apps serve theirs at an address like http://ADDRESS:8080/video"
        )
    return None


def _handlers(url: str) -> list[urllib.request.BaseHandler]:
    """Return the handlers that answer a camera's request for a password."""
    parts = urlsplit(url)
    if parts.username is None:
        return []
    passwords = urllib.request.HTTPPasswordMgrWithDefaultRealm()
    passwords.add_password(
        None,
        f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}",
        unquote(parts.username),
        unquote(parts.password if parts.password is not None else ""),
    )
    return [urllib.request.HTTPDigestAuthHandler(passwords), urllib.request.HTTPBasicAuthHandler(passwords)]


def _why_closed(url: str, timeout_s: float) -> str:
    """Return why FFmpeg may have failed to open `url`, which it does not say."""
    parts = urlsplit(url)
    port = parts.port if parts.port is not None else _DEFAULT_PORTS.get(parts.scheme.lower())
    if port is None or parts.hostname is None:
        return "no stream came in time; check the address"
    try:
        socket.create_connection((parts.hostname, port), timeout=timeout_s).close()
    except OSError as error:
        return _describe(error, timeout_s)
    return "answers, but not with a video that can be read; check the path, and user and password"


def _describe(error: Exception, timeout_s: float) -> str:
    reason = error.reason if isinstance(error, urllib.error.URLError) else error
    if isinstance(reason, TimeoutError):
        return f"does not answer within {timeout_s:g} s; check the address, and that the camera is on"
    if isinstance(reason, ConnectionRefusedError):
        return "refuses the connection; check the port, and that the camera is on"
    if isinstance(reason, socket.gaierror):
        return "no such host; check the address"
    if isinstance(reason, ssl.SSLError):
        return f"no secure connection: {reason.reason}"
    text = reason.strerror if isinstance(reason, OSError) and reason.strerror else str(reason)
    return f"cannot be opened: {' '.join(text.split())}"
