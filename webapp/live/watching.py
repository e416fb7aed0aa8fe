"""Who looks at which camera: processes begin with the first and end some seconds after the last."""

import asyncio
import json
import struct
import subprocess
import sys
import threading
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import IO

SECONDS_AFTER_LAST = 10.0
_SECONDS_BETWEEN_TRIES = 2.0
_SECONDS_TO_END = 8.0
_MOST_BYTES = 16 << 20


def _message(state: str) -> bytes:
    text = json.dumps({"state": state}).encode()
    return struct.pack(">I", len(text)) + text


class Watching:
    """One camera's process and the newest message of it.

    Parameters
    ----------
    head : path
        The head that names faces.
    address : str
        Handed over by standard input: the arguments of a process are everybody's to see.
    """

    def __init__(self, head: Path, address: str) -> None:
        self._head, self._address = head, address
        self._arrived = threading.Condition()
        self._number, self._newest = 0, _message("starting")
        self._stopping = threading.Event()
        self._process: subprocess.Popen[bytes] | None = None
        self.n_watchers, self.left_s = 0, 0.0
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def wait_newer(self, number: int, timeout_s: float = 1.0) -> tuple[int, bytes]:
        """Return the newest message and its number, as soon as it is newer than `number`, or after a time."""
        with self._arrived:
            self._arrived.wait_for(lambda: self._number > number or self._stopping.is_set(), timeout_s)
            return self._number, self._newest

    def stop(self) -> None:
        """End the process and wait until it is gone."""
        self._stopping.set()
        process = self._process
        if process is not None and process.stdin is not None:
            process.stdin.close()
        self._thread.join(2 * _SECONDS_TO_END)

    def _run(self) -> None:
        while not self._stopping.is_set():
            command = [sys.executable, "-m", "webapp.live.camera_process", str(self._head)]
            with subprocess.Popen(
                command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
            ) as process:
                self._process = process
                try:
                    self._read(process)
                finally:
                    process.kill()
            self._put(_message("stopped"))
            self._stopping.wait(_SECONDS_BETWEEN_TRIES)

    def _read(self, process: "subprocess.Popen[bytes]") -> None:
        assert process.stdin is not None and process.stdout is not None
        try:
            process.stdin.write(self._address.encode() + b"\n")
            process.stdin.flush()
        except (OSError, ValueError):
            return
        while not self._stopping.is_set():
            message = _read_message(process.stdout)
            if message is None:
                return
            self._put(message)

    def _put(self, message: bytes) -> None:
        with self._arrived:
            self._number, self._newest = self._number + 1, message
            self._arrived.notify_all()


def _read_message(pipe: IO[bytes]) -> bytes | None:
    length = pipe.read(4)
    if len(length) < 4:
        return None
    n_bytes = struct.unpack(">I", length)[0]
    message = pipe.read(n_bytes) if n_bytes <= _MOST_BYTES else b""
    return message if message and len(message) == n_bytes else None


class LiveCameras:
    """The cameras that somebody looks at."""

    def __init__(self) -> None:
        self._watched: dict[tuple[str, str], Watching] = {}
        self._lock = threading.Lock()

    @asynccontextmanager
    async def watch(self, head: Path, name: str, address: str) -> AsyncIterator[Watching]:
        """Look at a camera."""
        key = (name, address)
        with self._lock:
            if key not in self._watched:
                self._watched[key] = Watching(head, address)
            watching = self._watched[key]
            watching.n_watchers += 1
        try:
            yield watching
        finally:
            with self._lock:
                watching.n_watchers -= 1
                watching.left_s = time.monotonic()
            threading.Timer(SECONDS_AFTER_LAST + 0.1, self._stop_unwatched).start()

    def _stop_unwatched(self) -> None:
        now = time.monotonic()
        with self._lock:
            idle = [
                key
                for key, watching in self._watched.items()
                if watching.n_watchers == 0 and now - watching.left_s >= SECONDS_AFTER_LAST
            ]
            ended = [self._watched.pop(key) for key in idle]
        for watching in ended:
            watching.stop()

    def stop_all(self, name: str | None = None) -> None:
        """End all processes, or those of one camera."""
        with self._lock:
            ended = [self._watched.pop(key) for key in list(self._watched) if name in (None, key[0])]
        for watching in ended:
            watching.stop()


async def next_message(watching: Watching, number: int) -> tuple[int, bytes]:
    """Wait for the newest message without holding the server up."""
    return await asyncio.to_thread(watching.wait_newer, number)
