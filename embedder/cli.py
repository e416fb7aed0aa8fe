"""The command line ``python -m embedder``: each command a few lines over a library call."""

from collections.abc import Sequence

from embedder.command_line import Command, run_commands

COMMANDS: list[Command] = []


def main(argv: Sequence[str] | None = None) -> int:
    """Run ``python -m embedder`` with `argv` (default: the process's arguments) and return the exit code."""
    return run_commands("python -m embedder", "Photos to embedding tables.", COMMANDS, argv)
