"""The command ``facetable find``."""

import argparse
import logging
from pathlib import Path
from typing import TYPE_CHECKING

from foundation.command_line import EXIT_DONE, EXIT_SOME_INPUTS_FAILED, write_json
from foundation.errors import InputError
from foundation.formats import check_inputs, check_output
from foundation.paths import display_path
from foundation.text import join_words, pluralize, sanitize_for_terminal
from foundation.threads import add_device_argument

if TYPE_CHECKING:
    from embedder.tables.table import EmbeddingTable
    from people.search.like import LikeFaces
    from people.store.queries import FoundPhoto, PhotoQuery
    from people.store.reader import PeopleReader
    from people.workspace.workspace import Workspace

logger = logging.getLogger(__name__)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of ``facetable find``."""
    parser.add_argument("workspace", type=Path, metavar="WORKSPACE", help="folder made by facetable init")
    wanted = parser.add_argument_group("which photos: those that are all of this")
    for flag, text in (
        ("--with", "this person is on it"),
        ("--without", "this person is not on it"),
        ("--together-with", "this person is on it with somebody else who has a name"),
    ):
        wanted.add_argument(flag, action="append", default=[], metavar="NAME", help=f"{text}; may be repeated")
    wanted.add_argument("--only", action="store_true", help="nobody else is on it")
    wanted.add_argument("--unnamed", action="store_true", help="somebody without a name is on it")
    wanted.add_argument("--strangers", action="store_true", help="somebody is on it who was said to be nobody's")
    wanted.add_argument("--from", dest="since", default="", metavar="DATE", help="taken on or after, such as 2019-06")
    wanted.add_argument("--to", dest="until", default="", metavar="DATE", help="taken on or before, such as 2019-08-31")
    wanted.add_argument(
        "--like", type=Path, metavar="PHOTO", help="a face on it is like the one on PHOTO; the most alike first"
    )
    wanted.add_argument("--face", type=int, metavar="N", help="which face of PHOTO, from 0 (default: the main one)")
    results = parser.add_argument_group("what to do with them, beside printing their paths")
    results.add_argument("--copy", type=Path, metavar="DIR", help="copy them into a folder, with their sub-folders")
    results.add_argument("--link", type=Path, metavar="DIR", help="link to them from a folder, with their sub-folders")
    results.add_argument("--json", type=Path, metavar="FILE", help="write photos, faces and names as JSON")
    results.add_argument("--csv", type=Path, metavar="FILE", help="write one row a face")
    results.add_argument("--html", type=Path, metavar="FILE", help="write a page that shows the photos")
    add_device_argument(parser)


def run(arguments: argparse.Namespace) -> int:
    """Find photos and print, write, copy or link them."""
    if arguments.face is not None and arguments.like is None:
        raise InputError("--face says which face of --like PHOTO is meant, got no --like; name the photo")
    check_inputs(arguments.like)
    check_output(arguments.html, "--html", kind="page")
    from people.store.reader import PeopleReader
    from people.workspace.workspace import Workspace, table_at

    workspace = Workspace(arguments.workspace)
    table_at(workspace.folder)  # says so where there is none yet
    with PeopleReader(workspace.store) as reader:
        name_of = {person.number: person.name for person in reader.people()}
        photos, like, wanted = _find(reader, workspace, arguments)
    for photo in photos:
        seconds = ", ".join(f"{second:.1f} s" for second in photo.seconds_of(wanted))
        print(sanitize_for_terminal(photo.path + (f"  at {seconds}" if seconds else "")))
    _write_documents(workspace, arguments, photos, name_of, like)
    return _gather_all(workspace, arguments, [photo.path for photo in photos])


def _find(
    reader: "PeopleReader", workspace: "Workspace", arguments: argparse.Namespace
) -> "tuple[list[FoundPhoto], LikeFaces | None, PhotoQuery]":
    like = None if arguments.like is None else _look_for(arguments, workspace)
    wanted = _query(reader, arguments, None if like is None else tuple(like.similarities))
    photos = reader.find_photos(wanted)
    if like is not None:
        best = {photo.path: max(like.similarities.get(face.row, -2.0) for face in photo.faces) for photo in photos}
        photos.sort(key=lambda photo: (-best[photo.path], photo.path))
    return photos, like, wanted


def _query(reader: "PeopleReader", arguments: argparse.Namespace, rows: tuple[int, ...] | None) -> "PhotoQuery":
    from people.store.queries import PhotoQuery

    def numbers(names: list[str]) -> tuple[int, ...]:
        return tuple(reader.find_person(name).number for name in names)

    return PhotoQuery(
        with_people=numbers(vars(arguments)["with"]),
        without_people=numbers(arguments.without),
        accompanied=numbers(arguments.together_with),
        only=arguments.only,
        unnamed=arguments.unnamed,
        strangers=arguments.strangers,
        since=arguments.since,
        until=arguments.until,
        rows=rows,
    )


def _look_for(arguments: argparse.Namespace, workspace: "Workspace") -> "LikeFaces":
    from people.search.like import describe_asked, find_like, read_face

    table = _read_table(workspace)
    face = read_face(arguments.like, table, workspace.settings, number=arguments.face)
    logger.info("%s", sanitize_for_terminal(describe_asked(arguments.like, face)))
    return find_like(face, table)


def _write_documents(
    workspace: "Workspace",
    arguments: argparse.Namespace,
    photos: "list[FoundPhoto]",
    name_of: dict[int, str],
    like: "LikeFaces | None",
) -> None:
    from people.search.documents import photos_as_json, write_csv, write_sheet

    if arguments.json is not None:
        similarities = None if like is None else like.similarities
        write_json(arguments.json, {"photos": photos_as_json(photos, name_of, similarities)})
    if arguments.csv is not None:
        write_csv(arguments.csv, photos, name_of)
    if arguments.html is not None:
        write_sheet(arguments.html, photos, name_of, heading=_heading(arguments), table=_read_table(workspace))


def _read_table(workspace: "Workspace") -> "EmbeddingTable":
    from embedder.tables.table import EmbeddingTable

    return EmbeddingTable.read(workspace.table)


def _heading(arguments: argparse.Namespace) -> str:
    """Return what was asked for, in words."""
    said = [
        f"{word} {join_words(names)}"
        for word, names in (
            ("with", vars(arguments)["with"]),
            ("without", arguments.without),
            ("with somebody else and", arguments.together_with),
        )
        if names
    ]
    said += ["nobody else"] * arguments.only + ["somebody unnamed"] * arguments.unnamed
    said += ["strangers"] * arguments.strangers
    said += [f"{word} {date}" for word, date in (("from", arguments.since), ("to", arguments.until)) if date]
    said += [f"like {display_path(arguments.like)}"] if arguments.like is not None else []
    return ", ".join(said) or "all photos"


def _gather_all(workspace: "Workspace", arguments: argparse.Namespace, paths: list[str]) -> int:
    from people.search.gathering import gather

    roots = [Path(root) for root in workspace.photo_folders]
    code = EXIT_DONE
    for folder, as_links in ((arguments.copy, False), (arguments.link, True)):
        if folder is None:
            continue
        report = gather(paths, roots, folder, as_links=as_links)
        renamed = [f"{path} is {name} there" for path, name in report.placed.items() if path != name]
        told = [
            f"{display_path(folder)}: {pluralize(len(report.placed), 'photo')} {'linked' if as_links else 'copied'}"
            + (f", {report.n_there:,} there already" if report.n_there else ""),
            *renamed,
            *(f"failed: {reason}" for reason in report.failures.values()),
        ]
        for line in told:
            logger.info("%s", sanitize_for_terminal(line))
        code = EXIT_SOME_INPUTS_FAILED if report.failures else code
    return code
