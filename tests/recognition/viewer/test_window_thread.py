import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from recognition.viewer import window
from recognition.viewer.window_thread import WindowThread, open_window
from tests import PROJECT

IMAGE = np.zeros((4, 6, 3), np.uint8)


class SlowlyPolled:
    """A window that, as OpenCV's on Linux, tells the last key since it was asked; notes the thread of each call."""

    def __init__(self, on_click: Callable[[int, int], None]) -> None:
        self.on_click = on_click
        self.last: int | None = None
        self.shown: list[np.ndarray] = []
        self.threads = {threading.get_ident()}
        self.is_closed = False
        self.n_closed = 0
        self.blocked = threading.Event()
        self.blocked.set()

    def show(self, image: np.ndarray) -> None:
        self.threads.add(threading.get_ident())
        self.shown.append(image)

    def wait(self, seconds: float) -> int | None:
        self.threads.add(threading.get_ident())
        self.blocked.wait(5)
        until_s = time.monotonic() + seconds
        while self.last is None and time.monotonic() < until_s:
            time.sleep(0.0005)
        last, self.last = self.last, None
        return last

    def close(self) -> None:
        self.threads.add(threading.get_ident())
        self.n_closed += 1


class Setup:
    def __init__(self) -> None:
        self.clicks: list[tuple[int, int, int]] = []
        self.windows: list[SlowlyPolled] = []

        def make(on_click: Callable[[int, int], None]) -> SlowlyPolled:
            self.windows.append(SlowlyPolled(on_click))
            return self.windows[0]

        self.thread = WindowThread(make, lambda x, y: self.clicks.append((x, y, threading.get_ident())))
        self.window = self.windows[0]

    def press(self, text: str) -> None:
        for character in text:
            self.window.last = ord(character)
            until(lambda: self.window.last is None)


def until(is_so: Callable[[], bool]) -> None:
    until_s = time.monotonic() + 60
    while not is_so():
        assert time.monotonic() < until_s
        time.sleep(0.001)


def test_keys_pressed_during_one_frame_come_in_order() -> None:
    setup = Setup()
    setup.press("tiger")
    assert [setup.thread.wait(0.05) for _ in range(6)] == [*map(ord, "tiger"), None]
    setup.thread.close()


def test_a_click_is_told_to_the_thread_that_waits_in_its_turn() -> None:
    setup = Setup()
    setup.press("a")
    setup.window.on_click(3, 2)
    setup.press("b")
    assert setup.thread.wait(1) == ord("a")
    assert setup.clicks == []
    assert setup.thread.wait(1) == ord("b")
    assert setup.clicks == [(3, 2, threading.get_ident())]
    setup.thread.close()


def test_the_newest_image_is_shown_and_one_thread_alone_calls_the_window() -> None:
    setup = Setup()
    setup.window.blocked.clear()
    images = [IMAGE + number for number in range(5)]
    time.sleep(0.02)
    for image in images:
        setup.thread.show(image)
    setup.window.blocked.set()
    until(lambda: bool(setup.window.shown))
    assert [int(shown[0, 0, 0]) for shown in setup.window.shown] == [4]
    setup.thread.close()
    assert len(setup.window.threads) == 1
    assert threading.get_ident() not in setup.window.threads
    assert (setup.window.n_closed, setup.thread.is_closed) == (1, True)


def test_closing_the_window_ends_the_thread_and_keeps_the_keys() -> None:
    setup = Setup()
    setup.press("q")
    setup.window.is_closed = True
    until(lambda: setup.thread.is_closed)
    assert (setup.thread.wait(0), setup.thread.wait(0)) == (ord("q"), None)


def test_what_fails_in_the_thread_is_raised_to_who_uses_the_window() -> None:
    def no_window(_: Callable[[int, int], None]) -> SlowlyPolled:
        raise RuntimeError("no window")

    with pytest.raises(RuntimeError, match="no window"):
        WindowThread(no_window, lambda x, y: None)
    setup = Setup()
    setup.window.show = None  # type: ignore[assignment]
    setup.thread.show(IMAGE)
    until(lambda: setup.thread.is_closed)
    for use in (lambda: setup.thread.wait(0), lambda: setup.thread.show(IMAGE)):
        with pytest.raises(TypeError):
            use()


@pytest.mark.parametrize(("platform", "has_thread"), [("linux", True), ("darwin", False), ("win32", False)])
def test_windows_belong_to_the_main_thread_but_on_linux(
    platform: str, has_thread: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened: list[int] = []

    def make(_title: str, on_click: Callable[[int, int], None]) -> SlowlyPolled:
        opened.append(threading.get_ident())
        return SlowlyPolled(on_click)

    monkeypatch.setattr(sys, "platform", platform)
    monkeypatch.setattr(window, "Window", make)
    opened_window = open_window("title", lambda x, y: None)
    opened_window.close()
    assert [thread != threading.get_ident() for thread in opened] == [has_thread]


BUSY_LOOP = """
import sys, time
import numpy as np
from recognition.viewer.window_thread import open_window
clicks = []
window = open_window("Facetable: test", lambda x, y: clicks.append((x, y)))
print("open", flush=True)
text = ""
until_s = time.monotonic() + 60
while not text.endswith("q") and time.monotonic() < until_s and not window.is_closed:
    window.show(np.full((240, 320, 3), 90, np.uint8))
    time.sleep(0.4)  # a frame that takes long
    while (character := window.wait(0.001)) is not None:
        text += chr(character) if character > 0 else "^"
window.close()
print(text, clicks)
"""


def test_no_key_is_lost_on_a_real_display(display: str, tmp_path: Path) -> None:
    environment = {**os.environ, "DISPLAY": display, "PYTHONPATH": str(PROJECT)}
    loop = subprocess.Popen(
        [sys.executable, "-c", BUSY_LOOP], env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    assert loop.stdout is not None
    assert loop.stdout.readline() == "open\n"

    def do(*command: str) -> None:
        subprocess.run(["xdotool", *command], env=environment, check=True, timeout=60)

    do("search", "--sync", "--name", "Facetable", "windowfocus", "--sync")
    do("key", "--delay", "150", *"ann", "space", *"and")
    do("mousemove", "100", "100", "click", "1")
    do("key", "--delay", "150", *"bobq")
    output, errors = loop.communicate(timeout=90)
    text, _, clicks = output.strip().partition(" [")
    assert (text, loop.returncode, errors) == ("ann andbobq", 0, "")
    assert clicks.count("(") == 1
