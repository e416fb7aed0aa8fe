"""Which arrays a head file holds, of which types and shapes: held against its description before one is read."""

from collections.abc import Container, Mapping
from typing import Any

from foundation.errors import InputError
from foundation.head_files.array_header import ArrayHeader

_N, _LENGTH, _REJECTED, _PEOPLE, _PAIRS = "n_exemplars", "embedding_length", "rejected", "identities", "pairs"
_DIRECTIONS, _PARTS, _STRANGERS, _SUPPORT, _CLASSES = "directions", "parts", "strangers", "support", "other identities"

# By name: type and shape. A length is a number, or the name of one that is equal wherever it stands; types without a
# size are text of any length.
_Expected = dict[str, tuple[str, tuple[int | str, ...]]]
_ALWAYS: _Expected = {
    "exemplars": ("f4", (_N, _LENGTH)),
    "codes": ("i4", (_N,)),
    "paths": ("S", (_N,)),
    "image_sha256": ("S", (_N,)),
    "boxes": ("f4", (_N, 4)),
    "rejected": ("f4", (_REJECTED, _LENGTH)),
    "rejected_identities": ("S", (_REJECTED,)),
    "rejected_paths": ("S", (_REJECTED,)),
    "rejected_sha256": ("S", (_REJECTED,)),
}
# Heads written before 0.2 do not have them.
_SINCE_0_2: _Expected = {
    "origins": ("S", (_N,)),
    "rejected_boxes": ("f4", (_REJECTED, 4)),
}
_NORMALIZED: _Expected = {
    "background_mean": ("f4", (_LENGTH,)),
    "background_components": ("f4", (_DIRECTIONS, _LENGTH)),
    "background_weights": ("f4", (_PARTS,)),
    "background_means": ("f4", (_PARTS, _DIRECTIONS)),
    "background_variances": ("f4", (_PARTS, _DIRECTIONS)),
    "background_cohort": ("f4", (_STRANGERS, _LENGTH)),
    "background_record": ("U", ()),
    "levels": ("f8", (_N,)),
}
_LINEAR: _Expected = {
    "support": ("i", (_SUPPORT,)),
    "dual_coef": ("f8", (_CLASSES, _SUPPORT)),
    "intercept": ("f8", (_PAIRS,)),
    "n_support": ("i", (_PEOPLE,)),
}

# Names are laid out as wide as the longest for every exemplar, and paths in four bytes a character: so much of that is
# small, beyond it the file itself must be large.
_SMALL_BYTES = 64 * 1024 * 1024
_TIMES_THE_FILE = 4

_MAX_PARTS = 100_000


def array_entry(name: str) -> str:
    """Return the entry of a head file that holds the array `name`."""
    return f"serving/{name}.npy"


def expected_arrays(record: Mapping[str, Any], entries: Container[str]) -> list[str]:
    """Return the names of the arrays that a head of this description has, of later ones those among its `entries`."""
    return [name for name in _expected(record) if name not in _SINCE_0_2 or array_entry(name) in entries]


def check_arrays(record: Mapping[str, Any], headers: Mapping[str, ArrayHeader], *, n_bytes: int) -> None:
    """Refuse arrays whose types and shapes are not those that the description of a head says.

    Parameters
    ----------
    record : mapping
        The description, checked.
    headers : mapping
        Header of each of `expected_arrays`.
    n_bytes : int
        Length of the file.

    Raises
    ------
    InputError
        If an array is of another type or shape; the message names it.
    """
    n_people = len(record["identities"])
    lengths: dict[str, int] = {
        _N: record["n_exemplars"],
        _LENGTH: record["embedding_length"],
        _PEOPLE: n_people,
        _CLASSES: n_people - 1,
        _PAIRS: n_people * (n_people - 1) // 2,
    }
    expected = _expected(record)
    for name, header in headers.items():
        kind, sides = expected[name]
        if len(header.shape) == len(sides):
            for side, length in zip(sides, header.shape, strict=True):
                lengths.setdefault(str(side), length)
        shape = tuple(side if isinstance(side, int) else lengths.get(side, 0) for side in sides)
        if header.shape != shape or not (header.type == kind or (len(kind) == 1 and header.type.startswith(kind))):
            raise InputError(
                f"its exemplars do not fit its description: the array {name} is {header.type} {header.shape}, "
                f"expected {kind} {shape}"
            )
    if lengths.get(_PARTS, 1) > _MAX_PARTS or not 1 <= lengths.get(_DIRECTIONS, 1) <= lengths[_LENGTH]:
        raise InputError("its background model has too many parts, or no directions")
    longest = max(map(len, record["identities"]))
    if 4 * longest * record["n_exemplars"] > max(_SMALL_BYTES, _TIMES_THE_FILE * n_bytes):
        raise InputError(f"a name of {longest:,} characters is too long for so many exemplars")


def _expected(record: Mapping[str, Any]) -> _Expected:
    arrays = _ALWAYS | _SINCE_0_2
    if record["score"] == "normalized":
        arrays |= _NORMALIZED
    if record["chooser"] == "linear":
        arrays |= _LINEAR
    return arrays
