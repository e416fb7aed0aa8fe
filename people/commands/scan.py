"""The command ``facetable scan``."""

import argparse
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from foundation.command_line import EXIT_DONE, EXIT_SOME_INPUTS_FAILED, write_json
from foundation.threads import add_device_argument

if TYPE_CHECKING:
    from people.workspace.scan import ScanReport


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of ``facetable scan``."""
    parser.add_argument("workspace", type=Path, metavar="WORKSPACE", help="folder made by facetable init")
    parser.add_argument(
        "--jobs", type=int, default=1, metavar="N", help="worker processes (default: 1; -1: one a core)"
    )
    parser.add_argument("--prune", action="store_true", help="remove rows of deleted photos from the table")
    parser.add_argument("--watch", action="store_true", help="go on, and scan again whenever photos change")
    add_device_argument(parser)
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the report as JSON")


def run(arguments: argparse.Namespace) -> int:
    """Scan and report, once or after every change."""
    from people.workspace.workspace import Workspace

    if not arguments.watch:
        report = _scan_once(arguments)
        print("\n".join(report.lines()))
        if report.n_groups:
            command = f"facetable people {arguments.workspace}"
            print(f"name them: {command} groups lists them, {command} name --group N NAME names one")
        return EXIT_SOME_INPUTS_FAILED if report.n_failed else EXIT_DONE
    from people.workspace.watching import watch

    watch(Workspace(arguments.workspace).photo_folders, lambda: _tell(_scan_once(arguments)))
    return EXIT_DONE


def _scan_once(arguments: argparse.Namespace) -> "ScanReport":
    from people.workspace.workspace import Workspace

    workspace = Workspace(arguments.workspace)  # its settings may have been edited since
    from people.workspace.scan import scan  # takes seconds: a mistyped folder is told before

    report = scan(workspace, n_jobs=arguments.jobs, prune=arguments.prune, progress=not arguments.watch)
    if arguments.json is not None:
        write_json(arguments.json, report.to_json())
    return report


def _tell(report: "ScanReport") -> None:
    print(datetime.now().strftime("%H:%M:%S"), "; ".join(report.lines()), flush=True)
