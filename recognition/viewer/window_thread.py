"""Window on a thread of its own, so that no key is lost while the loop is busy with a frame.

OpenCV's windows on Linux (Qt, GTK) keep only the last key pressed between two calls of `waitKeyEx`, and the loop over
frames calls it once a frame. Here a thread does nothing but wait for keys and draw the newest image; keys and clicks
queue in order until the loop takes them. All calls of OpenCV's windows come from that thread, the one that opened the
window, as Qt and GTK demand. On macOS windows belong to the main thread, and there, as on Windows, `waitKeyEx` leaves
further keys in the system's own queue: the loop goes on asking the window itself.
"""

import queue
import sys
import threading
import time
from collections import deque
from collections.abc import Callable

import numpy as np

from recognition.viewer import window
from recognition.viewer.window import KeyWindow

# A new image waits as long, and between two waits a second key may follow the first: well below the 30 ms of the
# fastest typists.
_POLL_S = 0.005
_CLOSE_TIMEOUT_S = 5.0

OnClick = Callable[[int, int], None]


def open_window(title: str, on_click: OnClick) -> KeyWindow:
    """Return an open window.

    Parameters
    ----------
    title : str
    on_click : callable
        Called with x and y of each click, in pixels of the image, within `wait`.
    """
    if sys.platform.startswith("linux"):
        return WindowThread(lambda clicked: window.Window(title, clicked), on_click)
    return window.Window(title, on_click)


class WindowThread:
    """A window that a thread of its own opens, draws and listens to.

    Parameters
    ----------
    make_window : callable
        Opens the window, given the function to call with x and y of each click; called in the thread, as all methods of
        the window are.
    on_click : callable
        Called with x and y of each click, in the thread that calls `wait`.

    Raises
    ------
    Exception
        Whatever `make_window` raises.
    """

    def __init__(self, make_window: Callable[[OnClick], KeyWindow], on_click: OnClick) -> None:
        self._make_window = make_window
        self._on_click = on_click
        self._inputs: queue.SimpleQueue[int | tuple[int, int]] = queue.SimpleQueue()
        self._newest: deque[np.ndarray] = deque(maxlen=1)
        self._is_open, self._closing = threading.Event(), threading.Event()
        self._error: Exception | None = None
        self._thread = threading.Thread(target=self._run, name="window", daemon=True)
        self._thread.start()
        self._is_open.wait()
        self._raise_error()

    @property
    def is_closed(self) -> bool:
        """Whether the window is no longer open."""
        return not self._thread.is_alive()

    def show(self, image: np.ndarray) -> None:
        """Show an image, uint8 (h, w, 3) RGB, unless a newer one follows at once; it must not be changed afterwards."""
        self._raise_error()
        self._newest.append(image)

    def wait(self, seconds: float) -> int | None:
        """Return the next key's character as soon as there is one, None after `seconds` without one."""
        until_s = time.monotonic() + seconds
        while True:
            self._raise_error()
            try:
                pressed = self._inputs.get(timeout=max(0.0, until_s - time.monotonic()))
            except queue.Empty:
                return None
            if isinstance(pressed, int):
                return pressed
            self._on_click(*pressed)

    def close(self) -> None:
        """Close the window."""
        self._closing.set()
        self._thread.join(_CLOSE_TIMEOUT_S)

    def _run(self) -> None:
        try:
            opened = self._make_window(lambda x, y: self._inputs.put((x, y)))
            self._is_open.set()
            while not self._closing.is_set() and not opened.is_closed:
                if self._newest:
                    opened.show(self._newest.popleft())
                character = opened.wait(_POLL_S)
                if character is not None:
                    self._inputs.put(character)
            opened.close()
        except Exception as error:  # noqa: BLE001 - raised again to whoever uses the window
            self._error = error
        finally:
            self._is_open.set()

    def _raise_error(self) -> None:
        if self._error is not None:
            raise self._error
