"""Damage files: flipped bits, cuts, lengths set to the largest number, spliced pieces; blindly or inside containers."""

import io
import json
import random
import re
import struct
import zipfile
import zlib
from collections.abc import Callable, Sequence
from typing import Any

Damage = Callable[[bytes, Sequence[bytes], random.Random], bytes]
"""Takes a file's bytes, those of others, and a source of chance; returns the damaged bytes."""

_PNG_SIGNATURE = b"\x89PNG\r\n\x1a\n"

# What a field of JSON may become: of another type, out of range, or deep.
_ODD_VALUES: tuple[Any, ...] = (
    *(None, True, -1, 0, 2**31, 2**64, -1e308, 1e308, 0.5, "", " ", "unknown", "a\0b", "x" * 5000),
    *([], {}, [[]], [0] * 1000, {"": None}),
)
_ODD_FIELDS = (
    *("", " ", "-", "unknown", "-1", "1.5", "nan", "1e999", "9" * 30, "9" * 5000, "\uff11\uff12", "x" * 200_000),
    *('"', '"a\nb"', "a\0b", "\u202e", ",", "a,b", ";", "=1+1", "../../etc/passwd", "Ada", "must"),
)
_ODD_TEXTS = (b"NaN", b"Infinity", b"-Infinity", b"1e999", b"[" * 10_000, b'{"a":' * 5000, b"9" * 5000)


def damage_bytes(content: bytes, others: Sequence[bytes], chance: random.Random) -> bytes:
    """Return bytes with up to eight places damaged in one of the ways named above."""
    damaged = bytearray(content)
    for _ in range(chance.choice((1, 1, 1, 2, 4, 8))):
        chance.choice(_WAYS)(damaged, others, chance)
    return bytes(damaged)


def damage_entry(content: bytes, others: Sequence[bytes], chance: random.Random) -> bytes:
    """Return a zip with one entry damaged and every checksum right; of an entry that is a zip, one of its entries."""
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        entries = {name: archive.read(name) for name in archive.namelist()}
    name = chance.choice(list(entries))
    if chance.random() < 0.05:
        del entries[name]
    elif name.endswith(".json"):
        entries[name] = damage_json(entries[name], others, chance)
    elif zipfile.is_zipfile(io.BytesIO(entries[name])):
        entries[name] = damage_entry(entries[name], others, chance)
    else:
        entries[name] = damage_bytes(entries[name], list(entries.values()), chance)
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        for entry, data in entries.items():
            archive.writestr(entry, data)
    return stream.getvalue()


def damage_json(content: bytes, others: Sequence[bytes], chance: random.Random) -> bytes:
    """Return JSON with one value replaced by one that does not belong there, or with its text damaged."""
    if chance.random() < 0.2:
        return damage_bytes(content, others, chance)
    record = json.loads(content)
    place = record
    while isinstance(place, (dict, list)) and place:
        key = chance.choice(list(place) if isinstance(place, dict) else range(len(place)))
        inner = place[key]
        if isinstance(inner, (dict, list)) and inner and chance.random() < 0.8:
            place = inner
            continue
        if chance.random() < 0.1:
            del place[key]
            return json.dumps(record).encode()
        odd = chance.randrange(len(_ODD_VALUES) + len(_ODD_TEXTS))
        if odd < len(_ODD_VALUES):
            place[key] = _ODD_VALUES[odd]
            return json.dumps(record).encode()
        place[key] = "odd text"
        return json.dumps(record).encode().replace(b'"odd text"', _ODD_TEXTS[odd - len(_ODD_VALUES)])
    return damage_bytes(content, others, chance)


def damage_list(content: bytes, others: Sequence[bytes], chance: random.Random) -> bytes:
    """Return a list, such as CSV, with some fields replaced, and lines repeated, moved or left out."""
    lines = [re.split(r"([,\t])", line) for line in content.decode("utf-8").splitlines()]
    for _ in range(chance.choice((1, 1, 2, 5))):
        if not lines:
            break
        line = chance.randrange(len(lines))
        way = chance.randrange(6)
        if way == 0:
            lines.insert(chance.randrange(len(lines) + 1), list(lines[line]))
        elif way == 1:
            del lines[line]
        elif way == 2:
            lines[line] = lines[line][: chance.randrange(len(lines[line]) + 1)]
        elif lines[line]:
            # Fields and what stands between them take turns.
            lines[line][2 * chance.randrange((len(lines[line]) + 1) // 2)] = chance.choice(_ODD_FIELDS)
    return "\n".join("".join(line) for line in lines).encode("utf-8")


def damage_photo(content: bytes, others: Sequence[bytes], chance: random.Random) -> bytes:
    """Return a photo damaged anywhere, or at its beginning, where sizes stand; half the PNGs have right checksums."""
    if chance.random() < 0.5:
        head = min(len(content), 1024)
        damaged = damage_bytes(content[:head], others, chance) + content[head:]
    else:
        damaged = damage_bytes(content, others, chance)
    if damaged.startswith(_PNG_SIGNATURE) and chance.random() < 0.5:
        return _with_right_checksums(damaged)
    return damaged


def _with_right_checksums(content: bytes) -> bytes:
    result, place = bytearray(_PNG_SIGNATURE), len(_PNG_SIGNATURE)
    while place + 12 <= len(content):
        (length,) = struct.unpack(">I", content[place : place + 4])
        chunk = content[place + 4 : place + 8 + length]
        result += content[place : place + 4] + chunk + struct.pack(">I", zlib.crc32(chunk))
        place += 12 + length
    return bytes(result)


def _flip(damaged: bytearray, _: Sequence[bytes], chance: random.Random) -> None:
    if damaged:
        damaged[chance.randrange(len(damaged))] ^= 1 << chance.randrange(8)


def _overwrite(damaged: bytearray, _: Sequence[bytes], chance: random.Random) -> None:
    if damaged:
        damaged[chance.randrange(len(damaged))] = chance.choice((0, 1, 0x7F, 0x80, 0xFE, 0xFF, chance.randrange(256)))


def _cut(damaged: bytearray, _: Sequence[bytes], chance: random.Random) -> None:
    del damaged[chance.randrange(len(damaged) + 1) :]


def _lengthen(damaged: bytearray, _: Sequence[bytes], chance: random.Random) -> None:
    size = chance.choice((2, 4, 4, 4, 8))
    if len(damaged) >= size:
        place = chance.randrange(len(damaged) - size + 1)
        place -= place % chance.choice((1, 2, 4))
        limits = (b"\xff" * size, b"\x7f" + b"\xff" * (size - 1), b"\xff" * (size - 1) + b"\x7f", bytes(size))
        damaged[place : place + size] = chance.choice(limits)


def _splice(damaged: bytearray, others: Sequence[bytes], chance: random.Random) -> None:
    source = chance.choice([*others, bytes(damaged), bytes(64), b"\xff" * 64]) or b"\0"
    start = chance.randrange(len(source))
    piece = source[start : start + chance.choice((1, 4, 16, 64, 512, 4096))]
    place = chance.randrange(len(damaged) + 1)
    replaced = chance.choice((0, len(piece), chance.randrange(64)))
    damaged[place : place + replaced] = piece


def _take_out(damaged: bytearray, _: Sequence[bytes], chance: random.Random) -> None:
    place = chance.randrange(len(damaged) + 1)
    del damaged[place : place + chance.choice((1, 2, 4, 64, 1024))]


_WAYS = (_flip, _flip, _overwrite, _overwrite, _cut, _lengthen, _lengthen, _splice, _splice, _take_out)
