"""Head files altered with knowledge of the format: every entry whole, every checksum right, one thing impossible."""

import io
import json
import struct
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np

Entries = dict[str, bytes]
Change = Callable[[Entries], None]

GIANT = 9_999_999_999_999


def read_entries(path: Path) -> Entries:
    with zipfile.ZipFile(path) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def write_entries(path: Path, entries: Entries) -> Path:
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in entries.items():
            archive.writestr(name, content)
    return path


def npy(array: np.ndarray, **options: Any) -> bytes:
    stream = io.BytesIO()
    np.save(stream, array, **options)
    return stream.getvalue()


def described(text: str) -> bytes:
    """Return an array of no data whose header is `text`."""
    header = text.encode() + b"\n"
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(header)) + header


def array(name: str, content: bytes) -> Change:
    """Return a change of one array's bytes."""
    return lambda entries: entries.update({f"serving/{name}.npy": content})


def values(name: str, place: Any, value: Any) -> Change:
    """Return a change of one value of an array."""

    def change(entries: Entries) -> None:
        found = np.load(io.BytesIO(entries[f"serving/{name}.npy"])).copy()
        found[place] = value
        entries[f"serving/{name}.npy"] = npy(found)

    return change


def field(*path: str, to: Any) -> Change:
    """Return a change of one field of ``facetable.json``; `to` may be a function of what stood there."""

    def change(entries: Entries) -> None:
        record = json.loads(entries["facetable.json"])
        inner = record
        for name in path[:-1]:
            if not isinstance(inner.get(name), dict):
                inner[name] = {}
            inner = inner[name]
        inner[path[-1]] = to(inner.get(path[-1])) if callable(to) else to
        entries["facetable.json"] = json.dumps(record).encode()

    return change


def text_of_description(old: str, new: str) -> Change:
    """Return a change of the text of ``facetable.json``."""

    def change(entries: Entries) -> None:
        text = entries["facetable.json"].decode()
        assert old in text
        entries["facetable.json"] = text.replace(old, new).encode()

    return change


def without(name: str) -> Change:
    """Return a change that leaves an entry out."""

    def change(entries: Entries) -> None:
        del entries[name]

    return change


HEADERS = {
    "cut": "{'descr': '<f4', 'fortran_order': False, 'shape': (1",
    "open": "{'descr': '<f4', 'fortran_order': False, 'shape': ((((((",
    "deep": "{'descr': '<f4', 'fortran_order': False, 'shape': " + "(" * 4000 + ")" * 4000 + "}",
    "36 TiB": f"{{'descr': '<f4', 'fortran_order': False, 'shape': ({GIANT},), }}",
    "72 TiB": f"{{'descr': '<f8', 'fortran_order': False, 'shape': ({GIANT},), }}",
    "no length": f"{{'descr': '|S0', 'fortran_order': False, 'shape': ({GIANT},), }}",
    "void": f"{{'descr': '|V0', 'fortran_order': False, 'shape': ({GIANT},), }}",
    "objects": "{'descr': '|O', 'fortran_order': False, 'shape': (12,), }",
    "code": "{'descr': __import__('os'), 'fortran_order': False, 'shape': (12,), }",
    "negative": "{'descr': '<f4', 'fortran_order': False, 'shape': (-12,), }",
    "not closed": "{'descr': '<f4', 'fortran_order': False, 'shape': (12,), 'x': '''",
    "no rows, giant": f"{{'descr': '<f4', 'fortran_order': False, 'shape': (0, {GIANT}), }}",
}


