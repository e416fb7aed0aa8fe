import io

import numpy as np
import pytest

from foundation.errors import InputError
from foundation.head_files.array_header import parse_array_header
from tests.classifiers.files.hostile import HEADERS, described

ARRAYS = [
    np.zeros((2, 3), np.float32),
    np.zeros((3, 4), order="F"),
    np.zeros(0, np.int64),
    np.zeros((0, 512), ">f8"),
    np.array("abc"),
    np.array([b"ab", b"c"]),
    np.array([True]),
    np.zeros(3, [("left child", "<i8"), ("is leaf", "u1")]),
    np.zeros(2, np.dtype([("a", "u1"), ("b", "<f8")], align=True)),
    np.zeros((1,) * 9, np.complex64),
]


@pytest.mark.parametrize("version", [(1, 0), (2, 0), (3, 0)])
@pytest.mark.parametrize("array", ARRAYS)
def test_what_numpy_writes_is_read(array: np.ndarray, version: tuple[int, int]) -> None:
    stream = io.BytesIO()
    np.lib.format.write_array(stream, array, version)
    header = parse_array_header(stream.getvalue())
    assert header.shape == array.shape
    assert header.n_bytes == len(stream.getvalue())
    assert header.start == len(stream.getvalue()) - array.nbytes
    assert header.type == ("record" if array.dtype.fields else array.dtype.str[1:])


@pytest.mark.parametrize("name", sorted(set(HEADERS) - {"36 TiB", "72 TiB", "no rows, giant"}))
def test_what_numpy_does_not_write_is_not_evaluated(name: str) -> None:
    with pytest.raises(InputError):
        parse_array_header(described(HEADERS[name]))


def test_giants_are_what_they_say() -> None:
    assert parse_array_header(described(HEADERS["36 TiB"])).n_bytes > 36 * 2**40
    assert parse_array_header(described(HEADERS["72 TiB"])).n_bytes > 72 * 2**40


@pytest.mark.parametrize("length", range(0, 128, 9))
def test_a_cut_header_is_refused(length: int) -> None:
    stream = io.BytesIO()
    np.save(stream, np.zeros(3))
    with pytest.raises(InputError):
        parse_array_header(stream.getvalue()[:length])
