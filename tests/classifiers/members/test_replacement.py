"""The head that is to be replaced is read under its lock."""

import filelock
import pytest

from classifiers.errors import HeadFileError
from classifiers.files.head_file import save_head
from classifiers.members.replacement import head_to_replace
from tests.classifiers.members.test_editing import trained


def test_the_head_before_is_read_and_nobody_changes_it(tmp_path):
    path = tmp_path / "h.skops"
    save_head(trained(), path)
    for fresh, labels in ((False, trained().labels), (True, None)):
        with head_to_replace(path, fresh=fresh) as previous:
            assert (None if previous is None else previous.labels) == labels
            with pytest.raises(filelock.Timeout):
                filelock.FileLock(tmp_path / ".h.skops.lock", timeout=0).acquire()
    assert [file.name for file in tmp_path.iterdir()] == ["h.skops"]


def test_nothing_there(tmp_path):
    (tmp_path / "empty.skops").touch()
    for name in ("absent.skops", "empty.skops"):
        with head_to_replace(tmp_path / name) as previous:
            assert previous is None


def test_a_damaged_head_is_not_replaced_in_silence(tmp_path):
    path = tmp_path / "h.skops"
    save_head(trained(), path)
    content = path.read_bytes()
    path.write_bytes(content.replace(b"facetable-head", b"facetable-hat!"))
    with pytest.raises(HeadFileError, match=r"h\.skops: .*, or give --fresh: what was enrolled .* is then dropped$"):
        head_to_replace(path).__enter__()
    with head_to_replace(path, fresh=True) as previous:
        assert previous is None


def test_a_file_of_another_kind_is_refused_before_anything_else(tmp_path):
    (tmp_path / "faces.h5").write_bytes(b"\x89HDF\r\n\x1a\n")
    with pytest.raises(HeadFileError, match=r"faces\.h5: expected a head or nothing here to replace"):
        head_to_replace(tmp_path / "faces.h5").__enter__()
