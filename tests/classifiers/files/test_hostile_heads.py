"""Heads that claim what they do not hold: each is refused in one line that names it, at once and in little memory."""

import io
import json
import re
import resource
import time
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from PIL import Image
from sklearn.naive_bayes import GaussianNB

from classifiers import OpenSetClassifier
from classifiers.errors import HeadFileError, ThresholdError
from classifiers.files.head_file import load_head, save_head
from tests.classifiers.files.hostile import HEADERS, Change, changes, described, field, read_entries, write_entries
from tests.classifiers.people import make_background, make_people

PEOPLE = make_people(4, 3, length=8)
FINGERPRINT = {"space": {"weights_sha256": "0" * 64, "embedding_length": 8}, "provenance": {"precision": "fp32"}}

CHANGES = dict(changes())


def make_head(path: Path, estimator: object = "svm") -> Path:
    classifier = OpenSetClassifier(estimator, 0.5, background=make_background(length=8))
    save_head(classifier.fit(PEOPLE.vectors, PEOPLE.identities, fingerprint=FINGERPRINT).head_, path)
    return path


@pytest.fixture(scope="module")
def good(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_head(tmp_path_factory.mktemp("good") / "good.skops")


@pytest.fixture(scope="module")
def fitted(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_head(tmp_path_factory.mktemp("fitted") / "fitted.skops", GaussianNB())


@pytest.fixture(autouse=True)
def _little_memory() -> Iterator[None]:
    """Let what asks for terabytes fail whatever the system would promise."""
    before = resource.getrlimit(resource.RLIMIT_AS)
    used = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_AS, (used + 2**30, before[1]))
    yield
    resource.setrlimit(resource.RLIMIT_AS, before)


def refusal(path: Path) -> str:
    """Return the line a head is refused with, which must come at once and name the file."""
    began = time.process_time()
    with pytest.raises(HeadFileError) as raised:
        load_head(path)
    assert time.process_time() - began < 2
    assert str(raised.value).startswith(f"{path}: expected a")
    assert "\n" not in str(raised.value) and len(str(raised.value)) < 500
    return str(raised.value)


@pytest.mark.parametrize("what", CHANGES)
def test_what_cannot_be_is_refused(what: str, good: Path, tmp_path: Path) -> None:
    entries = read_entries(good)
    CHANGES[what](entries)
    refusal(write_entries(tmp_path / "h.skops", entries))


@pytest.mark.parametrize(
    ("change", "found"),
    [
        (
            field("threshold", "value", to="0.5"),
            "threshold's value must be a finite number of at least -2, got '0.5'",
        ),
        (field("fingerprint", to=5), "its fingerprint must be a mapping, got 5"),
        (field("identities", to=lambda names: ["", *names[1:]]), "must be names of 1 to 1,000 characters, got ''"),
        (
            field("identities", to=lambda names: [*names[:3], "unknown"]),
            "'unknown', which is what a stranger is called",
        ),
        (CHANGES["threshold -Infinity"], "facetable.json holds the number -Infinity"),
        (CHANGES["deep description"], "facetable.json is nested too deep"),
        (CHANGES["exemplars header cut"], "its array exemplars is damaged"),
        (
            CHANGES["exemplars header 36 TiB"],
            "its array exemplars is damaged: [0-9]+ bytes instead of 40,000,000,000,0",
        ),
    ],
)
def test_the_line_says_what_is_wrong(change: Change, found: str, good: Path, tmp_path: Path) -> None:
    entries = read_entries(good)
    change(entries)
    line = refusal(write_entries(tmp_path / "h.skops", entries))
    assert re.search(found, line), line


def test_the_good_head_itself_is_read(good: Path, fitted: Path) -> None:
    for path in (good, fitted):
        assert load_head(path).labels == sorted(set(PEOPLE.identities.tolist()))


# --- the zip ---


def test_an_entry_twice_is_refused(good: Path, tmp_path: Path) -> None:
    path = write_entries(tmp_path / "h.skops", read_entries(good))
    with pytest.warns(UserWarning, match="Duplicate"), zipfile.ZipFile(path, "a") as archive:
        archive.writestr("serving/codes.npy", b"")
    assert "two of its entries have one name" in refusal(path)


@pytest.mark.parametrize(
    ("magic", "shift"), [(b"PK\x01\x02", 16), (b"PK\x03\x04", 0), (b"PK\x01\x02", 0), (b"PK\x05\x06", 0)]
)
def test_a_wrong_checksum_or_magic_is_refused(magic: bytes, shift: int, good: Path, tmp_path: Path) -> None:
    content = bytearray(good.read_bytes())
    place = content.index(magic, 1) if magic != b"PK\x05\x06" else content.rindex(magic)
    content[place + shift] ^= 0x55
    (tmp_path / "h.skops").write_bytes(content)
    refusal(tmp_path / "h.skops")


def test_overlapping_entries_are_refused(good: Path, tmp_path: Path) -> None:
    content = bytearray(good.read_bytes())
    second = content.index(b"PK\x01\x02", content.index(b"PK\x01\x02") + 4)
    content[second + 42 : second + 46] = (0).to_bytes(4, "little")
    (tmp_path / "h.skops").write_bytes(content)
    assert "overlaps another one" in refusal(tmp_path / "h.skops")


def test_a_directory_larger_than_any_heads_is_refused(good: Path, tmp_path: Path) -> None:
    content = bytearray(good.read_bytes())
    content[-10:-6] = (0xFFFFFFF0).to_bytes(4, "little")
    (tmp_path / "h.skops").write_bytes(content)
    assert "its directory of 4,294,967,280 bytes is too large" in refusal(tmp_path / "h.skops")


def test_a_bomb_is_refused(good: Path, tmp_path: Path) -> None:
    entries = read_entries(good)
    with zipfile.ZipFile(tmp_path / "h.skops", "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in entries.items():
            archive.writestr(name, content + bytes(2_000_000))
    assert "its entries are compressed" in refusal(tmp_path / "h.skops")


# --- the fitted estimator ---


def inside(fitted: Path, path: Path, change: Change) -> Path:
    """Write a head whose skops data are changed: `change` takes its entries."""
    entries = read_entries(fitted)
    with zipfile.ZipFile(io.BytesIO(entries["fitted.skops"])) as archive:
        inner = {name: archive.read(name) for name in archive.namelist()}
    change(inner)
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        for name, content in inner.items():
            archive.writestr(name, content)
    return write_entries(path, entries | {"fitted.skops": stream.getvalue()})


def schema(change: Callable[[Any], Any]) -> Change:
    """Return a change of ``schema.json``; `change` alters its record, or returns another."""

    def changed(inner: dict[str, bytes]) -> None:
        record = json.loads(inner["schema.json"])
        record = change(record) or record
        inner["schema.json"] = json.dumps(record).encode()

    return changed


def replaced_arrays(header: str) -> Change:
    return lambda inner: inner.update({name: described(header) for name in inner if name.endswith(".npy")})


def repeated(record: Any) -> None:
    array = {"__class__": "ndarray", "__module__": "numpy", "__loader__": "NdArrayNode", "type": "numpy"}
    attributes = record["content"]["content"]
    file = next(value["file"] for value in attributes.values() if "file" in value)
    attributes |= {f"x{i}": {**array, "file": file, "__id__": i} for i in range(1000)}


INSIDE = {
    "no module": schema(lambda record: record.pop("__module__") and None),
    "no class": schema(lambda record: record.pop("__class__") and None),
    "loader is a number": schema(lambda record: record.update({"__loader__": 5})),
    "loader unknown": schema(lambda record: record.update({"__loader__": "NoNode"})),
    "module within": schema(lambda record: record["content"].pop("__module__") and None),
    "a list": schema(lambda record: [1]),
    "empty": schema(lambda record: {"__class__": "A", "__module__": "b", "__loader__": "ObjectNode"}),
    "content is text": schema(lambda record: record.update({"content": "text"})),
    "protocol": schema(lambda record: record.update({"protocol": "x"})),
    "deep": lambda inner: inner.update({"schema.json": b"[" * 10_000 + b"]" * 10_000}),
    "no schema": lambda inner: inner.pop("schema.json"),
    "no arrays": lambda inner: [inner.pop(name) for name in list(inner) if name.endswith(".npy")],
    "36 TiB": replaced_arrays(HEADERS["36 TiB"]),
    "objects": replaced_arrays(HEADERS["objects"]),
    "cut": replaced_arrays(HEADERS["cut"]),
    "one file over and over": schema(repeated),
}


@pytest.mark.parametrize("what", INSIDE)
def test_skops_data_that_cannot_be_is_refused(what: str, fitted: Path, tmp_path: Path) -> None:
    line = refusal(inside(fitted, tmp_path / "h.skops", INSIDE[what]))
    assert "its fitted.skops is damaged: " in line


def test_skops_data_that_is_no_zip_is_refused(fitted: Path, tmp_path: Path) -> None:
    entries = read_entries(fitted) | {"fitted.skops": b"never"}
    assert "its fitted.skops is damaged: it has no directory" in refusal(write_entries(tmp_path / "h.skops", entries))


# --- the same everywhere ---


@pytest.mark.parametrize("threshold", [float("nan"), float("-inf"), float("inf"), -2.5])
def test_no_head_is_made_that_would_be_refused(threshold: float) -> None:
    with pytest.raises(ThresholdError, match="`threshold` must be a finite number of at least -2, got"):
        OpenSetClassifier("gallery", threshold).fit(PEOPLE.vectors, PEOPLE.identities)


def test_a_head_that_could_not_be_read_is_not_written(tmp_path: Path) -> None:
    head = OpenSetClassifier("gallery", 0.5).fit(PEOPLE.vectors, PEOPLE.identities).head_
    head.photo_root = "x" * 200_000
    with pytest.raises(
        HeadFileError, match=r"h\.skops: expected a head that can be loaded again, got one that cannot: "
    ):
        save_head(head, tmp_path / "h.skops")
    assert not (tmp_path / "h.skops").exists()


def test_every_command_says_the_same(good: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    import recognize
    from classifiers.commands.main import main as classifiers_main
    from embedder.commands.main import main as embedder_main

    entries = read_entries(good)
    field("fingerprint", to=[])(entries)
    head = str(write_entries(tmp_path / "h.skops", entries))
    (tmp_path / "photos").mkdir()
    photo = tmp_path / "photos" / "a.png"
    Image.new("RGB", (40, 40)).save(photo)
    runs = [
        lambda: recognize.main([str(photo), "--head", head]),
        lambda: embedder_main(["info", head]),
        lambda: classifiers_main(["enrol", head, str(photo), "--name", "Ada"]),
        lambda: classifiers_main(["forget", head, "--name", "Ada"]),
        lambda: classifiers_main(["explain", head, str(photo)]),
        lambda: classifiers_main(["reject", head, str(photo), "--name", "Ada"]),
        lambda: classifiers_main(["audit", head, "--name", "Ada"]),
    ]
    for run in runs:
        code = run()
        said = capfd.readouterr().err
        assert f"{head}: expected a whole head, found a damaged one (its fingerprint must be a mapping" in said, said
        assert code in (1, 2, 3)  # 3: audit found the name in what it could read, and said that it could not read all


@pytest.mark.realdata
def test_the_heads_that_were_once_accepted_are_refused(data: Path) -> None:
    files = sorted((data / "faults").glob("head-*.skops"))
    assert len(files) >= 7
    for path in files:
        refusal(path)
