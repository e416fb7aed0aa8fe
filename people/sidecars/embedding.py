"""Write names into photos themselves, by exiftool, where it leaves the picture as it is to the byte.

exiftool writes to its standard output; what comes is compared with the photo and read back, and takes the photo's place
in one step. Before that the store is told that both contents are one photo: so whatever ends the process at whatever
moment, the file that lies there is known, with all that was decided about it.
"""

import hashlib
import shutil
import struct
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

from embedder.images.formats import format_of
from foundation.atomic import atomic_path
from foundation.formats import N_FIRST_BYTES
from foundation.paths import display_path
from people.errors import XmpError
from people.sidecars.photo import read_header
from people.sidecars.xmp_writing import Wanted, merge

_KINDS = ("JPEG", "PNG", "HEIC")
"""Formats whose picture can be compared to the byte here, and that exiftool writes."""

_SECONDS = 120.0
"""For exiftool to write one photo."""

_JPEG_SCAN, _JPEG_END, _JPEG_COMMENT, _JPEG_APPLICATIONS = 0xDA, 0xD9, 0xFE, range(0xE0, 0xF0)
_PNG_SIGNATURE = b"\x89PNG\r\n\x1a\n"
# Of PNG (third edition, 5.6): what says something of the picture and changes none of its pixels.
_PNG_REMARKS = (b"tEXt", b"zTXt", b"iTXt", b"tIME", b"eXIf")
_EXTENDED = b"HasExtendedXMP"


def find_exiftool() -> str:
    """Return where exiftool is.

    Raises
    ------
    XmpError
        If it is not installed.
    """
    found = shutil.which("exiftool")
    if found is None:
        raise XmpError(
            "expected exiftool to write into photos, found none; install it (Debian: libimage-exiftool-perl), or leave "
            "out --embed for sidecars"
        )
    return found


def embed_names(
    photo: Path, wanted: Wanted, *, known: Callable[[str], bool], record: Callable[[str], None], is_trial: bool = False
) -> str:
    """Write names into a photo and return what was done: ``written``, ``removed`` (nothing is said any more) or "".

    Parameters
    ----------
    photo : Path
    wanted : Wanted
    known : callable
        Tells whether a SHA-256 is one of the photo that is meant.
    record : callable
        Is given the SHA-256 the photo will have, before it has it.
    is_trial : bool
        Write nothing.

    Raises
    ------
    XmpError
        If the photo is another one, exiftool cannot write it, or the picture would not stay the same.
    ImageError, OSError
        If it cannot be read or written.
    """
    name, content = display_path(photo), photo.read_bytes()
    if not known(_hash(content)):
        raise XmpError(f"{name}: expected the photo that was scanned, found another; scan the workspace again")
    kind = _kind_of(content, name)
    header = read_header(photo)
    if _EXTENDED in header.xmp:
        raise XmpError(f"{name}: expected metadata in one piece, found a second one (extended XMP); use a sidecar")
    before = header.xmp or None
    after = merge(before, wanted, name)
    if after == before:
        return ""
    if not is_trial:
        _replace(photo, content, after, kind=kind, xmp_before=header.xmp, wanted=wanted, record=record)
    return "removed" if after is None else "written"


def _replace(
    photo: Path,
    content: bytes,
    xmp: bytes | None,
    *,
    kind: str,
    xmp_before: bytes,
    wanted: Wanted,
    record: Callable[[str], None],
) -> None:
    name = display_path(photo)
    changed = _run_exiftool(photo, xmp, name)
    if not is_same_picture(kind, content, changed, xmp_before):
        raise XmpError(f"{name}: expected exiftool to leave the picture as it is, found it changed; use a sidecar")
    with atomic_path(photo, is_private=True) as temporary:
        temporary.write_bytes(changed)
        written = read_header(temporary)
        if written.orientation != wanted.orientation or merge(written.xmp or None, wanted, name) != (
            written.xmp or None
        ):
            raise XmpError(f"{name}: expected exiftool to write the names as they are, found others; use a sidecar")
        if photo.read_bytes() != content:
            raise XmpError(f"{name}: changed while names were written into it; run the same command again")
        record(_hash(changed))


