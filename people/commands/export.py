"""The command ``facetable export``."""

import argparse
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from foundation.command_line import EXIT_DONE, EXIT_SOME_INPUTS_FAILED, write_json
from foundation.errors import InputError
from foundation.formats import check_inputs
from foundation.paths import display_path
from foundation.text import pluralize
from people.commands.listing import sanitize_lines

if TYPE_CHECKING:
    from embedder.tables.table import EmbeddingTable


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of ``facetable export``."""
    parser.add_argument(
        "source",
        type=Path,
        metavar="WORKSPACE|TABLE",
        help="folder made by facetable init; for files also an embedding table, or a Parquet file written from one",
    )
    files = parser.add_argument_group("files of all faces, with the names that were decided")
    files.add_argument("--parquet", type=Path, metavar="FILE", help="with vectors, for databases (extra `export`)")
    files.add_argument("--table", type=Path, metavar="FILE", help="with vectors, an embedding table, such as faces.h5")
    files.add_argument("--csv", type=Path, metavar="FILE", help="without vectors, for spreadsheets")
    files.add_argument("--coco", type=Path, metavar="FILE", help="boxes, landmarks, people as COCO-style JSON")
    _add_sidecar_arguments(parser.add_argument_group("names for other programs, of a workspace alone"))
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the report as JSON")


def _add_sidecar_arguments(parser: "argparse._ArgumentGroup") -> None:
    parser.add_argument(
        "--xmp",
        action="store_true",
        help="sidecars, such as party.jpg.xmp beside party.jpg, with a region for each named face",
    )
    parser.add_argument(
        "--embed",
        action="store_true",
        help="with --xmp: into the photos themselves, by exiftool; their picture stays the same to the byte, and they "
        "stay known here",
    )
    parser.add_argument("--to", type=Path, metavar="DIR", help="write sidecars below DIR instead of beside the photos")
    parser.add_argument("--suggested", action="store_true", help="also names nobody has confirmed")
    parser.add_argument("--person-in-image", action="store_true", help="also names as Iptc4xmpExt:PersonInImage")
    parser.add_argument("--subject", action="store_true", help="also names as keywords, dc:subject")
    parser.add_argument("--tags-list", action="store_true", help="also names as digiKam:TagsList, People/NAME")
    parser.add_argument("--dry-run", action="store_true", help="only say which sidecars would be written")


def run(arguments: argparse.Namespace) -> int:
    """Write what is asked for and report."""
    wanted = {flag: getattr(arguments, flag) for flag in ("parquet", "table", "csv", "coco")}
    if not arguments.xmp and not any(wanted.values()):
        raise InputError("expected --xmp, --parquet, --table, --csv or --coco, got none; say what is to be written")
    if arguments.embed and (not arguments.xmp or arguments.to is not None):
        raise InputError("--embed writes into photos with --xmp, and not below --to; leave out one of them")
    result: dict[str, Any] = {}
    if any(wanted.values()):
        result |= _write_files(arguments.source, {flag: file for flag, file in wanted.items() if file is not None})
    code = EXIT_DONE
    if arguments.xmp:
        report, code = _write_sidecars(arguments)
        result |= report
    if arguments.json is not None:
        write_json(arguments.json, result)
    return code


def _write_files(source: Path, files: dict[str, Path]) -> dict[str, Any]:
    from embedder.exchange.coco import to_coco
    from embedder.exchange.csv_file import write_csv
    from embedder.exchange.parquet import write_parquet

    for flag, file in files.items():
        if file.exists() and (file.is_dir() or file.resolve() == source.resolve()):
            raise InputError(
                f"{display_path(file)}: expected a file to write for --{flag}, found what is read; give another name"
            )
    table = _read_source(source)
    if "table" in files:
        _check_table_to_replace(files["table"])
    write: dict[str, Callable[[Path, EmbeddingTable], None]] = {
        "parquet": write_parquet,
        "table": lambda file, faces: faces.write(file),
        "csv": write_csv,
        "coco": lambda file, faces: write_json(file, to_coco(faces)),
    }
    for flag, file in files.items():
        write[flag](file, table)
        print(sanitize_lines([f"{display_path(file)}: {pluralize(len(table), 'face')}"]))
    n_named = int((table.identities != "").sum())
    return {"n_faces": len(table), "n_named": n_named, "files": {flag: display_path(f) for flag, f in files.items()}}


def _read_source(source: Path) -> "EmbeddingTable":
    """Return the table of a workspace with the names that were decided, or that in a file."""
    from embedder.exchange.parquet import MAGIC, read_parquet
    from embedder.tables.table import EmbeddingTable
    from people.workspace.table_rows import read_names
    from people.workspace.workspace import Workspace, is_workspace, table_at

    if not is_workspace(source):
        check_inputs(source)
        if source.is_file() and _begins_with(source, MAGIC):
            return read_parquet(source)
        return EmbeddingTable.read(source)
    from people.store.reader import PeopleReader

    table = EmbeddingTable.read(table_at(source))
    with PeopleReader(Workspace(source).store) as reader:
        return replace(table, identities=read_names(reader, len(table))[0])


def _begins_with(file: Path, magic: bytes) -> bool:
    with file.open("rb") as stream:
        return stream.read(len(magic)) == magic


def _check_table_to_replace(file: Path) -> None:
    """Refuse to write a table over anything but a table."""
    if file.is_file() and file.stat().st_size:
        from embedder.tables.table import EmbeddingTable

        EmbeddingTable.read(file)


def _write_sidecars(arguments: argparse.Namespace) -> tuple[dict[str, Any], int]:
    from people.sidecars.embedding import find_exiftool
    from people.sidecars.export import ExportSettings, export_sidecars
    from people.sidecars.schema import PERSON_IN_IMAGE, SUBJECT, TAGS_LIST
    from people.store.reader import PeopleReader
    from people.store.store import PeopleStore
    from people.workspace.workspace import Workspace

    workspace = Workspace(arguments.source)
    flags = {
        PERSON_IN_IMAGE: arguments.person_in_image,
        SUBJECT: arguments.subject,
        TAGS_LIST: arguments.tags_list,
    }
    settings = ExportSettings(
        to=arguments.to,
        suggested=arguments.suggested,
        lists=tuple(name for name, is_wanted in flags.items() if is_wanted),
        is_trial=arguments.dry_run,
        into_photos=arguments.embed,
    )
    if arguments.embed:
        find_exiftool()
    open_store = PeopleStore if arguments.embed else PeopleReader
    with open_store(workspace.store) as reader:
        report = export_sidecars(workspace, reader, settings)
    noun = "photo" if arguments.embed else "sidecar"
    would = "would be " if arguments.dry_run else ""
    lines = [
        f"{pluralize(len(report.written), noun)} {would}written, {report.n_unchanged:,} said it already; "
        f"{pluralize(report.n_regions, 'named face')} in them"
    ]
    if report.removed:
        gone = "whose names were taken out" if arguments.embed else "that nothing is in any more"
        lines.append(f"{pluralize(len(report.removed), noun)} {gone}{'' if arguments.embed else f' {would}removed'}")
    lines += [f"failed: {reason}" for reason in report.failures.values()]
    print(sanitize_lines(lines))
    result = {
        "written": report.written,
        "removed": report.removed,
        "n_unchanged": report.n_unchanged,
        "n_regions": report.n_regions,
        "failed": [{"path": path, "message": reason} for path, reason in report.failures.items()],
    }
    return result, EXIT_SOME_INPUTS_FAILED if report.failures else EXIT_DONE
