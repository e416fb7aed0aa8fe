"""Check the skops data of an estimator before skops reads it: a tree of objects, and the files they refer to."""

import io
from collections.abc import Iterator
from typing import Any

from foundation.errors import InputError
from foundation.head_files.archive import StoredArchive
from foundation.head_files.contents import check_array
from foundation.head_files.schema import mapping, parse_json, text

_SCHEMA_ENTRY = "schema.json"

# A forest of a thousand trees takes 16 MB, with no more than one list or mapping in forty bytes; parsed, either grows.
_MAX_SCHEMA_BYTES = 64 * 1024 * 1024
_BYTES_A_CONTAINER = 16
_FEW_CONTAINERS = 10_000

# What skops writes of every object, see `skops.io._audit.Node`.
_OBJECT_KEYS = ("__class__", "__module__", "__loader__")
_object = mapping(dict.fromkeys(_OBJECT_KEYS, text(r".+", longest=200)))

# An object that several refer to is described each time and loaded once; more than that repeats itself to be large.
_TIMES_THE_FILES = 4


def check_estimator(data: bytes, name: str) -> None:
    """Refuse skops data that is not whole, or that would take far more memory than it is long.

    It says nothing about trust: which types may be loaded, `classifiers.files.head_estimator` decides.

    Parameters
    ----------
    data : bytes
    name : str
        The entry it stands in, for messages.

    Raises
    ------
    InputError
        If it is no zip of uncompressed entries, an object in it lacks its module, class or loader, or a file is
        missing, of another length than it says, or no plain array.
    """
    try:
        archive = StoredArchive(io.BytesIO(data))
        referred, there = 0, sum(archive.sizes.values()) - archive.sizes.get(_SCHEMA_ENTRY, 0)
        for _, file in set(_files_of(_read_schema(archive))):
            referred += archive.sizes.get(file, 0)
            if referred > _TIMES_THE_FILES * there:
                raise InputError("its objects refer to the same files over and over")
            _check_file(archive, file)
    except InputError as error:
        raise InputError(f"its {name} is damaged: {error}") from error


def _read_schema(archive: StoredArchive) -> Any:
    size = archive.sizes.get(_SCHEMA_ENTRY, 0)
    if size > _MAX_SCHEMA_BYTES:
        raise InputError(f"its {_SCHEMA_ENTRY} of {size:,} bytes is too large")
    content = archive.read(_SCHEMA_ENTRY)
    if content.count(b"[") + content.count(b"{") > _FEW_CONTAINERS + size // _BYTES_A_CONTAINER:
        raise InputError(f"its {_SCHEMA_ENTRY} holds too many lists")
    schema = parse_json(content, _SCHEMA_ENTRY, unique=False)
    _object(schema, "estimator")
    return schema


def _files_of(schema: Any) -> Iterator[tuple[str, str]]:
    """Yield the number of each object that refers to a file, and the file, having checked the objects."""
    waiting = [schema]
    while waiting:
        item = waiting.pop()
        if isinstance(item, dict):
            if any(key in item for key in _OBJECT_KEYS):
                _object(item, "object")
                if "file" in item:
                    text(longest=200)(item["file"], "object's file")
                    yield str(item.get("__id__")), item["file"]
            waiting.extend(item.values())
        elif isinstance(item, list):
            waiting.extend(item)


def _check_file(archive: StoredArchive, file: str) -> None:
    if file.endswith(".npy"):
        check_array(archive, file, f"the array {file}")
    elif file.endswith(".npz"):
        raise InputError(f"its file {file} is compressed; expected arrays as they are")
    archive.read(file)
