"""The command ``python -m classifiers audit``."""

import argparse
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from foundation.errors import InputError
from foundation.text import pluralize

if TYPE_CHECKING:
    from classifiers.members.audit import Finding

_HDF5_MAGIC = b"\x89HDF\r\n\x1a\n"
_ZIP_MAGIC = b"PK\x03\x04"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of ``python -m classifiers audit``."""
    parser.add_argument(
        "paths",
        type=Path,
        nargs="*",
        metavar="PATH",
        help="tables and heads, or folders of them, read with all their sub-folders",
    )
    wanted = parser.add_mutually_exclusive_group(required=True)
    wanted.add_argument("--name", metavar="NAME", help="who is looked for, exactly as written")
    wanted.add_argument(
        "--labels", type=Path, metavar="TABLE", help="list the twenty faces of TABLE whose names are most suspicious"
    )
    parser.add_argument("--json", type=Path, metavar="FILE", help="write what was found as JSON")


def run(arguments: argparse.Namespace) -> int:
    """Say which tables and heads still hold a person, or which names of a table are suspicious."""
    if arguments.labels is not None:
        return _run_labels(arguments)
    if not arguments.paths:
        raise InputError("expected tables, heads or folders of them, got none; name some, such as .")
    from classifiers.members.editing import check_name
    from embedder.images.photo import failure_reason
    from foundation.command_line import EXIT_DONE, EXIT_SOME_INPUTS_FAILED, write_json
    from foundation.paths import display_path

    name = check_name(arguments.name)
    held: dict[str, list[Finding]] = {}
    failures: dict[str, str] = {}
    n_files = 0
    for path in _files(arguments.paths):
        shown = display_path(path)
        try:
            findings = _audit_file(path, name)
        except (OSError, ValueError) as error:
            failures[shown] = f"{shown}: {failure_reason(error, path)}" if isinstance(error, OSError) else str(error)
            print(f"not checked: {failures[shown]}", file=sys.stderr)
            continue
        n_files += 1
        if findings:
            held[shown] = findings
            print(f"{shown}: holds {name}: {', '.join(map(_describe, findings))}")
    print(
        f"tables and heads that hold {name}: {len(held):,} of {n_files:,}"
        + (f"; not checked: {pluralize(len(failures), 'file')}" if failures else "")
    )
    if arguments.json is not None:
        write_json(
            arguments.json,
            {
                "name": name,
                "n_files": n_files,
                "held": bool(held),
                "files": {path: [one._asdict() for one in findings] for path, findings in held.items()},
                "not_checked": failures,
            },
        )
    return EXIT_SOME_INPUTS_FAILED if failures else EXIT_DONE


def _run_labels(arguments: argparse.Namespace) -> int:
    from dataclasses import asdict

    from classifiers.scores.gallery import Gallery
    from classifiers.scores.matcher import Matcher
    from classifiers.scores.normalization import choose_background
    from classifiers.training.suspicious_labels import suspicious_labels
    from embedder.tables.table import EmbeddingTable
    from foundation.command_line import EXIT_DONE, write_json

    if arguments.paths:
        raise InputError(
            f"expected --labels TABLE alone, found {arguments.paths[0]} as well; audit one table at a time"
        )
    table = EmbeddingTable.read(arguments.labels)
    gallery = Gallery.build(
        table.embeddings, table.identities, paths=table.paths, image_sha256=table.image_sha256, boxes=table.boxes
    )
    found = suspicious_labels(Matcher(gallery, choose_background(table.fingerprint)), progress=True)
    people = pluralize(len(gallery.labels), "person", "people")
    if not found:
        print(f"{arguments.labels}: {people} with names; labels are compared between people, of whom it takes two")
    else:
        print(
            f"{arguments.labels}: {pluralize(len(gallery), 'face')} of {people}; the {len(found)} most suspicious "
            "names, the worst first (few or none of them need be wrong):"
        )
    for label in found:
        print(f"{label.suspicion:+.2f}  {label}")
    if arguments.json is not None:
        write_json(arguments.json, {"table": str(arguments.labels), "labels": [asdict(label) for label in found]})
    return EXIT_DONE


def _describe(finding: "Finding") -> str:
    example = f" (such as {finding.example})" if finding.example else ""
    return f"{finding.kind}: {finding.n_found}{example}"


def _files(paths: list[Path]) -> Iterator[Path]:
    """Yield the files that are named, and in folders those that are tables or heads, damaged ones included."""
    for path in paths:
        if path.is_dir():
            yield from (file for file in sorted(path.rglob("*")) if file.is_file() and _may_be_ours(file))
        else:
            path.open("rb").close()
            yield path


def _may_be_ours(path: Path) -> bool:
    """Return whether a file is a table or a head, or may be one that is damaged or not to be read."""
    import zipfile

    from embedder.hdf5.examination import read_outline

    try:
        start = _start(path)
        if start == _HDF5_MAGIC:
            outline = read_outline(path)
            return bool(outline.damage) or outline.attributes.get("format") == "facetable"
        if start.startswith(_ZIP_MAGIC):
            with zipfile.ZipFile(path) as archive:
                return "facetable.json" in archive.namelist()
    except (OSError, zipfile.BadZipFile):
        return True
    return False


def _start(path: Path) -> bytes:
    with path.open("rb") as file:
        return file.read(len(_HDF5_MAGIC))


def _audit_file(path: Path, name: str) -> "list[Finding]":
    from classifiers.members.audit import audit_head, audit_table
    from foundation.formats import describe_kind

    start = _start(path)
    if start == _HDF5_MAGIC:
        from embedder.tables.table import EmbeddingTable

        return audit_table(EmbeddingTable.read(path), name)
    if not start.startswith(_ZIP_MAGIC):
        raise InputError(f"{path}: expected a table or a head, found {describe_kind(path)}; name one of these")
    from classifiers.files.head_file import load_head

    return audit_head(load_head(path), name)
