"""Who looks at which camera: processes begin with the first and end some seconds after the last.

No viewer holds a thread, and none waits for another: each takes the newest message whenever it is ready for one.
"""

import asyncio
import logging
import struct
import sys
from collections import deque
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from pathlib import Path

from webapp.live.messages import MOST_BYTES, pack, without_credentials

logger = logging.getLogger(__name__)

SECONDS_AFTER_LAST = 10.0
FIRST_PAUSE_S, LONGEST_PAUSE_S = 1.0, 30.0
"""Before a process that has ended is begun again: twice as long each time, from the first again after a picture."""

LONGEST_SILENCE_S = 60.0
"""Of a process, which has something to say every second once its networks are loaded; then it is ended."""

_SECONDS_TO_END = 6.0
_KEPT_LINES, _LONGEST_LINE = 5, 400
_PIPE_BYTES = 1 << 20
_PICTURE, _VISIT = b'{"state": "picture"', b'{"state": "visit"'


def camera_command(head: Path, second_detector: str = "") -> list[str]:
    """Return the command of a camera's process."""
    return [sys.executable, "-m", "webapp.live.camera_process", str(head), second_detector]


class Watching:
    """One camera's process and the newest message of it; made and used on one event loop.

    Parameters
    ----------
    head : path
        The head that names faces.
    address : str
        Handed over by standard input: the arguments of a process are everybody's to see.
    on_visit : callable
        Hears messages about visits, which are no pictures.
    second_detector : str
        Is asked about each face that appears, "" for none.
    """

    def __init__(
        self,
        head: Path,
        address: str,
        on_visit: Callable[[bytes], None] = lambda _: None,
        *,
        second_detector: str = "",
    ) -> None:
        self._command = camera_command(head, second_detector)
        self._address, self._on_visit = address, on_visit
        self._arrived = asyncio.Event()
        self._number, self._newest = 0, pack({"state": "starting"})
        self._pause_s = FIRST_PAUSE_S
        self._lines: deque[str] = deque(maxlen=_KEPT_LINES)
        self.n_watchers, self.left_s = 0, 0.0
        self.pid: int | None = None
        self._task = asyncio.create_task(self._run())

    async def newer_than(self, number: int) -> tuple[int, bytes]:
        """Return the newest message and its number as soon as it is newer than `number`; -1 takes any."""
        while self._number <= number:
            await self._arrived.wait()
        return self._number, self._newest

    async def stop(self) -> None:
        """End the process and wait until it is gone."""
        self._task.cancel()
        with suppress(asyncio.CancelledError):
            await self._task

    async def _run(self) -> None:
        while True:
            reason = ""
            try:
                await self._run_once()
            except OSError as error:  # no process can be made
                reason = error.strerror or ""
            reason = reason or (self._lines[-1] if self._lines else "")
            logger.warning("a camera's process has ended: %s", reason or "without a word")
            self._put(pack({"state": "stopped", "reason": reason, "again_s": self._pause_s}))
            pause_s, self._pause_s = self._pause_s, min(2 * self._pause_s, LONGEST_PAUSE_S)
            await asyncio.sleep(pause_s)

    async def _run_once(self) -> None:
        pipe = asyncio.subprocess.PIPE
        self._lines.clear()
        process = await asyncio.create_subprocess_exec(
            *self._command,
            stdin=pipe,
            stdout=pipe,
            stderr=pipe,
            limit=_PIPE_BYTES,
            start_new_session=True,  # Ctrl+C is the server's to hear, which lets the process end
        )
        assert process.stdin is not None and process.stdout is not None and process.stderr is not None
        self.pid = process.pid
        listening = asyncio.create_task(self._keep_lines(process.stderr))
        try:
            with suppress(OSError):  # it has ended already
                process.stdin.write(self._address.encode() + b"\n")
                await process.stdin.drain()
                await self._read(process.stdout)
        finally:
            await _end(process)
            await listening

    async def _read(self, pipe: asyncio.StreamReader) -> None:
        """Take messages until the process ends, or sends what is none."""
        with suppress(asyncio.IncompleteReadError, TimeoutError):
            while True:
                async with asyncio.timeout(LONGEST_SILENCE_S):
                    beginning = await pipe.readexactly(4)
                n_bytes = struct.unpack(">I", beginning)[0]
                if not 4 <= n_bytes <= MOST_BYTES:
                    return
                message = await pipe.readexactly(n_bytes)
                if message.startswith(_VISIT, 4):
                    self._on_visit(message)
                    continue
                if message.startswith(_PICTURE, 4):
                    self._pause_s = FIRST_PAUSE_S
                self._put(message)

    async def _keep_lines(self, pipe: asyncio.StreamReader) -> None:
        """Keep the last lines of what the process says of itself."""
        while line := await _read_line(pipe):
            text = " ".join(line.decode("utf-8", "replace").split())
            if text:
                self._lines.append(without_credentials(text, self._address)[:_LONGEST_LINE])

    def _put(self, message: bytes) -> None:
        self._number, self._newest = self._number + 1, message
        self._arrived.set()
        self._arrived = asyncio.Event()


async def _read_line(pipe: asyncio.StreamReader) -> bytes:
    """Return the next line, its end alone where it is longer than any line of ours; nothing at the end."""
    try:
        return await pipe.readline()
    except ValueError:  # which has dropped what was read of it
        return b"\n"


async def _end(process: asyncio.subprocess.Process) -> None:
    """Let a process end by itself, as it does when its standard input ends; kill it where it does not."""
    assert process.stdin is not None and process.stdout is not None
    process.stdin.close()
    try:
        async with asyncio.timeout(_SECONDS_TO_END):
            while await process.stdout.read(_PIPE_BYTES):  # which it may be writing into
                pass
            await process.wait()
    except (TimeoutError, asyncio.CancelledError):
        pass
    if process.returncode is None:
        with suppress(ProcessLookupError):
            process.kill()
        await process.wait()


class LiveCameras:
    """The cameras that somebody looks at.

    Parameters
    ----------
    on_visit : callable
        Hears the name of a camera and each of its messages about visits.
    """

    def __init__(self, on_visit: Callable[[str, bytes], None] = lambda *_: None) -> None:
        self._on_visit = on_visit
        self._watched: dict[tuple[str, str], Watching] = {}

    @asynccontextmanager
    async def watch(self, head: Path, name: str, address: str, *, second_detector: str = "") -> AsyncIterator[Watching]:
        """Look at a camera; parameters are those of `Watching`."""
        key = (name, address)
        if key not in self._watched:
            self._watched[key] = Watching(
                head, address, lambda message: self._on_visit(name, message), second_detector=second_detector
            )
        watching = self._watched[key]
        watching.n_watchers += 1
        loop = asyncio.get_running_loop()
        try:
            yield watching
        finally:
            watching.n_watchers -= 1
            watching.left_s = loop.time()
            loop.call_later(SECONDS_AFTER_LAST + 0.01, lambda: loop.create_task(self._stop_unwatched()))

    async def _stop_unwatched(self) -> None:
        now = asyncio.get_running_loop().time()
        idle = [
            key
            for key, watching in self._watched.items()
            if watching.n_watchers == 0 and now - watching.left_s >= SECONDS_AFTER_LAST
        ]
        await self._stop(idle)

    async def stop_all(self, name: str | None = None) -> None:
        """End all processes, or those of one camera."""
        await self._stop([key for key in self._watched if name in (None, key[0])])

    async def _stop(self, keys: list[tuple[str, str]]) -> None:
        ended = [self._watched.pop(key) for key in keys]
        await asyncio.gather(*(watching.stop() for watching in ended))
