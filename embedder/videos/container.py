"""What the container of a video file states about its tracks: which there are, and how long the picture lasts.

OpenCV tells a number of frames, which most containers do not hold: it is the length of the longest track, sound
included, times a guess at the frame rate. Two families of containers state the length of the picture itself:

- MP4, MOV and 3GP in the header of each track, cuts by edit lists included (ISO/IEC 14496-12, `tkhd`);
- Matroska and WebM in the tag ``DURATION`` of each track, which FFmpeg and MKVToolNix write at the end (RFC 9559).

MPEG streams state none: what is said about their length is read off their own last time stamps.
"""

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import BinaryIO

# More elements at one level are no video: a day of Matroska has some 17,000 clusters.
_MOST_ELEMENTS = 200_000
_MOST_BYTES = 64 * 2**10  # of an element that is read and not only passed over

_FIRST_BOXES = (b"ftyp", b"moov", b"mdat", b"wide", b"free", b"skip", b"pnot")

# Matroska's elements (RFC 9559, section 5.1).
_EBML, _SEGMENT, _TRACKS, _TRACK_ENTRY = 0x1A45DFA3, 0x18538067, 0x1654AE6B, 0xAE
_TRACK_UID, _TRACK_TYPE = 0x73C5, 0x83
_TAGS, _TAG, _TARGETS, _TARGET_UID = 0x1254C367, 0x7373, 0x63C0, 0x63C5
_SIMPLE_TAG, _TAG_NAME, _TAG_STRING = 0x67C8, 0x45A3, 0x4487
_PICTURE, _SOUND = 1, 2

_TRANSPORT_PACKET = 188
_SYNC_BYTE = 0x47


@dataclass(frozen=True)
class Container:
    """What a container states.

    Attributes
    ----------
    has_picture, has_sound : bool
        Whether there are such tracks; both False where the container does not tell.
    picture_s : float or None
        How long the picture lasts, in seconds from the beginning of the file; None where that is not stated.
    counts_frames : bool
        Whether each frame has an entry in the file's header, so that their number is no guess.
    is_stream : bool
        Whether nothing at all is stated about lengths, as in MPEG streams.
    """

    has_picture: bool = False
    has_sound: bool = False
    picture_s: float | None = None
    counts_frames: bool = False
    is_stream: bool = False


def read_container(path: str | Path) -> Container:
    """Return what the container of a file states; nothing where it is damaged or of another kind.

    Raises
    ------
    OSError
        If the file cannot be read.
    """
    with Path(path).open("rb") as file:
        end = file.seek(0, 2)
        file.seek(0)
        head = file.read(_TRANSPORT_PACKET + 9)
        if head[4:8] in _FIRST_BOXES:
            return _read_movie(file, end)
        if head[:4] == _EBML.to_bytes(4):
            return _read_matroska(file, end)
        # M2TS puts four bytes before each packet.
        is_transport = any(
            head[place : place + 1] == head[place + step : place + step + 1] == bytes([_SYNC_BYTE])
            for place, step in ((0, _TRANSPORT_PACKET), (4, _TRANSPORT_PACKET + 4))
        )
        return Container(is_stream=is_transport or head[:4] in (b"\0\0\1\xba", b"\0\0\1\xb3"))


def _read_movie(file: BinaryIO, end: int) -> Container:
    """Return what an MP4, MOV or 3GP file states."""
    handlers: set[bytes] = set()
    lengths: list[int] = []
    ticks = 0
    for place in _boxes(file, 0, end, b"moov"):
        for header in _boxes(file, *place, b"mvhd"):
            ticks, _ = _clock(_body(file, header), at=(12, 20))
        for track in _boxes(file, *place, b"trak"):
            kinds = [
                _body(file, handler)[8:12]
                for media in _boxes(file, *track, b"mdia")
                for handler in _boxes(file, *media, b"hdlr")
            ]
            handlers |= {*kinds}
            if b"vide" in kinds:
                lengths += [_clock(_body(file, header), at=(16, 24))[1] for header in _boxes(file, *track, b"tkhd")]
    longest = max(lengths, default=0)
    picture_s = longest / ticks if longest and ticks else None
    return Container(b"vide" in handlers, b"soun" in handlers, picture_s, counts_frames=True)


