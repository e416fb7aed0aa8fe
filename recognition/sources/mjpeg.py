"""Split a stream of bytes into JPEG images, whatever stands between them."""

import re

from recognition.errors import SourceError

_START = b"\xff\xd8\xff"
# In a scan 0xff is followed by 0 or a restart marker; anything else ends the scan (ITU-T T.81, section B.1.1).
_END_OF_SCAN = re.compile(rb"\xff[^\x00\xd0-\xd7\xff]", re.DOTALL)
_START_OF_SCAN, _END = 0xDA, 0xD9
_WITHOUT_LENGTH = frozenset({0x01, *range(0xD0, 0xD8)})
MAX_FRAME_BYTES = 64 * 1024 * 1024
"""Bytes without a whole JPEG image after which a stream is given up."""


class JpegSplitter:
    """Split a stream of bytes into JPEG images: raw MJPEG, or the parts of ``multipart/x-mixed-replace``.

    It reads the segments of each image, so that an embedded thumbnail is not taken for an image.

    Parameters
    ----------
    max_bytes : int
        Bytes without a whole image after which the stream is given up.
    """

    def __init__(self, max_bytes: int = MAX_FRAME_BYTES) -> None:
        self._max_bytes = max_bytes
        self._bytes = bytearray()
        self._position = self._searched = 0

    def feed(self, data: bytes) -> list[bytes]:
        """Add the next bytes; return the images that are complete now, in order.

        Raises
        ------
        SourceError
            If there was no image in `max_bytes` bytes.
        """
        self._bytes += data
        frames = []
        while (frame := self._cut()) is not None:
            frames.append(frame)
        if len(self._bytes) > self._max_bytes:
            raise SourceError(
                f"expected JPEG pictures, found none in {len(self._bytes) // 1_000_000} MB; "
                "send MJPEG, such as ffmpeg -i INPUT -f mjpeg -"
            )
        return frames

    def _cut(self) -> bytes | None:
        while True:
            start = self._bytes.find(_START)
            if start < 0:
                # The first bytes of a start may be the last ones here.
                del self._bytes[: -(len(_START) - 1)]
                return None
            if start > 0:
                del self._bytes[:start]
                self._position = self._searched = 0
            end = self._find_end()
            if end is None:
                return None
            frame = bytes(self._bytes[:end])
            # Of what begins like an image and is none the first two bytes are skipped.
            del self._bytes[: max(end, 2)]
            self._position = self._searched = 0
            if end:
                return frame

    def _find_end(self) -> int | None:
        """Return where the image at the start of the bytes ends: 0 if it is none, None if its end is not there yet."""
        position = max(self._position, 2)
        while position + 4 <= len(self._bytes):
            self._position = position
            marker = self._bytes[position + 1]
            if self._bytes[position] != 0xFF:
                return 0
            if marker == _END:
                return position + 2
            if marker == 0xFF or marker in _WITHOUT_LENGTH:
                position += 1 if marker == 0xFF else 2
                continue
            position += 2 + int.from_bytes(self._bytes[position + 2 : position + 4], "big")
            if marker == _START_OF_SCAN:
                found = _END_OF_SCAN.search(self._bytes, max(position, self._searched))
                if found is None:
                    # The last byte may be the first of the end.
                    self._searched = len(self._bytes) - 1
                    return None
                position = found.start()
        return position + 2 if self._bytes[position : position + 2] == bytes((0xFF, _END)) else None
