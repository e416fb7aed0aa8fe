"""The command line ``python -m classifiers``: each command a few lines over a library call."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from foundation.command_line import Command


def commands() -> list["Command"]:
    """Return the sub-commands."""
    from classifiers.commands import audit, cluster, corrections, enrol, explain, forget
    from classifiers.measuring_commands import compare_heads, evaluate
    from foundation.command_line import Command

    return [
        Command(
            "cluster",
            "Group the faces of a table by person, to be named in a CSV file.",
            cluster.add_arguments,
            cluster.run,
        ),
        Command(
            "evaluate",
            "Measure how well a head names people and refuses strangers.",
            evaluate.add_arguments,
            evaluate.run,
        ),
        Command(
            "compare-heads",
            "Measure all heads on the same people of a table.",
            compare_heads.add_arguments,
            compare_heads.run,
        ),
        Command(
            "enrol",
            "Add photos of a person to a head.",
            enrol.add_arguments,
            enrol.run,
        ),
        Command(
            "forget",
            "Take a person out of a head, or out of all files below folders.",
            forget.add_arguments,
            forget.run,
        ),
        Command(
            "rename", "Give a person of a head another name.", corrections.add_rename_arguments, corrections.run_rename
        ),
        Command("merge", "Make one person of two in a head.", corrections.add_merge_arguments, corrections.run_merge),
        Command("explain", "Say why a face is given its name.", explain.add_arguments, explain.run),
        Command("reject", "Say who a face is not.", corrections.add_reject_arguments, corrections.run_reject),
        Command(
            "audit",
            "Look for a person in all files below folders, or for wrong names in a table.",
            audit.add_arguments,
            audit.run,
        ),
    ]


def main(argv: Sequence[str] | None = None) -> int:
    """Run ``python -m classifiers`` with `argv` (default: the process's arguments) and return the exit code."""
    from foundation.command_line import run_commands

    return run_commands("python -m classifiers", "Heads and clusters on embedding tables.", commands(), argv)
