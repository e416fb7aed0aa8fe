"""The command line ``python -m embedder``: each command a few lines over a library call."""

import argparse
from collections.abc import Sequence
from pathlib import Path

from embedder.commands.align import ALIGN
from embedder.commands.compare import COMPARE
from embedder.commands.convert import CONVERT
from embedder.commands.embed import EMBED
from embedder.commands.train import add_train_arguments, run_train
from embedder.commands.verify import VERIFY
from embedder.preset_commands.preset import preset_command
from foundation.command_line import EXIT_DONE, Command, run_commands, write_json


def _add_info_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "file",
        type=Path,
        metavar="FILE",
        help="a table, head or weights file, or the folder of a training run or of an unfinished table (.parts)",
    )
    parser.add_argument("--top", type=int, default=10, metavar="N", help="items to show of each list (default: 10)")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write everything as JSON")
    parser.add_argument(
        "--renew-checksum",
        action="store_true",
        help="first check a table that another program changed on purpose, and write it with a checksum that fits",
    )


def _info(arguments: argparse.Namespace) -> int:
    from embedder.commands.info import describe_file, info_lines, renew_checksum

    if arguments.renew_checksum:
        renew_checksum(arguments.file)
    description = describe_file(arguments.file)
    print("\n".join(info_lines(description, top=arguments.top)))
    if arguments.json is not None:
        write_json(arguments.json, description)
    return EXIT_DONE


COMMANDS: list[Command] = [
    ALIGN,
    EMBED,
    CONVERT,
    COMPARE,
    VERIFY,
    Command("train", "Train the network on a folder of aligned faces.", add_train_arguments, run_train),
    preset_command(),
    Command("info", "Tell what a table, head or weights file holds.", _add_info_arguments, _info),
]


def main(argv: Sequence[str] | None = None) -> int:
    """Run ``python -m embedder`` with `argv` (default: the process's arguments) and return the exit code."""
    return run_commands("python -m embedder", "Photos to embedding tables.", COMMANDS, argv)
