"""Window of OpenCV and its keys; everything that needs a display is here."""

import os
import re
import subprocess
import sys
from collections.abc import Callable
from enum import Enum
from typing import Protocol

import cv2
import numpy as np

from foundation.installation import opencv_wheels
from recognition.errors import DisplayError

CHECK_TIMEOUT_S = 20.0
_ESCAPE, _BACKSPACE, _TAB = 27, 8, 9
_ENTER = (10, 13)
SHIFT = -1
"""What `decode_key` returns for the shift key."""

# X11's names of keys, as Qt passes them on (X11/keysymdef.h).
_KEYSYMS = {0xFF1B: _ESCAPE, 0xFF08: _BACKSPACE, 0xFF09: _TAB, 0xFF0D: 13, 0xFF8D: 13, 0xFFE1: SHIFT, 0xFFE2: SHIFT}
_FIRST_SPECIAL_KEYSYM, _LAST_SPECIAL_KEYSYM = 0xFE00, 0xFFFF
_UNICODE_KEYSYM = 0x01000000
# Letters of other alphabets: the second byte says which encoding the first byte is of.
_ENCODINGS = {
    1: "iso8859_2",
    2: "iso8859_3",
    3: "iso8859_4",
    4: "shift_jis",
    5: "iso8859_6",
    6: "koi8_u",
    7: "iso8859_7",
    0x0C: "iso8859_8",
    0x0D: "tis_620",
    0x13: "iso8859_15",
}


class Key(Enum):
    """Commands that keys stand for."""

    QUIT = "quit"
    PAUSE = "pause"
    SNAPSHOT = "snapshot"
    NEXT_FACE = "next face"
    ENROL = "enrol"
    ENROL_IN_TERMINAL = "enrol in the terminal"


_KEYS = {
    ord("q"): Key.QUIT,
    _ESCAPE: Key.QUIT,
    ord(" "): Key.PAUSE,
    ord("p"): Key.PAUSE,
    ord("s"): Key.SNAPSHOT,
    _TAB: Key.NEXT_FACE,
    ord("n"): Key.NEXT_FACE,
    ord("e"): Key.ENROL,
    ord("t"): Key.ENROL_IN_TERMINAL,
}

KEYS_HELP = "q quit, space pause, s snapshot, tab or click selects a face, e enrols it (t: name typed in the terminal)"


def has_windows() -> bool:
    """Return whether the installed OpenCV can show windows; what is called headless cannot."""
    return re.search(r"^\s*GUI:\s+NONE\s*$", cv2.getBuildInformation(), re.MULTILINE) is None