def _clock(body: bytes, *, at: tuple[int, int]) -> tuple[int, int]:
    """Return the number before a duration and the duration, 0 if unknown, of an `mvhd` or `tkhd`.

    They stand `at` one place in version 0, whose fields have 32 bits, and at another in version 1 (64 bits).
    """
    version, layout = (1, ">IQ") if body[:1] == b"\1" else (0, ">II")
    fields = body[at[version] : at[version] + struct.calcsize(layout)]
    if len(fields) < struct.calcsize(layout):
        return 0, 0
    before, duration = struct.unpack(layout, fields)
    return before, 0 if duration in (2**32 - 1, 2**64 - 1) else duration


def _boxes(file: BinaryIO, start: int, end: int, kind: bytes) -> Iterator[tuple[int, int]]:
    """Yield where the bodies of the boxes of a `kind` begin and end."""
    for _ in range(_MOST_ELEMENTS):
        if start >= end:
            return
        file.seek(start)
        header = file.read(16)
        if len(header) < 8:
            return
        size, n_header = int.from_bytes(header[:4]), 8
        if size == 1:
            size, n_header = int.from_bytes(header[8:16]), 16
        stop = end if size == 0 else start + size
        if stop < start + n_header:
            return
        if header[4:8] == kind:
            yield start + n_header, min(stop, end)
        start = stop


def _read_matroska(file: BinaryIO, end: int) -> Container:
    """Return what a Matroska or WebM file states."""
    kinds: dict[int, int] = {}
    lengths_s: dict[int, float] = {}
    for segment in _elements(file, 0, end, _SEGMENT):
        for tracks in islice(_elements(file, *segment, _TRACKS), 1):
            for track in _elements(file, *tracks, _TRACK_ENTRY):
                kinds[_number(file, track, _TRACK_UID)] = _number(file, track, _TRACK_TYPE)
        for tags in _elements(file, *segment, _TAGS):
            for tag in _elements(file, *tags, _TAG):
                lengths_s |= _length_of_tag(file, tag)
    of_picture = [lengths_s[track] for track, kind in kinds.items() if kind == _PICTURE and track in lengths_s]
    return Container(_PICTURE in kinds.values(), _SOUND in kinds.values(), max(of_picture, default=None))


def _length_of_tag(file: BinaryIO, tag: tuple[int, int]) -> dict[int, float]:
    """Return the length in seconds that a tag states, by its track."""
    track = 0
    for targets in _elements(file, *tag, _TARGETS):
        track = _number(file, targets, _TARGET_UID)
    for simple in _elements(file, *tag, _SIMPLE_TAG):
        names = [_body(file, name) for name in _elements(file, *simple, _TAG_NAME)]
        if names == [b"DURATION"]:
            for text in _elements(file, *simple, _TAG_STRING):
                try:
                    hours, minutes, seconds = _body(file, text).rstrip(b"\0").split(b":")
                    return {track: int(hours) * 3600 + int(minutes) * 60 + float(seconds)}
                except ValueError:
                    return {}
    return {}


def _number(file: BinaryIO, parent: tuple[int, int], kind: int) -> int:
    """Return the first number of a `kind` in an element, 0 without one."""
    return next((int.from_bytes(_body(file, place)) for place in _elements(file, *parent, kind)), 0)


def _elements(file: BinaryIO, start: int, end: int, kind: int) -> Iterator[tuple[int, int]]:
    """Yield where the bodies of the elements of a `kind` begin and end; one of unknown size goes to the end."""
    for _ in range(_MOST_ELEMENTS):
        if start >= end:
            return
        file.seek(start)
        header = file.read(12)
        if not header or not header[0]:
            return
        n_kind = 9 - header[0].bit_length()
        if n_kind > 4 or len(header) <= n_kind or not header[n_kind]:
            return
        n_size = 9 - header[n_kind].bit_length()
        digits = header[n_kind : n_kind + n_size]
        size = int.from_bytes(digits) & (1 << 7 * n_size) - 1
        body = start + n_kind + n_size
        is_unknown = size == (1 << 7 * n_size) - 1
        stop = end if is_unknown else body + size
        if int.from_bytes(header[:n_kind]) == kind:
            yield body, min(stop, end)
        start = stop


def _body(file: BinaryIO, place: tuple[int, int]) -> bytes:
    """Return the beginning of a body."""
    file.seek(place[0])
    return file.read(min(place[1] - place[0], _MOST_BYTES))
