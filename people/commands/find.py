"""The command ``facetable find``."""

import argparse
import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Any

from foundation.command_line import EXIT_DONE, write_json
from foundation.errors import InputError
from foundation.paths import display_path
from foundation.text import sanitize_for_terminal

if TYPE_CHECKING:
    from people.store.queries import FoundPhoto
    from people.store.reader import PeopleReader


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of ``facetable find``."""
    parser.add_argument("workspace", type=Path, metavar="WORKSPACE", help="folder made by facetable init")
    wanted = parser.add_argument_group("which photos")
    for flag, text in (("--with", "somebody who is on it"), ("--without", "somebody who is not")):
        wanted.add_argument(flag, action="append", default=[], metavar="NAME", help=f"{text}; may be repeated")
    wanted.add_argument("--only", action="store_true", help="nobody else is on it")
    wanted.add_argument("--unnamed", action="store_true", help="somebody without a name is on it")
    wanted.add_argument("--strangers", action="store_true", help="somebody is on it who was said to be nobody's")
    wanted.add_argument("--from", dest="since", default="", metavar="DATE", help="taken on or after, such as 2019-06")
    wanted.add_argument("--to", dest="until", default="", metavar="DATE", help="taken on or before, such as 2019-08-31")
    results = parser.add_argument_group("what to do with them (default: print their paths)")
    results.add_argument("--copy", type=Path, metavar="DIR", help="copy them into a folder, with their sub-folders")
    results.add_argument("--link", type=Path, metavar="DIR", help="link to them from a folder, with their sub-folders")
    results.add_argument("--json", type=Path, metavar="FILE", help="write photos, faces and names as JSON")


def run(arguments: argparse.Namespace) -> int:
    """Find photos and print, copy or link them."""
    from people.store.queries import PhotoQuery
    from people.store.reader import PeopleReader
    from people.workspace.workspace import Workspace

    workspace = Workspace(arguments.workspace)
    with PeopleReader(workspace.store) as reader:
        query = PhotoQuery(
            with_people=tuple(reader.find_person(name).number for name in arguments.__dict__["with"]),
            without_people=tuple(reader.find_person(name).number for name in arguments.without),
            only=arguments.only,
            unnamed=arguments.unnamed,
            strangers=arguments.strangers,
            since=arguments.since,
            until=arguments.until,
        )
        photos = reader.find_photos(query)
        if arguments.json is not None:
            write_json(arguments.json, {"photos": _photos_as_json(reader, photos)})
    for photo in photos:
        print(sanitize_for_terminal(photo.path))
    roots = [Path(root) for root in workspace.settings.photos]
    for folder, is_link in ((arguments.copy, False), (arguments.link, True)):
        if folder is not None:
            _place(photos, roots, folder, is_link=is_link)
    return EXIT_DONE


def _photos_as_json(reader: "PeopleReader", photos: list["FoundPhoto"]) -> list[dict[str, Any]]:
    name_of = {person.number: person.name for person in reader.people()}
    return [
        {
            "path": photo.path,
            "taken": photo.taken or None,
            "faces": [
                {
                    "name": None if face.person is None else name_of[face.person],
                    "state": face.state,
                    "box": list(face.box),
                    "face_index": face.face_index,
                }
                for face in photo.faces
            ],
        }
        for photo in photos
    ]


def _place(photos: list["FoundPhoto"], roots: list[Path], folder: Path, *, is_link: bool) -> None:
    """Copy or link photos into `folder`; what is there already is never replaced."""
    for photo in photos:
        source = next((root / photo.path for root in roots if (root / photo.path).exists()), None)
        if source is None:
            raise InputError(f"{photo.path}: expected the photo, found nothing; scan the workspace again")
        target = folder / photo.path
        target.parent.mkdir(parents=True, exist_ok=True)
        if target.exists() or target.is_symlink():
            if not target.samefile(source) and target.stat().st_size != source.stat().st_size:
                raise InputError(
                    f"{display_path(target)}: expected nothing there, found another file; name another folder"
                )
        elif is_link:
            target.symlink_to(source.resolve())
        else:
            shutil.copy2(source, target)
