"""Files that are replaced in one step."""

import errno
import os

import pytest

from foundation.atomic import atomic_writer


def test_replaces_in_one_step(tmp_path):
    path = tmp_path / "a.csv"
    path.write_bytes(b"before")
    with atomic_writer(path) as stream:
        stream.write(b"after")
        assert path.read_bytes() == b"before"
    assert path.read_bytes() == b"after"
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EFBIG])
def test_a_full_disk_names_the_file_and_leaves_it(number, tmp_path):
    path = tmp_path / "a.csv"
    path.write_bytes(b"before")
    with pytest.raises(OSError, match="no room to write it") as raised, atomic_writer(path):
        raise OSError(number, os.strerror(number))  # as `write` does: without a file name
    assert (raised.value.errno, raised.value.filename) == (number, str(path))
    assert "free some space" in raised.value.strerror
    assert path.read_bytes() == b"before"
    assert list(tmp_path.iterdir()) == [path]


def test_any_other_error_is_raised_as_it_is(tmp_path):
    with pytest.raises(ValueError, match=r"^odd$"), atomic_writer(tmp_path / "a.csv"):
        raise ValueError("odd")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("folder", ["none", "file"])
def test_a_place_that_cannot_be_written_is_named_as_the_user_did(folder, tmp_path):
    (tmp_path / "file").touch()
    path = tmp_path / folder / "a.csv"
    with pytest.raises(OSError) as raised, atomic_writer(path):
        pass
    assert raised.value.filename == str(path)
    assert raised.value.strerror == os.strerror(errno.ENOENT if folder == "none" else errno.ENOTDIR)


def test_a_link_stays_a_link(tmp_path):
    (tmp_path / "a.csv").symlink_to("real.csv")
    (tmp_path / "real.csv").write_bytes(b"before")
    with atomic_writer(tmp_path / "a.csv") as stream:
        stream.write(b"after")
    assert (tmp_path / "a.csv").is_symlink()
    assert (tmp_path / "real.csv").read_bytes() == b"after"
