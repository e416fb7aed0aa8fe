"""The command line ``python -m classifiers``: each command a few lines over a library call."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from embedder.command_line import Command


def commands() -> list["Command"]:
    """Return the sub-commands."""
    return []


def main(argv: Sequence[str] | None = None) -> int:
    """Run ``python -m classifiers`` with `argv` (default: the process's arguments) and return the exit code."""
    from embedder.command_line import run_commands

    return run_commands("python -m classifiers", "Heads and clusters on embedding tables.", commands(), argv)
