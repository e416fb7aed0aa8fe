"""Files damaged as disks, cables and half-finished copies damage them, each by its number alone."""

import random
from collections.abc import Callable, Sequence

_LENGTH_BYTES = (2, 4, 8)
_MOST_FLIPS = 16


def damage(content: bytes, number: int, *, others: Sequence[bytes] = ()) -> tuple[str, bytes]:
    """Return how a file's content was damaged and what it is then; the same for the same number.

    Parameters
    ----------
    content : bytes
        Of a whole file, not empty.
    number : int
        Which damage.
    others : sequence of bytes
        Files of which pieces may get in; pieces of the file itself do in any case.

    Examples
    --------
    >>> damage(b"a whole file", 1) == damage(b"a whole file", 1), damage(b"a whole file", 1)[1] == b"a whole file"
    (True, False)
    """
    generator = random.Random(number)
    kind = generator.choice(list(_KINDS))
    damaged = _KINDS[kind](bytearray(content), generator, [content, *others])
    if damaged == content:  # such as zeros in place of zeros
        kind, damaged = "flip", _flip(bytearray(content), generator, [])
    return kind, bytes(damaged)


def _flip(content: bytearray, generator: random.Random, _: list[bytes]) -> bytearray:
    # Near each other as often as not: the structure of a file is in a few places.
    centre = generator.randrange(len(content))
    spread = generator.choice([8, 64, 512, len(content)])
    places = {
        min(max(centre + generator.randint(-spread, spread), 0), len(content) - 1)
        for _ in range(generator.randint(1, _MOST_FLIPS))
    }
    for place in places:
        content[place] ^= 1 << generator.randrange(8)
    return content


def _cut(content: bytearray, generator: random.Random, _: list[bytes]) -> bytearray:
    return content[: generator.randrange(len(content))]


def _remove(content: bytearray, generator: random.Random, _: list[bytes]) -> bytearray:
    start = generator.randrange(len(content))
    return content[:start] + content[start + generator.choice([1, 4, 64, 512]) :]


def _blank(content: bytearray, generator: random.Random, _: list[bytes]) -> bytearray:
    start, n = generator.randrange(len(content)), generator.choice([8, 64, 512, 4096])
    content[start : start + n] = bytes([generator.choice([0, 255])]) * len(content[start : start + n])
    return content


def _lengthen(content: bytearray, generator: random.Random, _: list[bytes]) -> bytearray:
    """Set what looks like a length, a small number that is not 0, to the largest one."""
    n = generator.choice(_LENGTH_BYTES)
    starts = range(0, len(content) - n, 2)
    likely = [i for i in starts if 0 < int.from_bytes(content[i : i + n], "little") <= len(content)]
    for start in generator.sample(likely or [0], min(len(likely) or 1, generator.randint(1, 3))):
        content[start : start + n] = generator.choice([b"\xff" * n, b"\xff" * (n - 1) + b"\x7f"])
    return content


def _splice(content: bytearray, generator: random.Random, others: list[bytes]) -> bytearray:
    other = generator.choice(others)
    n = generator.choice([16, 96, 512, 4096])
    start, goes_to = generator.randrange(len(other)) & ~7, generator.randrange(len(content)) & ~7
    piece = other[start : start + n]
    if generator.random() < 0.5:
        content[goes_to : goes_to + len(piece)] = piece
        return content
    return content[:goes_to] + piece + content[goes_to:]


_KINDS: dict[str, Callable[[bytearray, random.Random, list[bytes]], bytearray]] = {
    "flip": _flip,
    "cut": _cut,
    "remove": _remove,
    "blank": _blank,
    "lengthen": _lengthen,
    "splice": _splice,
}
