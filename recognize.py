"""Identify the faces on photos, in videos and of cameras; see ``python recognize.py --help``."""

import argparse
import os
import sys
from collections.abc import Sequence

from foundation.command_line import Command, run_command
from recognition.runs.options import add_arguments, read_options


def main(argv: Sequence[str] | None = None) -> int:
    """Run ``recognize.py`` with `argv` (default: the process's arguments) and return the exit code."""
    return run_command("recognize.py", RECOGNIZE, argv)


def _run(arguments: argparse.Namespace) -> int:
    # FFmpeg writes to standard error by itself, and what it writes may hold a camera's address with its password.
    os.environ.setdefault("OPENCV_FFMPEG_LOGLEVEL", "-8")
    from people.workspace.workspace import Workspace, head_at, is_workspace, table_at
    from recognition.runs.run import recognize

    if is_workspace(arguments.head):
        from people.workspace.heads import outdated_note

        note = outdated_note(Workspace(arguments.head))
        if note is not None:
            print(f"warning: {note}", file=sys.stderr)
    arguments.head = head_at(arguments.head)
    arguments.sources = [str(table_at(source)) if is_workspace(source) else source for source in arguments.sources]
    return recognize(read_options(arguments))


RECOGNIZE = Command("recognize", "Name the faces on photos, in videos and before cameras.", add_arguments, _run)


if __name__ == "__main__":
    sys.exit(main())
