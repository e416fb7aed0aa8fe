import io
import re
import zlib
from pathlib import Path

import h5py
import numpy as np
import pytest

from embedder.hdf5.checksum import CHECKSUM_BYTES, Checksum, append_checksum, verify_checksum


@pytest.mark.parametrize("content", [b"", b"a", bytes(3_000_000)])
def test_the_checksum_is_the_crc_of_all_before_it(tmp_path: Path, content: bytes) -> None:
    stream = io.BytesIO(content)
    append_checksum(stream)
    (tmp_path / "f").write_bytes(stream.getvalue())
    line = stream.getvalue().removeprefix(content)
    assert len(line) == CHECKSUM_BYTES
    found = re.fullmatch(rb"\nfacetable checksum crc32 ([0-9a-f]{8}) of (\d{19}) bytes\n", line)
    assert found is not None and (int(found[1], 16), int(found[2])) == (zlib.crc32(content), len(content))
    assert verify_checksum(tmp_path / "f") is Checksum.RIGHT


def test_every_changed_byte_is_noticed(tmp_path: Path) -> None:
    stream = io.BytesIO(b"some content")
    append_checksum(stream)
    whole = stream.getvalue()
    for place in range(len(whole)):
        changed = bytearray(whole)
        changed[place] ^= 0x10
        (tmp_path / "f").write_bytes(changed)
        assert verify_checksum(tmp_path / "f") is not Checksum.RIGHT
    (tmp_path / "f").write_bytes(b"x" + whole)
    assert verify_checksum(tmp_path / "f") is Checksum.WRONG


@pytest.mark.parametrize("content", [b"", b"short", bytes(200)])
def test_a_file_without_one(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "f").write_bytes(content)
    assert verify_checksum(tmp_path / "f") is Checksum.MISSING


def test_hdf5_reads_a_file_with_checksum_and_changing_it_shows(tmp_path: Path) -> None:
    stream = io.BytesIO()
    with h5py.File(stream, "w") as file:
        file["numbers"] = np.arange(1000)
    append_checksum(stream)
    path = tmp_path / "f.h5"
    path.write_bytes(stream.getvalue())
    with h5py.File(path) as file:
        assert file["numbers"][7] == 7
    assert verify_checksum(path) is Checksum.RIGHT
    with h5py.File(path, "r+") as file:
        file["numbers"][7] = 8
    assert verify_checksum(path) is not Checksum.RIGHT
