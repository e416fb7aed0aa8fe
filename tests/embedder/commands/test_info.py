import hashlib
import json
import zipfile
from dataclasses import replace
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest

from classifiers import OpenSetClassifier, load_head, save_head
from embedder.commands.info import describe_file, info_lines
from embedder.commands.main import main
from embedder.errors import TableError, WeightsError
from embedder.networks.presets import PRESETS
from embedder.tables.table import EmbeddingTable
from foundation.errors import HeadFileError
from tests.classifiers.people import make_people
from tests.embedder.fakes import make_table
from tests.embedder.small_networks import write_network, write_record
from tests.embedder.table_files import write_version_1


def test_table(tmp_path: Path) -> None:
    make_table([1, 2, 0, 1]).write(tmp_path / "t.h5")
    description = describe_file(str(tmp_path / "t.h5"))
    assert description["kind"] == "table" and description["file"] == str(tmp_path / "t.h5")
    assert (description["faces"], description["photos"], description["embedding_length"]) == (4, 4, 8)
    assert description["faces_by_identity"] == {"Zoë": 2, "王小明": 1} and description["faces_without_identity"] == 1
    assert description["photos_by_status"] == {"ok": 3, "no_face": 1} and description["failures"] == []
    assert description["fingerprint"]["provenance"] == {"detector": "fake"}
    lines = info_lines(description)
    assert "faces: 4" in lines and "  Zoë: 2" in lines and "failures: none" in lines and "    detector: fake" in lines
    assert lines[lines.index("faces_by_identity:") + 1 :][:2] == ["  Zoë: 2", "  王小明: 1"]
    assert json.loads(json.dumps(description)) == description


def test_a_table_says_its_version_and_what_its_newer_columns_hold(tmp_path: Path) -> None:
    table = make_table([1, 2, 0])
    times = np.array(["2024-05-31T18:30:00", "", "2019-01-01T00:00:00+01:00"], object)
    images = replace(table.images, taken=times, turned=np.array([0, 90, 0]), kind=np.array(["photo", "photo", "video"]))
    replace(table, images=images, origins=np.array(["detected", "drawn", "drawn"])).write(tmp_path / "t.h5")
    lines = info_lines(describe_file(tmp_path / "t.h5"))
    assert {"version: 2", "faces_by_origin:", "  drawn: 2", "photos_turned: 1", "photos_with_time: 2"} <= set(lines)
    assert {"photos_by_kind:", "  video: 1", "taken: 2019-01-01T00:00:00+01:00 to 2024-05-31T18:30:00"} <= set(lines)
    write_version_1(tmp_path / "old.h5", table)
    assert "version: 1" in info_lines(describe_file(tmp_path / "old.h5"))


