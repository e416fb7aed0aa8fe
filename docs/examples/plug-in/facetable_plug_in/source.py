"""A live source: so many grey frames, for trying things out without a camera."""

from urllib.parse import urlsplit

import numpy as np


class GreyFrames:
    """The frames of an address such as ``grey://640x480/25``: width, height, and how many."""

    def __init__(self, address: str) -> None:
        parts = urlsplit(address)
        width, height = (int(number) for number in parts.netloc.split("x"))
        self._frame = np.full((height, width, 3), 127, np.uint8)
        self._left = int(parts.path.strip("/"))

    def read(self) -> list[np.ndarray]:
        """Return the frames since the last call, uint8 (h, w, 3) in OpenCV's channel order; none at the end."""
        self._left -= 1
        return [self._frame] if self._left >= 0 else []

    def close(self) -> None:
        """Release what is held, here nothing."""
