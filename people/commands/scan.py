"""The command ``facetable scan``."""

import argparse
from pathlib import Path

from foundation.command_line import EXIT_DONE, EXIT_SOME_INPUTS_FAILED, write_json
from foundation.threads import add_device_argument


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of ``facetable scan``."""
    parser.add_argument("workspace", type=Path, metavar="WORKSPACE", help="folder made by facetable init")
    parser.add_argument(
        "--jobs", type=int, default=1, metavar="N", help="worker processes (default: 1; -1: one a core)"
    )
    parser.add_argument("--prune", action="store_true", help="remove rows of deleted photos from the table")
    add_device_argument(parser)
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the report as JSON")


def run(arguments: argparse.Namespace) -> int:
    """Scan and report."""
    from people.workspace.scan import scan
    from people.workspace.workspace import Workspace

    workspace = Workspace(arguments.workspace)
    report = scan(workspace, n_jobs=arguments.jobs, prune=arguments.prune, progress=True)
    print("\n".join(report.lines()))
    if report.n_groups:
        print(f"name them: facetable people {workspace.folder} groups")
    if arguments.json is not None:
        write_json(arguments.json, report.to_json())
    return EXIT_SOME_INPUTS_FAILED if report.n_failed else EXIT_DONE