def test_a_table_changed_on_purpose_gets_a_new_checksum(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "t.h5"
    make_table().write(path)
    with h5py.File(path, "r+") as file:
        file["identity"][1] = b"Ada"
    assert main(["info", str(path)]) == 2
    error = capsys.readouterr().err
    assert error.count("\n") == 1 and f"`facetable info {path} --renew-checksum`" in error
    assert main(["info", str(path), "--renew-checksum"]) == 0 and "  Ada: 1" in capsys.readouterr().out
    assert EmbeddingTable.read(path).identities.tolist() == ["Zoë", "Ada", "王小明"]


def test_a_changed_table_that_breaks_a_rule_gets_none(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "t.h5"
    make_table().write(path)
    with h5py.File(path, "r+") as file:
        file["face_index"][1] = -5
    content = path.read_bytes()
    assert main(["info", str(path), "--renew-checksum"]) == 2
    assert "expected 0 or more in `face_index`, found -5" in capsys.readouterr().err and path.read_bytes() == content


FAULTY_TABLES = (
    "table-that-hangs.h5",
    "table-that-hangs-too.h5",
    "table-that-swells.h5",
    "table-that-asks-for-too-much.h5",
    "table-with-boxes-not-finite.h5",
    "table-with-negative-face-index.h5",
    "table-with-scores-not-finite.h5",
)


@pytest.mark.realdata
@pytest.mark.timeout(60)
@pytest.mark.parametrize("name", FAULTY_TABLES)
def test_damaged_tables_are_refused_in_one_line(data: Path, name: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["info", str(data / "faults" / name)]) == 2
    error = capsys.readouterr().err
    assert error.count("\n") == 1 and name in error and "expected" in error and "found" in error


def test_long_lists_are_cut_but_settings_are_not() -> None:
    description = {
        "people": {f"p{i}": i for i in range(1500)},
        "settings": {f"s{i}": "x" for i in range(20)},
        "labels": [f"l{i}" for i in range(12)],
        "empty": {},
        "is_new": True,
        "nothing": None,
    }
    lines = info_lines(description, top=2)
    assert lines[:4] == ["people:", "  p0: 0", "  p1: 1", "  ... and 1,498 more"]
    assert len([line for line in lines if line.startswith("  s")]) == 20
    assert lines[-4:] == ["labels: l0, l1 ... and 10 more", "empty: none", "is_new: True", "nothing: none"]
    assert info_lines({"licence": "", "verification_threshold": None}) == ["verification_threshold: not known"]
    assert info_lines({"people": {"a": 1}}, top=0) == ["people:", "  ... and 1 more"]
    with pytest.raises(ValueError, match="`top` must be at least 0, got -1"):
        info_lines({}, top=-1)


def write_head(path: Path) -> Path:
    people = make_people(2, 3, length=8)
    save_head(OpenSetClassifier("svm", 0.5).fit(people.vectors, people.identities).head_, path)
    return path


def with_description(head: Path, description: Any) -> Path:
    """Change what a head says of itself: fields of it, or all of it."""
    with zipfile.ZipFile(head) as archive:
        entries = {name: archive.read(name) for name in archive.namelist()}
    if isinstance(description, dict):
        description = json.dumps({**json.loads(entries["facetable.json"]), **description})
    with zipfile.ZipFile(head, "w") as archive:
        for name, content in {**entries, "facetable.json": description}.items():
            archive.writestr(name, content)
    return head


def test_head(tmp_path: Path) -> None:
    description = describe_file(write_head(tmp_path / "family.skops"))
    assert description["kind"] == "head" and description["head"] == "svm"
    assert description["identities"] == ["person 000", "person 001"]
    assert description["entries"]["serving/exemplars.npy"] == 128 + 6 * 8 * 4
    assert "identities: person 000, person 001" in info_lines(description)


@pytest.mark.parametrize("description", ["no json", "[1]", b"\xff", {"n_exemplars": 7}, {"fingerprint": 5}])
def test_a_damaged_head_gets_the_line_it_gets_everywhere(tmp_path: Path, description: Any) -> None:
    head = with_description(write_head(tmp_path / "h.skops"), description)
    with pytest.raises(TableError) as raised:
        describe_file(head)
    with pytest.raises(HeadFileError) as loaded:
        load_head(head)
    assert str(raised.value) == str(loaded.value)
    assert str(raised.value).startswith(f"{head}: expected a whole head, found a damaged one (")


@pytest.mark.parametrize(
    ("changes", "found"),
    [
        ({"version": 99}, "facetable-head 99"),
        ({"version": None}, "facetable-head None"),
        ({"format": "other"}, "other 1"),
    ],
)
def test_head_of_another_version(tmp_path: Path, changes: dict[str, Any], found: str) -> None:
    head = with_description(write_head(tmp_path / "h.skops"), changes)
    with pytest.raises(TableError, match=rf"h\.skops: expected a head file of version 1, got {found}; train it again"):
        describe_file(head)


def test_truncated_head(tmp_path: Path) -> None:
    head = write_head(tmp_path / "h.skops")
    head.write_bytes(head.read_bytes()[:40])
    with pytest.raises(TableError, match="expected a table, a head, a weights file"):
        describe_file(head)


def test_weights(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "w.pb").write_bytes(b"\n\x10weights")
    sha256 = hashlib.sha256(b"\n\x10weights").hexdigest()
    assert describe_file(tmp_path / "w.pb") == {
        "kind": "weights",
        "file": str(tmp_path / "w.pb"),
        "bytes": 9,
        "sha256": sha256,
        "preset": "none of the built-in ones",
    }
    name, preset = next(iter(PRESETS.items()))
    monkeypatch.setitem(PRESETS, name, type(preset)(**{**preset.__dict__, "weights_sha256": sha256}))
    assert describe_file(tmp_path / "w.pb")["preset"]["name"] == name


@pytest.mark.parametrize("group", ["model_weights", "layers"])
def test_keras_weights_are_hdf5_but_no_table(tmp_path: Path, group: str) -> None:
    with h5py.File(tmp_path / "w.h5", "w") as file:
        file[f"{group}/layer/kernel"] = np.zeros(3)
    assert describe_file(tmp_path / "w.h5")["kind"] == "weights"


def test_keras_weights_alone(tmp_path: Path) -> None:
    with h5py.File(tmp_path / "w.h5", "w") as file:
        file.attrs["layer_names"] = [b"layer"]
    assert describe_file(tmp_path / "w.h5")["kind"] == "weights"


def test_other_hdf5_is_not_called_weights(tmp_path: Path) -> None:
    with h5py.File(tmp_path / "measurements.h5", "w") as file:
        file["temperature"] = np.zeros(3)
    with pytest.raises(TableError, match=r"measurements\.h5: expected a table, .* found HDF5 data of another kind"):
        describe_file(tmp_path / "measurements.h5")


@pytest.mark.parametrize(
    ("name", "content", "is_weights"),
    [
        ("w.onnx", b"\x08\x08\x12\x07", True),
        ("w.onnx", b"hello", False),
        ("w.pb", b"notes", False),
        ("w.safetensors", b"\x60\x08" + bytes(6) + b"{}", True),
        ("w.safetensors", b"a long text", False),
        ("w.keras", b"PK\x03\x04", True),
        ("w.keras", b"", False),
    ],
)
def test_weights_begin_as_their_suffix_says(tmp_path: Path, name: str, content: bytes, is_weights: bool) -> None:
    (tmp_path / name).write_bytes(content)
    if is_weights:
        assert describe_file(tmp_path / name)["kind"] == "weights"
    else:
        with pytest.raises(TableError, match=r"found (text|an empty file|other data .*); name one of these"):
            describe_file(tmp_path / name)


def test_a_damaged_table_is_named_as_such(tmp_path: Path) -> None:
    make_table().write(tmp_path / "t.h5")
    (tmp_path / "t.h5").write_bytes((tmp_path / "t.h5").read_bytes()[:1000])
    with pytest.raises(TableError, match="expected a whole table, found a damaged one"):
        describe_file(tmp_path / "t.h5")


@pytest.mark.parametrize("name", ["empty.h5", "notes.txt"])
def test_anything_else_is_refused(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_bytes(b"")
    with pytest.raises(TableError, match=f"{name}: expected a table, a head, a weights file"):
        describe_file(tmp_path / name)


def test_missing_file_and_folder(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        describe_file(tmp_path / "none.h5")
    with pytest.raises(TableError, match=r"expected the folder of a training run .* or a table's \.parts folder"):
        describe_file(tmp_path)


def test_the_record_of_a_preset_and_a_network_of_others(tmp_path):
    record = write_record(write_network(tmp_path / "net.onnx"), licence="CC0")
    description = describe_file(record)
    assert (description["kind"], description["name"], description["licence"]) == ("preset", "small", "CC0")
    (tmp_path / "net.tflite").write_bytes(b"\x1c\0\0\0TFL3 and so on")
    assert describe_file(tmp_path / "net.tflite")["kind"] == "weights"
    record.write_text("{}")
    with pytest.raises(WeightsError, match=r"net\.json: `name` must be a word, got None; correct the record"):
        describe_file(record)
