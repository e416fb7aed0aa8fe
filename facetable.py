"""One command for everything: ``facetable embed``, ``facetable train``, ``facetable recognize`` ...; see its help."""

import argparse
import dataclasses
import sys
from collections.abc import Sequence
from functools import cache

from foundation.command_line import Command, CommandGroup, run_command_groups
from webapp.server.command import SERVE

DESCRIPTION = "Photos to embedding tables, tables to names: who is on a photo, in a video, before a camera."

_PEOPLE_OF_A_HEAD = ("enrol", "forget", "rename", "merge", "reject", "explain", "audit")


def command_groups() -> list[CommandGroup]:
    """Return all commands of the project in the groups of the help.

    They are those that ``python -m embedder``, ``python -m classifiers``, ``train_classifier.py`` and ``recognize.py``
    run, so that flags, help and exit codes cannot differ; only ``python -m embedder train``, which trains a network,
    has another name here, ``enrol`` reads clips here, which the heads' package cannot, and ``doctor`` looks at all of
    them.
    """
    from classifiers.commands.main import commands as head_commands
    from embedder.commands.main import COMMANDS as EMBEDDER_COMMANDS
    from people.commands.main import commands as people_commands
    from recognition.diagnosis.command import DOCTOR
    from recognize import RECOGNIZE
    from train_classifier import TRAIN

    tables = {command.name: command for command in EMBEDDER_COMMANDS}
    heads = {command.name: command for command in head_commands()}
    heads["enrol"] = dataclasses.replace(heads["enrol"], run=_enrol)
    train_network: Command = dataclasses.replace(tables["train"], name="train-network")
    return [
        CommandGroup("photos to a table", [tables[name] for name in ("embed", "align", "convert", "info")]),
        CommandGroup("names", [TRAIN, RECOGNIZE, heads["cluster"]]),
        CommandGroup("people of photo folders", [*people_commands(), SERVE]),
        CommandGroup("people of a head", [heads[name] for name in _PEOPLE_OF_A_HEAD]),
        CommandGroup(
            "measuring, networks, this machine",
            [
                tables["compare"],
                tables["verify"],
                heads["evaluate"],
                heads["compare-heads"],
                preset(),
                train_network,
                DOCTOR,
            ],
        ),
    ]


@cache
def preset() -> Command:
    """Return the command about presets, which can calibrate one here."""
    from classifiers.preset_commands.calibrate import CALIBRATE
    from embedder.preset_commands.preset import preset_command

    return preset_command([CALIBRATE])


def _enrol(arguments: argparse.Namespace) -> int:
    from classifiers.commands.enrol import run as run_enrol
    from recognition.clips.tracks import read_clip

    return run_enrol(arguments, read_clip=read_clip)


def main(argv: Sequence[str] | None = None) -> int:
    """Run ``facetable`` with `argv` (default: the process's arguments) and return the exit code."""
    wanted = sys.argv[1:] if argv is None else list(argv)
    # Somebody waits for the page: all other commands take a fifth as long to load as it does.
    is_page = wanted[:1] == [SERVE.name]
    groups = [CommandGroup("people of photo folders", [SERVE])] if is_page else command_groups()
    return run_command_groups("facetable", DESCRIPTION, groups, wanted)


if __name__ == "__main__":
    sys.exit(main())
