"""When a video was made, according to its container: MP4, MOV and 3GP, Matroska and WebM.

OpenCV does not tell it, and FFmpeg's own tools are not everywhere. Only headers are read, a few kilobytes wherever they
stand, and every length in the file is checked against what holds it, so that a damaged file costs nothing.

Boxes: ISO/IEC 14496-12 (movie header), Apple's QuickTime File Format (user data, metadata). Elements: RFC 8794 (EBML),
RFC 9559 (Matroska).
"""

import logging
import re
import struct
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import BinaryIO, NamedTuple

logger = logging.getLogger(__name__)

_MAC_EPOCH = datetime(1904, 1, 1, tzinfo=UTC)
_UNIX_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MATROSKA_EPOCH = datetime(2001, 1, 1, tzinfo=UTC)
# Recorders that count from 1970 although the format says 1904 would be 66 years off: no video was made before 1970.
_MAC_TO_UNIX_S = int((_UNIX_EPOCH - _MAC_EPOCH).total_seconds())

_MOST_BOXES = 10_000
"""Boxes or elements looked at in one file; a fragmented file has one pair for each few seconds."""

_MOST_BYTES = 4_096
"""Bytes of a box of text that are read; a date takes thirty."""

_APPLE_DATE = b"com.apple.quicktime.creationdate"
_DATE = re.compile(r"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,6})?)(Z|[+-]\d\d:?\d\d)")

_EBML, _SEGMENT, _INFO, _DATE_UTC = 0x1A45DFA3, 0x18538067, 0x1549A966, 0x4461


class _Span(NamedTuple):
    """A box or element: its name and where its content lies in the file."""

    name: bytes | int
    start: int
    end: int


def read_creation_time(path: Path) -> datetime | None:
    """Return when a video was made, aware; None where its container does not say, or is of another kind.

    A recording's own date with an offset, as iPhones and Macs write it, comes before that of the container.

    Raises
    ------
    OSError
        If the file cannot be read.
    """
    with path.open("rb") as stream:
        first_bytes = stream.read(12)
        try:
            if first_bytes[4:8] in (b"ftyp", b"moov", b"wide", b"mdat", b"free", b"skip"):
                return _read_mp4(stream)
            if first_bytes[:4] == _EBML.to_bytes(4, "big"):
                return _read_matroska(stream)
        except (ValueError, OverflowError, struct.error) as error:
            logger.debug("%s: creation time cannot be read (%s)", path, error)
    return None


def _read_mp4(stream: BinaryIO) -> datetime | None:
    budget = [_MOST_BOXES]
    movie = _find(stream, b"moov", _Span(b"", 0, _length(stream)), budget)
    if movie is None:
        return None
    recorded = _apple_date(stream, movie, budget) or _user_date(stream, movie, budget)
    if recorded is not None:
        return recorded
    header = _find(stream, b"mvhd", movie, budget)
    content = b"" if header is None else _content(stream, header)
    if content[:1] == b"\0":
        (seconds,) = struct.unpack_from(">I", content, 4)
    elif content[:1] == b"\1":
        (seconds,) = struct.unpack_from(">Q", content, 4)
    else:
        return None
    if seconds == 0:
        return None
    return (_MAC_EPOCH if seconds >= _MAC_TO_UNIX_S else _UNIX_EPOCH) + timedelta(seconds=seconds)


def _apple_date(stream: BinaryIO, movie: _Span, budget: list[int]) -> datetime | None:
    """Return the date under Apple's key: `keys` lists names, `ilst` has an item for each, named by its number."""
    meta = _find_meta(stream, movie, budget)
    keys = None if meta is None else _find(stream, b"keys", meta, budget)
    items = None if meta is None else _find(stream, b"ilst", meta, budget)
    if keys is None or items is None:
        return None
    names = [_content(stream, key) for key in _boxes(stream, _Span(b"", keys.start + 8, keys.end), budget)]
    if _APPLE_DATE not in names:
        return None
    item = _find(stream, (names.index(_APPLE_DATE) + 1).to_bytes(4, "big"), items, budget)
    data = None if item is None else _find(stream, b"data", item, budget)
    return None if data is None else _parse_date(_content(stream, data)[8:])


