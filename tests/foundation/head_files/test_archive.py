import io
import zipfile

import pytest

from foundation.errors import InputError
from foundation.head_files.archive import StoredArchive, first_entry_name


def make_zip(**entries: bytes) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        for name, content in entries.items():
            archive.writestr(name, content)
    return stream.getvalue()


def test_entries_are_read() -> None:
    archive = StoredArchive(io.BytesIO(make_zip(a=b"abc", b=b"")))
    assert archive.sizes == {"a": 3, "b": 0}
    assert (archive.read("a"), archive.read("b"), archive.read_start("a", 2)) == (b"abc", b"", b"ab")
    for read in (archive.read, lambda name: archive.read_start(name, 1)):
        with pytest.raises(InputError, match="it lacks 'c'"):
            read("c")


def test_an_archive_with_64_bit_sizes_is_read() -> None:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive, archive.open("a", "w", force_zip64=True) as entry:
        entry.write(b"abc")
    assert StoredArchive(io.BytesIO(stream.getvalue())).read("a") == b"abc"


def test_a_directory_with_64_bit_sizes_is_read_and_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(zipfile, "ZIP_FILECOUNT_LIMIT", 0)
    content = bytearray(make_zip(a=b"abc"))
    assert StoredArchive(io.BytesIO(content)).read("a") == b"abc"
    place = content.index(b"PK\x06\x06") + 40
    content[place : place + 8] = (2**40).to_bytes(8, "little")
    with pytest.raises(InputError, match="its directory of 1,099,511,627,776 bytes is too large"):
        StoredArchive(io.BytesIO(content))


@pytest.mark.parametrize("length", [0, 1, 21, 60])
def test_what_is_cut_has_no_directory(length: int) -> None:
    with pytest.raises(InputError, match="no directory at its end"):
        StoredArchive(io.BytesIO(make_zip(a=b"abc")[:length]))


def test_a_changed_byte_is_found_when_the_entry_is_read() -> None:
    content = make_zip(a=b"abc")
    with pytest.raises(InputError, match="CRC"):
        StoredArchive(io.BytesIO(content.replace(b"abc", b"abd"))).read("a")


def test_the_first_entry() -> None:
    assert first_entry_name(io.BytesIO(make_zip(first=b"", second=b"")), 9) == b"first"
    assert first_entry_name(io.BytesIO(make_zip(first=b"")), 3) == b"fir"
    assert first_entry_name(io.BytesIO(b"PK\x03\x04"), 9) == first_entry_name(io.BytesIO(), 9) == b""
