"""A server that answers so slowly that each byte comes in time and the whole never."""

import itertools
import socket
import threading
from contextlib import suppress
from typing import Self


class TricklingServer:
    """Answers each connection with some bytes at once, and then with others one by one, again and again.

    Parameters
    ----------
    at_once : bytes
    slowly : bytes
        None of these ends the connection.
    """

    def __init__(self, at_once: bytes, slowly: bytes = b"") -> None:
        self._at_once, self._slowly = at_once, slowly
        self._stopping = threading.Event()
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._listening.getsockname()[1]}/video"
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._stopping.set()
        self._listening.shutdown(socket.SHUT_RDWR)
        self._thread.join(5)
        self._listening.close()

    def _serve(self) -> None:
        with suppress(OSError):
            while True:
                peer, _ = self._listening.accept()
                with peer, suppress(OSError):
                    self._answer(peer)

    def _answer(self, peer: socket.socket) -> None:
        peer.recv(10_000)
        peer.sendall(self._at_once)
        for byte in itertools.cycle(self._slowly):
            if self._stopping.wait(0.02):
                return
            peer.sendall(bytes([byte]))
