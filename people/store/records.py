"""Records of the store: a face, a decision, a person as it is now."""

import math
import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal, NamedTuple, Self, get_args

from foundation.text import has_letter_or_digit, normalize_name
from people.errors import DecisionError, PersonError, UnknownFaceError, UnknownPhotoError

Kind = Literal[
    "is", "is_not", "same", "different", "not_a_face", "nobody", "rename", "merge", "hide", "show", "cover", "undo"
]
KINDS: tuple[Kind, ...] = get_args(Kind)

DRAWN = "drawn"
"""Text of a decision ``same`` about a single face: somebody drew its box and has not said who it is."""

FaceState = Literal["open", "named", "nobody", "not_a_face"]
"""What holds of a face: nobody has named it, it is a person, a stranger nobody cares about, or no face at all."""

MAX_NAME_LENGTH = 200
_RESERVED_NAMES = ("unknown",)
_SHA256_LENGTH = 64

_PHOTO_DIGITS = 13
"""Hexadecimal digits of a photo's hash in its number: 52 bits, which every program's numbers hold exactly."""

_BOX_STEPS = 10_000
"""A face's key tells its box in ten-thousandths of the photo."""


@dataclass(frozen=True)
class Face:
    """A face that outlives paths, tables, detectors and networks: a photo and a place in it.

    Attributes
    ----------
    photo_sha256 : str
        SHA-256 of the photo's bytes, 64 hexadecimal digits.
    box : tuple of 4 float
        x_min, y_min, x_max, y_max in fractions of the upright photo's width and height; faces cut off by an edge may
        reach a little beyond 0..1.
    time_s : float
        Seconds into a video; 0 for photos.

    Raises
    ------
    DecisionError
        If the hash or the box is none.
    """

    photo_sha256: str
    box: tuple[float, float, float, float]
    time_s: float = 0.0

    def __post_init__(self) -> None:
        sha256 = self.photo_sha256
        if len(sha256) != _SHA256_LENGTH or not set(sha256) <= set("0123456789abcdef"):
            raise DecisionError(f"`photo_sha256` must be 64 hexadecimal digits, got {sha256!r}")
        x_min, y_min, x_max, y_max = self.box
        if not all(math.isfinite(side) for side in self.box) or x_min >= x_max or y_min >= y_max:
            raise DecisionError(
                f"`box` must be x_min < x_max and y_min < y_max in fractions of the photo, got {self.box}"
            )
        if not (math.isfinite(self.time_s) and self.time_s >= 0):
            raise DecisionError(f"`time_s` must be seconds from a video's beginning, got {self.time_s}")

    @classmethod
    def in_pixels(cls, photo_sha256: str, box: Iterable[float], size_wh: tuple[int, int]) -> Self:
        """Return the face at a box in pixels of the upright photo, which has `size_wh` (width, height) of them."""
        x_min, y_min, x_max, y_max = (float(side) for side in box)
        width, height = size_wh
        return cls(photo_sha256, (x_min / width, y_min / height, x_max / width, y_max / height))

    @property
    def key(self) -> str:
        """The face as one word for addresses and other programs; `parse_face_key` reads it.

        It holds for ever: nothing but the photo's content and the place in it decide about it.
        """
        moment = [round(self.time_s * 1000)] if self.time_s else []
        parts = [photo_number(self.photo_sha256), *(round(side * _BOX_STEPS) for side in self.box), *moment]
        return "_".join(map(str, parts))


class FaceKey(NamedTuple):
    """What a face's key says: the photo's number, the box in fractions of the photo, seconds into a video."""

    photo: int
    box: tuple[float, ...]
    time_s: float


def photo_number(photo_sha256: str) -> int:
    """Return the number that a photo has for ever: the first 52 bits of its SHA-256."""
    return int(photo_sha256[:_PHOTO_DIGITS], 16)


def hashes_of_number(number: int) -> tuple[bytes, bytes]:
    """Return the first and the last SHA-256 that a photo of this number can have.

    Raises
    ------
    UnknownPhotoError
        If no photo can have it.
    """
    digits = f"{number:0{_PHOTO_DIGITS}x}"
    if number < 0 or len(digits) > _PHOTO_DIGITS:
        raise UnknownPhotoError(f"expected the number of a photo, got {number}")
    rest = _SHA256_LENGTH - _PHOTO_DIGITS
    return bytes.fromhex(digits + "0" * rest), bytes.fromhex(digits + "f" * rest)


def parse_face_key(key: str) -> FaceKey:
    """Return what `Face.key` wrote.

    Raises
    ------
    UnknownFaceError
        If it is no such key.
    """
    if re.fullmatch(r"\d{1,16}(_-?\d{1,6}){4}(_\d{1,10})?", key, re.ASCII) is None:
        raise UnknownFaceError(f"expected the key of a face, got {key[:80]!r}")
    photo, *numbers = map(int, key.split("_"))
    box = tuple(number / _BOX_STEPS for number in numbers[:4])
    return FaceKey(photo, box, sum(numbers[4:]) / 1000)


@dataclass(frozen=True)
class Decision:
    """One row of the journal.

    Attributes
    ----------
    number : int
        Counts up; never used again.
    at : str
        When, ISO 8601 in UTC.
    by : str
        Who or what decided: a user, an import, a command.
    kind : str
        One of `KINDS`.
    person, other : int or None
        The person it is about; of ``merge`` the one that goes and the one that stays.
    text : str
        The new name of ``rename``; `DRAWN` where a box was drawn.
    undoes : int or None
        The decision that ``undo`` takes back.
    is_undone : bool
        Whether it was taken back.
    n_faces : int
        How many faces it is about.
    """

    number: int
    at: str
    by: str
    kind: Kind
    person: int | None
    other: int | None
    text: str
    undoes: int | None
    is_undone: bool
    n_faces: int


class Person(NamedTuple):
    """A person as it is now: a tuple, for there may be 50,000 of them in one list.

    Attributes
    ----------
    number : int
        Never changes and is never given again.
    name : str
        In Unicode's composed form.
    n_faces, n_photos : int
        Faces that are this person's, and photos (or videos) they are on.
    is_hidden : bool
    cover : int or None
        The face chosen to stand for the person.
    """

    number: int
    name: str
    n_faces: int
    n_photos: int
    is_hidden: bool
    cover: int | None


def check_name(name: str) -> str:
    """Return a person's name in composed form without outer white space.

    Raises
    ------
    PersonError
        If it has no letter and no digit, is reserved, too long, or holds control characters.
    """
    normal = normalize_name(name)
    if not has_letter_or_digit(normal):
        raise PersonError(f"a name must hold a letter or a digit, got {name!r}; nobody's face is left without a name")
    if normal.casefold() in _RESERVED_NAMES:
        raise PersonError(f"{normal!r} is what strangers are called; give a name, or say that the face is nobody's")
    if len(normal) > MAX_NAME_LENGTH:
        raise PersonError(f"a name may have at most {MAX_NAME_LENGTH} letters, got {len(normal):,}; shorten it")
    if any(unicodedata.category(letter) in ("Cc", "Zl", "Zp") for letter in normal):
        raise PersonError(f"a name is one line of text, got {name[:MAX_NAME_LENGTH]!r}; leave control characters out")
    return normal
