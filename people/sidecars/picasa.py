"""Faces in ``.picasa.ini``, the file that Picasa kept in each folder.

The format was never published. Names stand in the section ``Contacts2``; ``faces`` of a photo's section are pairs of
``rect64(HEX)``, four numbers of 16 bits (left, top, right, bottom, of 65,535), and a contact. ExifTool's
``picasa_faces.config`` reads places likewise: those in the stored picture; of camera raw photos, in the upright one.
"""

import re
from pathlib import Path

from foundation.paths import display_path
from people.errors import XmpError
from people.sidecars.orientation import Box
from people.sidecars.regions import clip
from people.sidecars.xmp_tree import MAX_BYTES

FILE_NAMES = (".picasa.ini", "Picasa.ini")
"""Of newer and older versions."""

_SECTION = re.compile(r"\s*\[(.+)\]\s*")
_FACE = re.compile(r"rect64\(([0-9a-f]{1,16})\),([0-9a-f]{1,16})", re.IGNORECASE)
_CONTACT = re.compile(r"([0-9a-f]{1,16})=([^;]*)", re.IGNORECASE)
_LARGEST = 65_535

PicasaFaces = dict[str, list[tuple[str, Box | None]]]
"""Name, "" where it is not known, and box in the picture of each face, by the photo's file name."""


def read_picasa(folder: Path) -> PicasaFaces:
    """Return the faces of the photos of a folder; none where Picasa never was.

    Raises
    ------
    XmpError
        If the file is larger than any that Picasa wrote.
    OSError
        If it cannot be read.
    """
    found: PicasaFaces = {}
    for name in FILE_NAMES:
        if (folder / name).is_file():
            found.update(_read_file(folder / name))
    return found


def _read_file(path: Path) -> PicasaFaces:
    with path.open("rb") as stream:
        content = stream.read(MAX_BYTES + 1)
    if len(content) > MAX_BYTES:
        raise XmpError(f"{display_path(path)}: expected at most {MAX_BYTES:,} bytes, found more; leave it out")
    names: dict[str, str] = {}
    faces: dict[str, list[tuple[str, str]]] = {}
    section = ""
    for line in content.decode("utf-8-sig", "replace").splitlines():
        if header := _SECTION.fullmatch(line):
            section = header[1]
        elif section.lower() == "contacts2" and (contact := _CONTACT.match(line)):
            names[contact[1].lower()] = contact[2]
        elif line.lower().startswith("faces="):
            faces[section] = _FACE.findall(line)
    return {
        photo: [(names.get(contact.lower(), ""), parse_rectangle(digits)) for digits, contact in pairs]
        for photo, pairs in faces.items()
    }


def parse_rectangle(digits: str) -> Box | None:
    """Return the box of a ``rect64``; leading zeros are left out in files.

    >>> parse_rectangle("33336666ccccffff"), parse_rectangle("6666ccccffff"), parse_rectangle("ccccffff33336666")
    ((0.2, 0.4, 0.8, 1.0), (0.0, 0.4, 0.8, 1.0), None)
    """
    padded = digits.rjust(16, "0")
    x_min, y_min, x_max, y_max = (int(padded[i : i + 4], 16) / _LARGEST for i in range(0, 16, 4))
    return clip((x_min, y_min, x_max, y_max)) if x_min < x_max and y_min < y_max else None
