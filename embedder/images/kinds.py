"""Kinds of files by their names' suffixes: which are read as photos, which need another package, which are left out."""

from collections.abc import Mapping
from importlib.util import find_spec
from typing import NamedTuple

from foundation.text import join_words, pluralize

IMAGE_SUFFIXES = frozenset(
    [
        ".jpg",
        ".jpeg",
        ".jpe",
        ".jfif",
        ".mpo",
        ".png",
        ".gif",
        ".bmp",
        ".dib",
        ".tif",
        ".tiff",
        ".webp",
        ".heic",
        ".heif",
        ".hif",
        ".avif",
        ".jp2",
        ".j2k",
        ".pbm",
        ".pgm",
        ".ppm",
        ".pnm",
    ]
)
"""Lower-case suffixes of files that are taken for images without looking inside."""

# Not .raw, .bay and .cap, which other programs use for other things.
RAW_SUFFIXES = frozenset(
    [
        ".3fr",
        ".arw",
        ".cr2",
        ".cr3",
        ".crw",
        ".dcr",
        ".dng",
        ".erf",
        ".fff",
        ".iiq",
        ".k25",
        ".kdc",
        ".mef",
        ".mos",
        ".mrw",
        ".nef",
        ".nrw",
        ".orf",
        ".pef",
        ".ptx",
        ".raf",
        ".rw2",
        ".rwl",
        ".sr2",
        ".srf",
        ".srw",
        ".x3f",
    ]
)
"""Lower-case suffixes of what cameras write of their sensors, as LibRaw reads it."""

JPEG_XL_SUFFIXES = frozenset({".jxl"})

VIDEO_SUFFIXES = frozenset(
    [
        ".mp4",
        ".m4v",
        ".mov",
        ".avi",
        ".mkv",
        ".webm",
        ".mpg",
        ".mpeg",
        ".ts",
        ".mts",
        ".m2ts",
        ".wmv",
        ".flv",
        ".3gp",
        ".ogv",
        ".mjpg",
        ".mjpeg",
        ".vob",
        ".asf",
    ]
)
"""Lower-case suffixes of videos."""

RAWPY = "rawpy==0.28.0"
JPEG_XL_PLUGIN = "pillow-jxl-plugin==1.3.8"
"""The packages that were tested, for ``pip install``; neither is needed for anything else."""


VIDEO = "video"
"""Noun of the kind of files that are videos."""


class FileKind(NamedTuple):
    """A kind of files that is not read everywhere, or never.

    Attributes
    ----------
    noun : str
        For one such file.
    suffixes : frozenset of str
    remedy : str
        What to do about it, as half a sentence.
    module : str
        What reads them, once it is installed; empty where nothing does.
    """

    noun: str
    suffixes: frozenset[str]
    remedy: str
    module: str = ""

    @property
    def is_read(self) -> bool:
        """Return whether the package that reads them is installed."""
        return self.module != "" and find_spec(self.module) is not None


OTHER_KINDS = (
    FileKind("camera raw photo", RAW_SUFFIXES, f"camera raw photos are read after: pip install {RAWPY}", "rawpy"),
    FileKind("JPEG XL photo", JPEG_XL_SUFFIXES, f"JPEG XL after: pip install {JPEG_XL_PLUGIN}", "pillow_jxl"),
    FileKind("Photoshop file", frozenset({".psd", ".psb"}), "export Photoshop files as JPEG"),
    FileKind(
        VIDEO,
        VIDEO_SUFFIXES,
        "people in videos are found with --videos where tables and workspaces are made, and named by: facetable "
        "recognize VIDEO --head HEAD",
    ),
)
"""The kinds that people keep among their photos."""

PHOTO_SUFFIXES = IMAGE_SUFFIXES | RAW_SUFFIXES | JPEG_XL_SUFFIXES
"""Lower-case suffixes of photos, whether they can be read here or not."""


def describe_left_out(counts: Mapping[str, int]) -> str:
    """Return how many files of `OTHER_KINDS` (their noun -> number) were left out, with the remedy; "" for none.

    >>> describe_left_out({"camera raw photo": 12, "Photoshop file": 1})[:50]
    '12 camera raw photos and 1 Photoshop file left out'
    """
    found = [kind for kind in OTHER_KINDS if counts.get(kind.noun)]
    if not found:
        return ""
    words = join_words([pluralize(counts[kind.noun], kind.noun) for kind in found])
    return f"{words} left out; {'; '.join(kind.remedy for kind in found)}"
