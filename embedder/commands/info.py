"""What a file is: a table, a head, a network's weights, or a training run's folder."""

import re
from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from embedder.errors import TableError
from embedder.hdf5.examination import Outline, read_outline
from foundation.errors import HeadFileError, InputError
from foundation.formats import describe_kind, hash_file
from foundation.head_files.contents import is_head_file, open_head_file

_HDF5_SIGNATURE = b"\x89HDF\r\n\x1a\n"
_ZIP_SIGNATURE = b"PK\x03\x04"
_HDF5_SUFFIXES = (".h5", ".hdf5")
_FIRST_BYTES = {
    ".keras": rb"PK\x03\x04",
    ".onnx": rb"\x08[\x01-\x7f]",  # ModelProto: its first field is the version of the format
    ".pb": rb"\n[^\n]",  # GraphDef: its first field is a node, of more than 10 bytes
    ".tflite": rb".{4}TFL3",  # the identifier of its flatbuffers
    ".safetensors": rb".{5}\0{3}",  # the length of its header, a 64-bit number
}
_RECORD_SUFFIX = ".json"
_WEIGHTS_SUFFIXES = (*_HDF5_SUFFIXES, *_FIRST_BYTES)
ITEMS_SHOWN = 10
_KIND = "kind"
_FOUND_OUT = ("verification_threshold", "expected")
"""What only a measurement gives; elsewhere None is a setting."""


def describe_file(path: str | Path) -> dict[str, Any]:
    """Return what a file holds, ready for JSON.

    Parameters
    ----------
    path : path
        A table, a head, a weights file, the record of a preset, the folder of a training run, or a table's folder of
        part files.

    Returns
    -------
    dict
        ``kind`` is ``table``, ``head``, ``weights``, ``preset``, or as `embedder.commands.info_folders.describe_folder`
        says; the other keys depend on it.

    Raises
    ------
    TableError
        If the file or folder is none of these, damaged, or a head or table of another version.
    WeightsError
        If the record of a training run or preset is damaged.
    OSError
        If it is missing or may not be read.
    """
    file = Path(path)
    if file.is_dir():
        from embedder.commands.info_folders import describe_folder

        return describe_folder(file)
    with file.open("rb") as stream:
        signature = stream.read(len(_HDF5_SIGNATURE))
    is_hdf5 = signature == _HDF5_SIGNATURE
    outline = read_outline(file) if is_hdf5 else Outline()
    if outline.damage:
        from embedder.tables.file import damaged_error

        raise damaged_error(file, outline.damage)
    if is_hdf5 and _is_table(outline):
        return _describe_table(file)
    if signature.startswith(_ZIP_SIGNATURE) and is_head_file(file):
        return _describe_head(file)
    if _is_weights(file, signature, outline):
        return _describe_weights(file)
    if file.suffix.lower() == _RECORD_SUFFIX:
        from dataclasses import asdict

        from embedder.networks.joined import find_preset

        return {_KIND: "preset", "file": str(file), **asdict(find_preset(file))}
    found = "HDF5 data of another kind" if is_hdf5 else describe_kind(file)
    raise TableError(
        f"{file}: expected a table, a head, a weights file ({', '.join(_WEIGHTS_SUFFIXES)}) or a training "
        f"run's folder, found {found}; name one of these"
    )


def renew_checksum(path: str | Path) -> None:
    """Check all of a table that another program changed on purpose, and write it anew with a checksum that fits.

    Raises
    ------
    TableError
        If it is no table, or holds what no table may hold; the file stays as it is.
    OSError
        If it cannot be read or written.
    """
    from embedder.tables.table import EmbeddingTable

    EmbeddingTable.read(path, is_changed=True).write(path)


def info_lines(description: Mapping[str, Any], *, top: int = ITEMS_SHOWN) -> list[str]:
    """Return a description as lines for people, lists cut to the first `top` items.

    Raises
    ------
    ValueError
        If `top` is negative.
    """
    if top < 0:
        raise InputError(f"`top` must be at least 0, got {top}")
    return list(_lines(description, top, indent=""))


def _is_table(outline: Outline) -> bool:
    """Return whether an HDF5 file is a table; weights are kept in HDF5 too."""
    return "format" in outline.attributes or "embeddings" in outline.members


