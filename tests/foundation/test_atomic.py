import errno
import os
import subprocess
import sys
from pathlib import Path

import h5py
import pytest

from foundation import atomic as durable
from foundation.atomic import write_atomically
from tests.embedder.fakes import names


def test_writes_the_whole_file(tmp_path: Path) -> None:
    write_atomically(tmp_path / "a", lambda stream: stream.write(b"new"))
    assert (tmp_path / "a").read_bytes() == b"new"
    assert names(tmp_path) == ["a"]


@pytest.mark.parametrize("reserve", [0, 100_000])
def test_failure_leaves_the_old_file_and_nothing_else(tmp_path: Path, reserve: int) -> None:
    (tmp_path / "a").write_bytes(b"old")

    def fail(stream):
        stream.write(b"half")
        raise RuntimeError("stop")

    with pytest.raises(RuntimeError, match="stop"):
        write_atomically(tmp_path / "a", fail, reserve=reserve)
    assert (tmp_path / "a").read_bytes() == b"old"
    assert names(tmp_path) == ["a"]


def test_unfinished_file_lives_in_the_temporary_folder(tmp_path: Path) -> None:
    (tmp_path / "parts").mkdir()
    seen = []
    write_atomically(
        tmp_path / "a",
        lambda stream: seen.append([*names(tmp_path), *names(tmp_path / "parts")]),
        temporary_folder=tmp_path / "parts",
    )
    assert len(seen[0]) == 2 and seen[0][1].endswith(".tmp")
    assert sorted(names(tmp_path)) == ["a", "parts"] and not names(tmp_path / "parts")


def test_reserved_space_is_taken_first_and_given_back(tmp_path: Path) -> None:
    sizes = []

    def fill(stream):
        sizes.append([path.stat().st_size for path in tmp_path.iterdir()])
        with h5py.File(stream, "w") as file:
            file["x"] = [1.5, 2.5]

    write_atomically(tmp_path / "a", fill, reserve=1_000_000)
    assert sizes == [[1_000_000]]
    assert (tmp_path / "a").stat().st_size < 10_000
    with h5py.File(tmp_path / "a") as file:
        assert file["x"][:].tolist() == [1.5, 2.5]


def test_reserves_by_free_space_where_files_cannot_be(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(os, "posix_fallocate")
    monkeypatch.setattr(durable.shutil, "disk_usage", lambda folder: type("Usage", (), {"free": 10}))
    write_atomically(tmp_path / "a", lambda stream: stream.write(b"new"), reserve=10)
    with pytest.raises(OSError) as raised:
        write_atomically(tmp_path / "b", lambda stream: stream.write(b"new"), reserve=11)
    assert raised.value.errno == errno.ENOSPC and raised.value.filename == str(tmp_path / "b")


def test_other_errors_stay_what_they_are(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        write_atomically(tmp_path / "missing" / "a", lambda stream: stream.write(b"new"))


@pytest.mark.skipif(os.name != "posix", reason="file-size limits are POSIX")
@pytest.mark.parametrize("reserve", [0, 100_000])
def test_no_room_is_one_sentence_and_the_old_file_stays(tmp_path: Path, reserve: int) -> None:
    (tmp_path / "a").write_bytes(b"old")
    program = (
        "import resource, sys; from pathlib import Path; from foundation.atomic import write_atomically\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (50_000, 50_000))\n"
        "reserve = int(sys.argv[2])\n"
        "try: write_atomically(Path(sys.argv[1]), lambda stream: stream.write(bytes(100_000)), reserve=reserve)\n"
        "except OSError as error: print(error.errno, error.filename, error.strerror)"
    )
    run = subprocess.run(
        [sys.executable, "-c", program, str(tmp_path / "a"), str(reserve)], capture_output=True, text=True, check=True
    )
    assert run.stdout.startswith(f"{errno.EFBIG} {tmp_path / 'a'} no room to write it")
    assert (tmp_path / "a").read_bytes() == b"old" and names(tmp_path) == ["a"]


@pytest.mark.parametrize("folder", ["none", "file"])
def test_a_place_that_cannot_be_written_is_named_as_the_user_did(tmp_path: Path, folder: str) -> None:
    (tmp_path / "file").touch()
    path = tmp_path / folder / "t.h5"
    with pytest.raises(OSError) as raised:
        write_atomically(path, lambda stream: None)
    assert raised.value.filename == str(path)
    assert raised.value.strerror == os.strerror(errno.ENOENT if folder == "none" else errno.ENOTDIR)


@pytest.mark.skipif(os.name != "posix", reason="file modes are POSIX")
def test_a_private_file_is_its_owners_alone_and_one_that_was_shared_stays_shared(tmp_path: Path) -> None:
    old_mask = os.umask(0o022)
    try:
        modes = []

        def fill(stream):
            modes.extend(path.stat().st_mode & 0o777 for path in tmp_path.iterdir() if path.name.endswith(".tmp"))
            stream.write(b"new")

        for name, is_private in (("private", True), ("plain", False)):
            write_atomically(tmp_path / name, fill, is_private=is_private)
        assert [(tmp_path / name).stat().st_mode & 0o777 for name in ("private", "plain")] == [0o600, 0o644]
        assert modes == [0o600, 0o644]  # nor can anybody read it while it is written
        (tmp_path / "private").chmod(0o640)
        write_atomically(tmp_path / "private", fill, reserve=100, is_private=True)
        assert (tmp_path / "private").stat().st_mode & 0o777 == 0o640
        assert (tmp_path / "private").read_bytes() == b"new"
    finally:
        os.umask(old_mask)
