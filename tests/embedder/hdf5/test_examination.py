import io
import os
from pathlib import Path

import h5py
import numpy as np
import pytest

from embedder.hdf5 import examination, isolation
from embedder.hdf5.checksum import append_checksum
from embedder.hdf5.examination import WRONG_CHECKSUM, Examination, examine, examine_all, read_outline


def make(path: Path, *, checksum: bool = False, **datasets: np.ndarray) -> Path:
    stream = io.BytesIO()
    with h5py.File(stream, "w") as file:
        file.attrs["format"], file.attrs["version"] = "something", 3
        for name, values in (datasets or {"numbers": np.arange(10.0)}).items():
            file[name] = values
    if checksum:
        append_checksum(stream)
    path.write_bytes(stream.getvalue())
    return path


@pytest.fixture
def isolated(monkeypatch: pytest.MonkeyPatch) -> list[list[Path]]:
    """Return the lists of files that are read by another process from now on."""
    calls: list[list[Path]] = []
    read = isolation.read_isolated
    monkeypatch.setattr(
        isolation, "read_isolated", lambda paths, **options: (calls.append([*paths]), read(paths, **options))[1]
    )
    monkeypatch.setattr(examination, "_known", {})
    return calls


def test_a_checksum_needs_no_other_process(tmp_path: Path, isolated: list[list[Path]]) -> None:
    path = make(tmp_path / "a.h5", checksum=True)
    assert examine(path) == Examination("", has_checksum=True)
    assert read_outline(path).members == ("numbers",)
    path.write_bytes(path.read_bytes().replace(b"numbers", b"nummers"))
    assert examine(path) == Examination(WRONG_CHECKSUM)
    assert read_outline(path).damage == WRONG_CHECKSUM
    assert isolated == []


def test_files_without_checksum_are_read_by_one_process(tmp_path: Path, isolated: list[list[Path]]) -> None:
    paths = [make(tmp_path / f"{i}.h5") for i in range(3)]
    paths[1].write_bytes(paths[1].read_bytes()[:-700])
    found = examine_all(paths)
    assert [found[path].damage != "" for path in paths] == [False, True, False] and isolated == [paths]
    assert not found[paths[0]].has_checksum


def test_what_is_known_is_not_examined_again_until_it_changes(
    tmp_path: Path, isolated: list[list[Path]], monkeypatch: pytest.MonkeyPatch
) -> None:
    path = make(tmp_path / "a.h5")
    monkeypatch.setattr(examination, "_RACY_NS", -(10**18))
    for _ in range(3):
        assert examine(path).damage == ""
    assert len(isolated) == 1
    make(path, numbers=np.arange(11.0))
    os.utime(path, ns=(5, 5))
    examine(path)
    assert len(isolated) == 2


def test_a_file_just_written_may_change_again_unseen(tmp_path: Path, isolated: list[list[Path]]) -> None:
    path = make(tmp_path / "a.h5")
    examine(path), examine(path)
    assert len(isolated) == 2


def test_a_missing_file_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        examine(tmp_path / "none.h5")
    with pytest.raises(FileNotFoundError):
        read_outline(tmp_path / "none.h5")


def test_outline(tmp_path: Path) -> None:
    outline = read_outline(make(tmp_path / "a.h5", b=np.zeros(3), a=np.zeros(2)))
    assert outline.damage == "" and outline.members == ("a", "b")
    assert outline.attributes["format"] == "something" and outline.attributes.keys() == {"format", "version"}


def test_looking_at_the_outline_forgets_no_checksum(tmp_path: Path, isolated: list[list[Path]], monkeypatch) -> None:
    monkeypatch.setattr(examination, "_RACY_NS", -(10**12))  # as if the file were old
    path = make(tmp_path / "a.h5", checksum=True)
    assert read_outline(path).damage == ""
    assert examine(path) == Examination("", has_checksum=True)
    assert isolated == []
