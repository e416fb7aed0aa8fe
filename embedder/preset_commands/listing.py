"""The command ``facetable preset list``: which networks there are, what they cost and what they are worth."""

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from foundation.command_line import EXIT_DONE, Command, write_json
from foundation.threads import add_device_argument

if TYPE_CHECKING:
    from embedder.choosing.listing import PresetEntry


def _add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "presets",
        nargs="*",
        metavar="PRESET",
        help="presets of your own to list too: records (.json), folders of training runs, names joined by +",
    )
    parser.add_argument("--no-speed", action="store_true", help="do not measure speed, which takes two seconds each")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the list as JSON")
    add_device_argument(parser)


def _run(arguments: argparse.Namespace) -> int:
    from embedder.choosing.listing import known_presets, list_presets

    names = list(dict.fromkeys([*known_presets(), *arguments.presets]))
    entries = list_presets(names, with_speed=not arguments.no_speed)
    print("\n".join(line for entry in entries for line in _lines(entry)))
    if arguments.json is not None:
        write_json(arguments.json, [entry.to_json() for entry in entries])
    return EXIT_DONE


def _lines(entry: "PresetEntry") -> list[str]:
    size = "" if entry.megabytes is None else f", {entry.megabytes:.0f} MB"
    speed = "" if entry.faces_per_second is None else f", {entry.faces_per_second:.0f} faces a second here"
    lines = [
        entry.name + (" (default)" if entry.is_default else ""),
        f"  {entry.embedding_length} numbers a face{size}{speed}",
        f"  accuracy: {entry.accuracy}",
        f"  licence: {entry.licence}",
    ]
    return [*lines, f"  not here: {entry.missing}"] if entry.missing else lines


LIST = Command("list", "Show networks: size, speed on this machine, accuracy, licence.", _add_arguments, _run)
