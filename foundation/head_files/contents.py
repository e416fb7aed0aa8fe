"""Open a head file: its description and the headers of its arrays, checked against each other and the file."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO

from foundation.errors import HeadFileError, InputError
from foundation.formats import ZIP_ARCHIVE, describe_kind
from foundation.head_files.archive import StoredArchive, first_entry_name
from foundation.head_files.array_header import MAX_HEADER_BYTES, ArrayHeader, parse_array_header
from foundation.head_files.arrays import array_entry, check_arrays, expected_arrays
from foundation.head_files.description import DESCRIPTION_ENTRY, check_description, check_version
from foundation.head_files.schema import parse_json

# A description names each person once; the vectors of one photo of each take more than their names.
_SMALL_DESCRIPTION = 1024 * 1024


class HeadContents:
    """Description and entries of a head file, checked by `open_head_file`.

    Attributes
    ----------
    record : dict
        Its ``facetable.json``.
    archive : StoredArchive
    """

    def __init__(self, record: dict[str, Any], archive: StoredArchive) -> None:
        self.record = record
        self.archive = archive

    @property
    def sizes(self) -> Mapping[str, int]:
        """Length in bytes of each entry, by name."""
        return self.archive.sizes

    def array_bytes(self, name: str) -> bytes:
        """Return an array of the head in NumPy's format, its header checked and its bytes those of its checksum.

        Raises
        ------
        InputError
            If they are not.
        KeyError
            If the head was written before there was such an array.
        """
        entry = array_entry(name)
        if entry not in self.sizes:
            raise KeyError(name)
        return self.archive.read(entry)

    def check_checksums(self) -> None:
        """Refuse a file with an entry whose bytes are not those its checksum was made of.

        Raises
        ------
        InputError
            If there is one.
        """
        for name in self.sizes:
            self.archive.read(name)


@contextmanager
def open_head_file(path: Path) -> Iterator[HeadContents]:
    """Open a head file whose description and array headers are sound; what the caller refuses names the file, too.

    Raises
    ------
    HeadFileError
        If the file is not a head, is damaged, or is of another version.
    OSError
        If it cannot be read.
    """
    with path.open("rb") as stream:
        try:
            yield _read_contents(StoredArchive(stream))
        except HeadFileError as error:
            raise type(error)(f"{path}: {error}") from error
        except (ValueError, OverflowError, MemoryError) as error:
            raise HeadFileError(f"{path}: {_explain(path, error)}") from error


def is_head_file(path: Path) -> bool:
    """Return whether a file is a head, whole or not, and no other archive.

    Raises
    ------
    OSError
        If it cannot be read.
    """
    with path.open("rb") as stream:
        return _is_head(stream)


def _is_head(stream: BinaryIO) -> bool:
    # What we write begins with the description; somebody else's program may have put the entries into another order.
    name = DESCRIPTION_ENTRY.encode()
    if first_entry_name(stream, len(name) + 1) == name:
        return True
    try:
        return DESCRIPTION_ENTRY in StoredArchive(stream).sizes
    except InputError:
        return False


def _read_contents(archive: StoredArchive) -> HeadContents:
    described = archive.sizes.get(DESCRIPTION_ENTRY, 0)
    if described > max(_SMALL_DESCRIPTION, archive.n_bytes - described):
        raise InputError(f"its description of {described:,} bytes is larger than all it describes")
    record = parse_json(archive.read(DESCRIPTION_ENTRY), DESCRIPTION_ENTRY)
    check_version(record)
    check_description(record)
    headers = {
        name: check_array(archive, array_entry(name), f"its array {name}")
        for name in expected_arrays(record, archive.sizes)
    }
    check_arrays(record, headers, n_bytes=archive.n_bytes)
    return HeadContents(record, archive)


def check_array(archive: StoredArchive, entry: str, name: str) -> ArrayHeader:
    """Return the header of an array in an archive.

    Raises
    ------
    InputError
        If it is none of numbers or text, or its data are longer or shorter than it says; `name` names it.
    """
    beginning = archive.read_start(entry, MAX_HEADER_BYTES)
    try:
        header = parse_array_header(beginning)
    except InputError as error:
        raise InputError(f"{name} is damaged or holds no plain numbers and text: {error}") from error
    if header.n_bytes != archive.sizes[entry]:
        raise InputError(f"{name} is damaged: {archive.sizes[entry]:,} bytes instead of {header.n_bytes:,}")
    return header


def _explain(path: Path, error: Exception) -> str:
    if not is_head_file(path):
        kind = describe_kind(path)
        found = "another zip archive, or a head that is cut short" if kind == ZIP_ARCHIVE else kind
        return f"expected a head made by facetable train, found {found}; name a head, or train one"
    found = " ".join(str(error).split()) or type(error).__name__
    return f"expected a whole head, found a damaged one ({found}); train it again"