def changes() -> Iterator[tuple[str, Change]]:
    """Yield changes of a head with a background model and a linear machine, none of which may be believed."""
    for what, text in HEADERS.items():
        for name in ("exemplars", "codes", "background_cohort", "background_record", "dual_coef"):
            yield f"{name} header {what}", array(name, described(text))
    for name in ("exemplars", "boxes", "levels", "background_mean", "dual_coef", "intercept", "background_means"):
        for value in (np.nan, np.inf) if name != "boxes" else (np.inf,):
            yield f"{name} {value}", values(name, 0, value)
    yield "codes below", values("codes", 0, -1)
    yield "codes beyond", values("codes", 0, 99)
    yield "support below", values("support", 0, -1)
    yield "support beyond", values("support", 0, 10**9)
    yield "n_support", values("n_support", 0, 10**9)
    yield "long exemplar", values("exemplars", 0, 1.0)
    yield "box half known", values("boxes", (0, 1), 5.0)
    yield "hash", array("image_sha256", npy(np.array([b"ab"] * 12)))
    yield "hash not ASCII", array("image_sha256", npy(np.array([b"\xff" * 64] * 12)))
    yield "path no text", array("paths", npy(np.array([b"\xff\xfe"] * 12)))
    for bad in ("", "   ", "unknown", " unknown ", "Ada\0", "A" * 100_000, None, 5, ["Ada"], "\ud800"):
        yield f"name {str(bad)[:10]!r}", field("identities", to=lambda names, bad=bad: [bad, *names[1:]])
    for bad in ([], {}, None, 7, "Ada", ["b", "a"], ["person 000"] * 4, ["person 000"] * 10_000):
        yield f"identities {str(bad)[:20]}", field("identities", to=bad)
    for bad in ("0.5", None, -2.5, -1e300, [0.5], True, {"a": 1}):
        yield f"threshold {bad}", field("threshold", "value", to=bad)
    for constant in ("NaN", "-Infinity", "Infinity", "1e999", "-1e999", "9" * 5000):
        yield f"threshold {constant[:9]}", text_of_description('"value": 0.5', f'"value": {constant}')
    for bad in (None, [], 5, "x", {"value": 0.5}):
        yield f"threshold record {bad}", field("threshold", to=bad)
    for bad in ({"n_exemplars": [1], "thresholds": [0.5]}, [], {"n_exemplars": "ab", "thresholds": [1, 2]}, 7):
        yield f"curve {bad}", field("threshold", "curve", to=bad)
    yield (
        "curve falls",
        field(
            *("threshold", "curve"),
            to={"n_exemplars": [30, 10], "thresholds": [0.1, 0.2], "score": "cosine", "measured_on": "x"},
        ),
    )
    yield "expected", field("threshold", "expected", to={"fpir": "x"})
    for bad in (5, [], "text", True, {"space": 5}, {"provenance": []}, {"space": None}):
        yield f"fingerprint {bad}", field("fingerprint", to=bad)
    for name, bad in (("embedding_length", 7), ("embedding_length", "8"), ("crop_size", -1), ("margin", 5)):
        yield f"space {name} {bad}", field("fingerprint", "space", name, to=bad)
    for name, bad in (
        ("versions", 5),
        ("versions", {"numpy": 5}),
        ("precision", 7),
        ("thresholds", {}),
        ("preset", []),
    ):
        yield f"provenance {name} {bad}", field("fingerprint", "provenance", name, to=bad)
    for name in ("head", "parameters", "chooser", "n_exemplars", "embedding_length", "score", "versions", "photo_root"):
        for bad in (None, [], 1.5, -1, {"a": {"b": [1]}}):
            yield f"{name} {bad}", field(name, to=bad)
    yield "giant counts", field("n_exemplars", to=10**18)
    yield "deep field", text_of_description('"photo_root": ""', '"photo_root": ' + "[" * 10_000 + "]" * 10_000)
    yield "deep description", lambda entries: entries.update({"facetable.json": b"[" * 10_000 + b"]" * 10_000})
    yield "deep object", lambda entries: entries.update({"facetable.json": b'{"a":' * 10_000})
    yield "key twice", text_of_description('"score": ', '"score": "cosine", "score": ')
    yield "no JSON", lambda entries: entries.update({"facetable.json": b"\xff\xfe"})
    yield "description larger than the head", field("photo_root", to="x" * 2_000_000)
    yield "deep background", array("background_record", npy(np.array("[" * 10_000 + "]" * 10_000)))
    for bad in ("5", "{}", "NaN", '{"temperature": "x"}'):
        yield f"background {bad}", array("background_record", npy(np.array(bad)))
    for name in ("exemplars", "codes", "paths", "boxes", "rejected", "levels", "background_means", "n_support"):
        yield f"without {name}", without(f"serving/{name}.npy")
    yield "without description", without("facetable.json")
