import dataclasses
from collections.abc import Callable
from pathlib import Path

import h5py
import numpy as np
import pytest

from embedder.errors import TableError
from embedder.tables.file import TableFileReader, fingerprint_text, now
from embedder.tables.size import TableSize
from embedder.tables.table import EmbeddingTable
from foundation.fingerprint import Fingerprint
from tests.embedder.fakes import LENGTH, make_table
from tests.embedder.table_files import changed, seal


@pytest.fixture
def path(tmp_path: Path) -> Path:
    make_table().write(tmp_path / "t.h5")
    return tmp_path / "t.h5"


def test_file_is_as_documented(path: Path) -> None:
    with h5py.File(path) as file:
        assert {name: (file[name].shape, file[name].dtype.kind) for name in file if name != "images"} == {
            "embeddings": ((3, LENGTH), "f"),
            "identity": ((3,), "S"),
            "path": ((3,), "S"),
            "face_index": ((3,), "i"),
            "box": ((3, 4), "f"),
            "landmarks": ((3, 5, 2), "f"),
            "detection_score": ((3,), "f"),
            "image_sha256": ((3,), "S"),
            "origin": ((3,), "S"),
            "time_s": ((3,), "f"),
        }
        assert file["embeddings"].dtype == np.float32
        of_version_1 = {"path", "status", "message", "n_faces", "width", "height", "image_sha256", "size", "mtime_ns"}
        assert set(file["images"]) == of_version_1 | {"turned", "taken", "kind"}
        assert all(file["images"][name].shape == (3,) for name in file["images"])
        assert file["images"]["mtime_ns"].dtype == np.int64
        for dataset in (file["identity"], file["path"], file["image_sha256"], file["images/status"]):
            info = h5py.check_string_dtype(dataset.dtype)
            assert info is not None and info.encoding == "utf-8"
        assert file["origin"].asstr()[:].tolist() == ["detected"] * 3 and np.isnan(file["time_s"][:]).all()
        assert file["images/kind"].asstr()[:].tolist() == ["photo"] * 3 and not file["images/turned"][:].any()
        assert file["images/taken"].asstr()[:].tolist() == [""] * 3
        assert file["identity"].asstr()[:].tolist() == ["Zoë", "", "王小明"]
        assert dict(file.attrs) == {
            "format": "facetable",
            "version": 2,
            "photo_root": "/photos",
            "created": "2026-01-02T03:04:05.678901+00:00",
            "fingerprint": '{"provenance": {"detector": "fake"}, "space": {"embedding_length": 8}}',
        }


def test_reads_what_was_written(path: Path) -> None:
    with TableFileReader(path) as file:
        assert (file.n_rows, file.n_images, file.embedding_length) == (3, 3, LENGTH)
        assert file.header.fingerprint == {"space": {"embedding_length": 8}, "provenance": {"detector": "fake"}}
        assert file.rows(1, 3)["path"].tolist() == ["a/1.jpg", "a/1.jpg"]
        assert file.images()["status"].tolist() == ["ok", "ok", "no_face"]


def test_a_table_without_rows_is_a_table(tmp_path: Path) -> None:
    make_table([0]).write(tmp_path / "none.h5")
    with TableFileReader(tmp_path / "none.h5") as file:
        assert file.rows()["embeddings"].shape == (0, LENGTH) and file.rows()["path"].tolist() == []


def replace(file: h5py.Group, name: str, **dataset) -> None:
    del file[name]
    file.create_dataset(name, **dataset)


def elsewhere(path: Path) -> str:
    make_table().write(path.with_name("other.h5"))
    return "other.h5"


def link_outside(file: h5py.File) -> None:
    name = elsewhere(Path(file.filename))
    del file["embeddings"]
    file["embeddings"] = h5py.ExternalLink(name, "embeddings")


def link_group_outside(file: h5py.File) -> None:
    name = elsewhere(Path(file.filename))
    del file["images"]
    file["images"] = h5py.ExternalLink(name, "images")