def _describe_table(file: Path) -> dict[str, Any]:
    import numpy as np

    from embedder.images.photo import FAILED_STATUSES
    from embedder.tables.file import TableFileReader
    from embedder.tables.table import EmbeddingTable

    table = EmbeddingTable.read(file)
    with TableFileReader(file) as content:
        version = content.version
    times = sorted(time for time in table.images.taken.tolist() if time)
    named = Counter(identity for identity in table.identities.tolist() if identity)
    statuses = Counter(table.images.status.tolist())
    ledger = zip(table.images.path, table.images.status, table.images.message, strict=True)
    failures = [f"{path}: {status}: {message}" for path, status, message in ledger if status in FAILED_STATUSES]
    return {
        _KIND: "table",
        "file": str(file),
        "bytes": file.stat().st_size,
        "version": version,
        "created": table.created,
        "photo_root": table.photo_root,
        "faces": len(table),
        "embedding_length": table.embeddings.shape[1],
        "faces_by_origin": dict(Counter(table.origins.tolist()).most_common()),
        "faces_without_identity": len(table) - named.total(),
        "identities": len(named),
        "faces_by_identity": dict(sorted(named.items(), key=lambda item: (-item[1], item[0]))),
        "photos": len(table.images),
        "photos_by_status": dict(statuses.most_common()),
        "photos_by_kind": dict(Counter(table.images.kind.tolist()).most_common()),
        "photos_turned": int(np.count_nonzero(table.images.turned)),
        "photos_with_time": len(times),
        "taken": f"{times[0]} to {times[-1]}" if times else "",
        "failures": failures,
        "fingerprint": table.fingerprint.to_json(),
    }


def _describe_head(file: Path) -> dict[str, Any]:
    try:
        with open_head_file(file) as contents:
            contents.check_checksums()
            record, entries = contents.record, dict(contents.sizes)
    except HeadFileError as error:
        raise TableError(str(error)) from error
    return {_KIND: "head", "file": str(file), "bytes": file.stat().st_size, **record, "entries": entries}


def _is_weights(file: Path, signature: bytes, outline: Outline) -> bool:
    """Return whether a file begins as the weights do that its suffix promises; of HDF5, whether it holds weights."""
    suffix = file.suffix.lower()
    if suffix in _HDF5_SUFFIXES:
        # Whole models, weights alone and what is named *.weights.h5.
        return not {"model_weights", "layers"}.isdisjoint(outline.members) or "layer_names" in outline.attributes
    return suffix in _FIRST_BYTES and re.match(_FIRST_BYTES[suffix], signature, re.DOTALL) is not None


def _describe_weights(file: Path) -> dict[str, Any]:
    from dataclasses import asdict

    from embedder.networks.presets import PRESETS

    sha256 = hash_file(file)
    preset = next((preset for preset in PRESETS.values() if preset.weights_sha256 == sha256), None)
    return {
        _KIND: "weights",
        "file": str(file),
        "bytes": file.stat().st_size,
        "sha256": sha256,
        "preset": "none of the built-in ones" if preset is None else asdict(preset),
    }


def _lines(description: Mapping[str, Any], top: int, *, indent: str) -> Iterator[str]:
    for name, value in description.items():
        if isinstance(value, Mapping):
            n_shown = top if _is_tally(value) else len(value)
            yield f"{indent}{name}:" if value else f"{indent}{name}: none"
            yield from _lines(dict(list(value.items())[:n_shown]), top, indent=indent + "  ")
            if len(value) > n_shown:
                yield f"{indent}  ... and {len(value) - n_shown:,} more"
        elif isinstance(value, list):
            shown = ", ".join(str(item) for item in value[:top])
            rest = f" ... and {len(value) - top:,} more" if len(value) > top else ""
            yield f"{indent}{name}: {shown}{rest}" if value else f"{indent}{name}: none"
        elif value is None:
            yield f"{indent}{name}: {'not known' if name in _FOUND_OUT else 'none'}"
        elif value != "":
            is_count = isinstance(value, int) and not isinstance(value, bool)
            yield f"{indent}{name}: {value:,}" if is_count else f"{indent}{name}: {value}"


def _is_tally(value: Mapping[str, Any]) -> bool:
    # A list of people is cut short; a record of settings is shown whole.
    return all(isinstance(item, int) for item in value.values())