def is_same_picture(kind: str, before: bytes, after: bytes, xmp: bytes) -> bool:
    """Return whether two photo files hold the same picture to the byte; `xmp` is what the first one says."""
    try:
        if kind == "JPEG":
            return _are_same(_jpeg_picture(before), _jpeg_picture(after))
        if kind == "PNG":
            return _are_same(_png_picture(before), _png_picture(after))
        return _holds(after, b"".join(_media_data(before)), xmp)
    except (struct.error, IndexError, ValueError):
        return False


def _are_same(before: Iterator[bytes], after: Iterator[bytes]) -> bool:
    picture = b"".join(before)
    return bool(picture) and picture == b"".join(after)


def _kind_of(content: bytes, name: str) -> str:
    known = format_of(content[:N_FIRST_BYTES])
    kind = "another file" if known is None else known.name
    if kind not in _KINDS:
        raise XmpError(f"{name}: expected JPEG, PNG or HEIC to write into, found {kind}; use a sidecar")
    return kind


def _run_exiftool(photo: Path, xmp: bytes | None, name: str) -> bytes:
    """Return the content of a photo with other XMP."""
    with tempfile.TemporaryDirectory(prefix="facetable-") as folder:
        packet = Path(folder) / "names.xmp"
        packet.write_bytes(xmp or b"")
        change = "-XMP:all=" if xmp is None else f"-XMP<={packet}"
        command = [find_exiftool(), "-q", "-q", change, "-o", "-", str(photo.absolute())]
        try:
            done = subprocess.run(command, capture_output=True, timeout=_SECONDS, check=False)
        except subprocess.TimeoutExpired:
            raise XmpError(f"{name}: exiftool was not done after {_SECONDS:.0f} s; use a sidecar") from None
    if done.returncode or not done.stdout:
        lines = done.stderr.decode("utf-8", "replace").split("\n")
        why = lines[0].removeprefix("Error: ").partition(" - ")[0] or "nothing written"
        raise XmpError(f"{name}: exiftool cannot write it ({why}); use a sidecar")
    return done.stdout


def _jpeg_picture(content: bytes) -> Iterator[bytes]:
    """Yield what decides a JPEG's pixels (ITU-T T.81, annex B): all but applications' segments and comments."""
    place = 2
    while True:
        if content[place] != 0xFF:
            raise ValueError("no marker")
        marker = content[place + 1]
        if marker == 0xFF:  # fill bytes
            place += 1
            continue
        if marker in (_JPEG_SCAN, _JPEG_END):
            yield content[place:]
            return
        end = place + 2 + struct.unpack_from(">H", content, place + 2)[0]
        if marker not in _JPEG_APPLICATIONS and marker != _JPEG_COMMENT:
            yield content[place:end]
        place = end


def _png_picture(content: bytes) -> Iterator[bytes]:
    """Yield the chunks of a PNG that decide its pixels, colour profiles included."""
    place = len(_PNG_SIGNATURE)
    while place < len(content):
        length, kind = struct.unpack_from(">I4s", content, place)
        if kind not in _PNG_REMARKS:
            yield content[place : place + 12 + length]
        place += 12 + length


def _media_data(content: bytes) -> Iterator[bytes]:
    """Yield the bodies of the boxes of media data of a HEIC file (ISO/IEC 14496-12)."""
    place = 0
    while place < len(content):
        size, kind = struct.unpack_from(">I4s", content, place)
        start = place + 8
        if size == 1:
            size, start = struct.unpack_from(">Q", content, place + 8)[0], place + 16
        size = size or len(content) - place
        if size < 8:
            raise ValueError("no box")
        if kind == b"mdat":
            yield content[start : place + size]
        place += size


def _holds(content: bytes, data: bytes, xmp: bytes) -> bool:
    """Return whether a file holds media data piece by piece, in their order; `xmp` among them may be another now."""
    place = 0
    for piece in data.split(xmp) if xmp else [data]:
        place = content.find(piece, place)
        if place < 0:
            return False
        place += len(piece)
    return bool(data)


def _hash(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