def check_display(timeout_s: float = CHECK_TIMEOUT_S) -> None:
    """Check in a child process that a window can be opened: without a display OpenCV's Qt aborts the whole process.

    Raises
    ------
    DisplayError
        If the installed OpenCV has no windows, there is no display, Qt cannot use it, or it does not answer within
        `timeout_s` seconds.
    """
    if not has_windows():
        wheels = " ".join(opencv_wheels()) or "another build"
        raise DisplayError(
            f"--show needs OpenCV with windows, found {wheels}, which has none; run: pip uninstall -y {wheels}; "
            "then: pip install opencv-python; or save instead with --save FILE"
        )
    remedy = "save instead with --save FILE, or use a desktop, ssh -X, or Xvfb"
    if sys.platform.startswith("linux") and not os.environ.get("DISPLAY"):
        also = " (Wayland alone is not enough: install XWayland)" if os.environ.get("WAYLAND_DISPLAY") else ""
        raise DisplayError(f"--show needs a display, and DISPLAY names none{also}; {remedy}")
    try:
        tried = subprocess.run(
            [sys.executable, "-c", "import cv2; cv2.namedWindow('check'); cv2.waitKey(1)"],
            capture_output=True,
            timeout=timeout_s,
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise DisplayError(
            f"--show needs a display, and the one at DISPLAY={os.environ.get('DISPLAY')} does not answer; {remedy}"
        ) from None
    if tried.returncode != 0:
        raise DisplayError(
            f"--show needs a display, and none can be opened at DISPLAY={os.environ.get('DISPLAY')}; {remedy}"
        )


def decode_key(code: int) -> int | None:
    """Return the character of a key code of `cv2.waitKeyEx`, `SHIFT`, or None for no key and keys without a character.

    OpenCV's Qt does not report whether a letter is a capital, and reports letters with accents as negative capitals:
    all letters are returned in lower case, and `NameField` watches the shift key. Dead accents are 0.

    >>> chr(decode_key(ord("a"))), chr(decode_key(-55)), chr(decode_key(0x6D6)), decode_key(0xFFBE), decode_key(-1)
    ('a', 'é', 'ж', None, None)
    """
    if code in _KEYSYMS:
        return _KEYSYMS[code]
    if -128 <= code < -1:
        return ord(chr(code + 256).lower())
    if code <= 0 or _FIRST_SPECIAL_KEYSYM <= code <= _LAST_SPECIAL_KEYSYM:
        return None
    if code >= _UNICODE_KEYSYM:
        text = chr(code - _UNICODE_KEYSYM) if code - _UNICODE_KEYSYM <= sys.maxunicode else ""
    elif code < 0x100:
        text = chr(code)
    else:
        text = bytes([code & 0xFF]).decode(_ENCODINGS.get(code >> 8, "ascii"), "ignore")
    return ord(text.lower()) if len(text.lower()) == 1 else None


class NameField:
    """Text typed key by key; the letter after the shift key is a capital."""

    def __init__(self) -> None:
        self.text = ""
        self._is_shifted = False

    def type(self, character: int) -> str | None:
        """Add a character; return the finished text at Enter, ``""`` at Escape, else None."""
        if character in _ENTER:
            return self.text.strip()
        if character == _ESCAPE:
            return ""
        if character == _BACKSPACE:
            self.text = self.text[:-1]
        elif character != SHIFT and chr(character).isprintable():
            self.text += chr(character).upper() if self._is_shifted else chr(character)
        self._is_shifted = character == SHIFT
        return None


class KeyWindow(Protocol):
    """What shows images and returns keys, such as `Window`."""

    def show(self, image: np.ndarray) -> None:
        """Show an image, uint8 (h, w, 3) RGB."""

    def wait(self, seconds: float) -> int | None:
        """Wait for `seconds` at most and return the character of a pressed key, if any."""

    @property
    def is_closed(self) -> bool:
        """Whether the window is no longer open."""

    def close(self) -> None:
        """Close the window."""


class Window:
    """A window that shows images and returns keys.

    Parameters
    ----------
    title : str
    on_click : callable
        Called with x and y of each click, in pixels of the image.
    """

    def __init__(self, title: str, on_click: Callable[[int, int], None]) -> None:
        self._title = title
        cv2.namedWindow(title, cv2.WINDOW_NORMAL | cv2.WINDOW_KEEPRATIO | cv2.WINDOW_GUI_NORMAL)
        cv2.setMouseCallback(title, lambda event, x, y, *_: on_click(x, y) if event == cv2.EVENT_LBUTTONDOWN else None)
        self._is_sized = False

    def show(self, image: np.ndarray) -> None:
        """Show an image, uint8 (h, w, 3) RGB."""
        if not self._is_sized:
            cv2.resizeWindow(self._title, image.shape[1], image.shape[0])
            self._is_sized = True
        cv2.imshow(self._title, cv2.cvtColor(image, cv2.COLOR_RGB2BGR))

    def wait(self, seconds: float) -> int | None:
        """Process events for `seconds`, at least a millisecond; return the character of a pressed key, if any."""
        return decode_key(cv2.waitKeyEx(max(1, round(seconds * 1000))))

    @property
    def is_closed(self) -> bool:
        """Whether the user has closed the window."""
        try:
            return cv2.getWindowProperty(self._title, cv2.WND_PROP_VISIBLE) < 1
        except cv2.error:
            return True

    def close(self) -> None:
        """Close the window."""
        if not self.is_closed:
            cv2.destroyWindow(self._title)
        cv2.waitKey(1)


def key_of(character: int) -> Key | None:
    """Return the command a character stands for, if any."""
    return _KEYS.get(character)