def _user_date(stream: BinaryIO, movie: _Span, budget: list[int]) -> datetime | None:
    """Return the date in the user data, where it has an offset: QuickTime's own, or that of iTunes's list."""
    user = _find(stream, b"udta", movie, budget)
    if user is None:
        return None
    day = _find(stream, b"\xa9day", user, budget)
    if day is not None:
        return _parse_date(_content(stream, day)[4:])  # after length and language
    meta = _find_meta(stream, user, budget)
    items = None if meta is None else _find(stream, b"ilst", meta, budget)
    day = None if items is None else _find(stream, b"\xa9day", items, budget)
    data = None if day is None else _find(stream, b"data", day, budget)
    return None if data is None else _parse_date(_content(stream, data)[8:])  # after type and locale


def _find_meta(stream: BinaryIO, within: _Span, budget: list[int]) -> _Span | None:
    """Return the content of a `meta` box, which in MP4 begins with a version and in QuickTime does not."""
    meta = _find(stream, b"meta", within, budget)
    if meta is None or _content(stream, meta)[4:8] == b"hdlr":
        return meta
    return _Span(meta.name, min(meta.start + 4, meta.end), meta.end)


def _parse_date(text: bytes) -> datetime | None:
    found = _DATE.fullmatch(text.decode("ascii", "replace").strip("\0 "))
    try:
        return None if found is None else datetime.fromisoformat("".join(found.groups()))
    except ValueError:  # the thirtieth of February
        return None


def _boxes(stream: BinaryIO, within: _Span, budget: list[int]) -> Iterator[_Span]:
    """Yield the boxes in a span: 32 bits of length and a name, 64 bits more where the length is 1, 0 up to the end."""
    place = within.start
    while place + 8 <= within.end and budget[0] > 0:
        budget[0] -= 1
        stream.seek(place)
        length, name = struct.unpack(">I4s", stream.read(8))
        start = place + 8
        if length == 1:
            (length,) = struct.unpack(">Q", stream.read(8))
            start += 8
        end = within.end if length == 0 else place + length
        if not start <= end <= within.end:
            # An incomplete last box, as of a recording that was cut, hides none before it.
            return
        yield _Span(name, start, end)
        place = end


def _find(stream: BinaryIO, name: bytes, within: _Span, budget: list[int]) -> _Span | None:
    return next((box for box in _boxes(stream, within, budget) if box.name == name), None)


def _read_matroska(stream: BinaryIO) -> datetime | None:
    budget = [_MOST_BOXES]
    everything = _Span(0, 0, _length(stream))
    segment = next((one for one in _elements(stream, everything, budget) if one.name == _SEGMENT), None)
    if segment is None:
        return None
    info = next((one for one in _elements(stream, segment, budget) if one.name == _INFO), None)
    if info is None:
        return None
    date = next((one for one in _elements(stream, info, budget) if one.name == _DATE_UTC), None)
    if date is None or date.end - date.start != 8:
        return None
    nanoseconds = int.from_bytes(_content(stream, date), "big", signed=True)
    return _MATROSKA_EPOCH + timedelta(microseconds=nanoseconds // 1000)


def _elements(stream: BinaryIO, within: _Span, budget: list[int]) -> Iterator[_Span]:
    """Yield the elements in a span; one of unknown length, as of a stream that was recorded, ends with the span."""
    place = within.start
    while place < within.end and budget[0] > 0:
        budget[0] -= 1
        stream.seek(place)
        head = stream.read(12)
        name, n_name = _variable(head, keep_marker=True)
        length, n_length = _variable(head[n_name:], keep_marker=False)
        start = place + n_name + n_length
        is_unknown = length == (1 << 7 * n_length) - 1
        end = within.end if is_unknown else min(start + length, within.end)
        yield _Span(name, start, end)
        place = end


def _variable(data: bytes, *, keep_marker: bool) -> tuple[int, int]:
    """Return a number of variable length and how many bytes it takes (RFC 8794, section 4)."""
    if not data or data[0] == 0:
        raise ValueError("no number of at most 8 bytes")
    n_bytes = 9 - data[0].bit_length()
    if len(data) < n_bytes:
        raise ValueError("a number is cut")
    value = int.from_bytes(data[:n_bytes], "big")
    return (value if keep_marker else value & ((1 << 7 * n_bytes) - 1)), n_bytes


def _content(stream: BinaryIO, span: _Span) -> bytes:
    stream.seek(span.start)
    return stream.read(min(span.end - span.start, _MOST_BYTES))


def _length(stream: BinaryIO) -> int:
    return stream.seek(0, 2)
