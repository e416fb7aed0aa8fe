"""HTTP responses with one deadline for all their bytes, however slowly these arrive."""

import functools
import http.client
import io
import socket
import time
import urllib.request
from typing import Any


class DeadlineResponse(http.client.HTTPResponse):
    """A response that raises `TimeoutError` after its deadline; Python's own allows each read the whole time-out.

    Parameters
    ----------
    sock : socket.socket
    until_s : float
        The deadline, as a time of ``time.monotonic()``.
    """

    def __init__(self, sock: socket.socket, *arguments: Any, until_s: float, **options: Any) -> None:
        self._reader = _DeadlineSocketReader(sock, until_s)
        super().__init__(self._reader, *arguments, **options)  # type: ignore[arg-type]

    def wait_until(self, until_s: float) -> None:
        """Set another deadline for all reads from now on."""
        self._reader.until_s = until_s


class _DeadlineSocketReader(io.RawIOBase):
    """Reads from a socket until a deadline; a response takes it for the socket, of which it calls `makefile` only."""

    def __init__(self, sock: socket.socket, until_s: float) -> None:
        self.until_s = until_s
        self._sock, self._timeout_s = sock, sock.gettimeout()
        self._file = sock.makefile("rb", buffering=0)

    def makefile(self, _mode: str) -> io.BufferedReader:
        return io.BufferedReader(self)

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any, /) -> int | None:
        left_s = self.until_s - time.monotonic()
        if left_s <= 0:
            raise TimeoutError("timed out")
        self._sock.settimeout(left_s if self._timeout_s is None else min(self._timeout_s, left_s))
        return self._file.readinto(buffer)

    def close(self) -> None:
        self._file.close()
        super().close()


class _Connection(http.client.HTTPConnection):
    """A connection whose time-out covers everything up to the end of the response's headers."""

    def connect(self) -> None:
        until_s = time.monotonic() + (0.0 if self.timeout is None else self.timeout)
        super().connect()
        self.response_class = functools.partial(DeadlineResponse, until_s=until_s)  # type: ignore[assignment]


class _SecureConnection(_Connection, http.client.HTTPSConnection):
    """The same over TLS."""


class DeadlineHandler(urllib.request.HTTPHandler):
    """Open HTTP addresses; responses are `DeadlineResponse`."""

    def http_open(self, request: urllib.request.Request) -> http.client.HTTPResponse:
        """Open an HTTP address."""
        return self.do_open(_Connection, request)  # type: ignore[arg-type]


class SecureDeadlineHandler(urllib.request.HTTPSHandler):
    """Open HTTPS addresses; responses are `DeadlineResponse`."""

    def https_open(self, request: urllib.request.Request) -> http.client.HTTPResponse:
        """Open an HTTPS address."""
        return self.do_open(_SecureConnection, request)  # type: ignore[arg-type]