def link_inside(file: h5py.File) -> None:
    del file["images/size"]
    file["images/size"] = h5py.SoftLink("/images/mtime_ns")


def keep_data_outside(file: h5py.File) -> None:
    raw = Path(file.filename).with_name("raw.bin")
    raw.write_bytes(bytes(3 * LENGTH * 4))
    replace(file, "embeddings", shape=(3, LENGTH), dtype="f4", external=[(str(raw), 0, 3 * LENGTH * 4)])


def make_virtual(file: h5py.File) -> None:
    layout = h5py.VirtualLayout((3, LENGTH), dtype="f4")
    layout[:] = h5py.VirtualSource(elsewhere(Path(file.filename)), "embeddings", shape=(3, LENGTH))
    del file["embeddings"]
    file.create_virtual_dataset("embeddings", layout)


def pickle_identities(file: h5py.File) -> None:
    replace(file, "identity", shape=(3,), dtype=h5py.vlen_dtype(np.uint8))


REFUSED: dict[str, tuple[Callable[[h5py.File], object], str]] = {
    "external link": (link_outside, "found a link at `embeddings`"),
    "external group": (link_group_outside, "`images`, found none or a link"),
    "soft link": (link_inside, "found a link at `size`"),
    "external storage": (keep_data_outside, "`embeddings` kept in another file"),
    "virtual dataset": (make_virtual, "`embeddings` kept in another file"),
    "object column": (pickle_identities, "expected UTF-8 text in `identity`, found objects"),
    "objects for numbers": (
        lambda file: replace(file, "box", data=[["a"] * 4] * 3, dtype=h5py.string_dtype()),
        "expected float32 in `box`, found objects",
    ),
    "numbers for text": (
        lambda file: replace(file, "path", data=[1, 2, 3]),
        "expected UTF-8 text in `path`, found int",
    ),
    "extra dataset": (lambda file: file.create_dataset("extra", data=[1]), "found `extra` too"),
    "missing dataset": (lambda file: file.pop("landmarks"), "dataset `landmarks`, found none"),
    "group for dataset": (lambda file: (file.pop("box"), file.create_group("box")), "dataset `box`, found none"),
    "missing group": (lambda file: file.pop("images"), "the group `images`, found none"),
    "dataset for group": (
        lambda file: (file.pop("images"), file.create_dataset("images", data=[1])),
        "the group `images`, found none",
    ),
    "other shape": (lambda file: replace(file, "box", data=np.zeros((3, 5), "f4")), r"shape \(n, 4\) of `box`"),
    "other dimensions": (lambda file: replace(file, "embeddings", data=np.zeros(3, "f4")), r"shape \(n, d\)"),
    "scalar": (lambda file: replace(file, "face_index", data=1), "of `face_index`"),
    "no data at all": (lambda file: replace(file, "face_index", data=h5py.Empty("i4")), "of `face_index`"),
    "other lengths": (lambda file: replace(file, "face_index", data=[0, 1]), "columns of one length"),
    "newer version": (lambda file: file.attrs.modify("version", 3), "version 1 to 2, found version 3"),
    "columns of another version": (lambda file: file.attrs.modify("version", 1), "found `origin` too"),
    "version in words": (lambda file: file.attrs.create("version", "one"), "found version one"),
    "no version": (lambda file: file.attrs.pop("version"), "found version None"),
    "other format": (lambda file: file.attrs.modify("format", "keras"), "HDF5 data of another kind"),
    "no fingerprint": (lambda file: file.attrs.pop("fingerprint"), "text in the attribute `fingerprint`"),
    "half a fingerprint": (lambda file: file.attrs.modify("fingerprint", '{"space": {}}'), "`space` and `provenance`"),
    "fingerprint no JSON": (lambda file: file.attrs.modify("fingerprint", "{"), "a whole table, found a damaged one"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_refuses_in_one_line(path: Path, case: str) -> None:
    damage, message = REFUSED[case]
    with changed(path) as file:
        damage(file)
    with pytest.raises(TableError, match=message) as raised:
        EmbeddingTable.read(path)
    assert "\n" not in str(raised.value) and str(path) in str(raised.value)


@pytest.mark.parametrize(
    ("n_bytes", "found"),
    [
        (10, "a damaged one"),
        (500, r"a damaged one \(it is cut short\); restore"),
        (2000, r"a damaged one \(it is cut short\)"),
    ],
)
def test_refuses_a_truncated_file(path: Path, n_bytes: int, found: str) -> None:
    path.write_bytes(path.read_bytes()[:n_bytes])
    with pytest.raises(TableError, match=f"{path}: expected a whole table, found {found}"):
        EmbeddingTable.read(path)


@pytest.mark.parametrize(
    ("content", "found"),
    [(b"", "an empty file"), (b"a diary", "text"), (b"\xff\xd8\xff\xe0", "a JPEG image"), (b"PK\x03\x04", "a zip")],
)
def test_refuses_a_file_of_another_kind_in_plain_words(path: Path, content: bytes, found: str) -> None:
    path.write_bytes(content)
    with pytest.raises(TableError, match=f"{path}: expected an embedding table, found {found}.*; name a table made by"):
        EmbeddingTable.read(path)


def test_refuses_text_that_is_not_utf8(path: Path) -> None:
    path.write_bytes(path.read_bytes().replace("Zoë".encode(), b"Zo\xff\xff"))
    seal(path)
    with pytest.raises(TableError, match=r"t\.h5: expected UTF-8 text in `identity`, found b'Zo\\xff\\xff' in row 0"):
        EmbeddingTable.read(path)


def test_missing_file_and_folder_are_named(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError) as raised:
        TableFileReader(tmp_path / "none.h5")
    assert raised.value.filename == str(tmp_path / "none.h5")
    with pytest.raises(IsADirectoryError):
        TableFileReader(tmp_path)


def test_integers_and_floats_of_other_width_are_converted(path: Path) -> None:
    with changed(path) as file:
        replace(file, "face_index", data=np.array([0, 0, 1], np.int64))
    assert EmbeddingTable.read(path).face_indices.dtype == np.int32


@pytest.mark.parametrize("n_faces", [[], [0], [1, 2, 0], [1] * 3000, [0] * 3000])
def test_size_bound_holds_and_is_near(tmp_path: Path, n_faces: list[int]) -> None:
    table = make_table(n_faces)
    table.write(tmp_path / "t.h5")
    bound = TableSize.of(table.columns(), table.images.columns()).file_bytes
    assert (tmp_path / "t.h5").stat().st_size <= bound <= 2 * (tmp_path / "t.h5").stat().st_size + 100_000


def test_fingerprint_text_does_not_depend_on_order() -> None:
    text = fingerprint_text(Fingerprint({"b": 1, "a": "é"}))
    assert text == fingerprint_text(Fingerprint({"a": "é", "b": 1}))
    assert text == '{"provenance": {}, "space": {"a": "é", "b": 1}}'
    with pytest.raises(ValueError, match="JSON"):
        fingerprint_text(Fingerprint({"a": float("nan")}))


def test_now_is_utc_and_sorts() -> None:
    first, second = now(), now()
    assert first.endswith("+00:00") and first <= second and len(first) == len("2026-01-02T03:04:05.678901+00:00")


def test_several_photo_folders_come_back(tmp_path: Path) -> None:
    dataclasses.replace(make_table(), more_roots=("/other", "/Zoë")).write(tmp_path / "t.h5")
    assert EmbeddingTable.read(tmp_path / "t.h5").more_roots == ("/other", "/Zoë")


@pytest.mark.parametrize("value", ["no list", '["/elsewhere", "/other"]', '["/photos", 1]', "[]", 7])
def test_photo_folders_that_make_no_sense_are_refused(path: Path, value: object) -> None:
    with changed(path) as file:
        file.attrs["photo_roots"] = value
    with pytest.raises(TableError, match="expected a list of folders that begins with `photo_root`"):
        EmbeddingTable.read(path)
