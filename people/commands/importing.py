"""``facetable people WORKSPACE import``: names that other programs gave."""

import argparse
from typing import TYPE_CHECKING

from foundation.command_line import EXIT_DONE, EXIT_SOME_INPUTS_FAILED, write_json
from foundation.text import pluralize
from people.commands.listing import sanitize_lines

if TYPE_CHECKING:
    from people.sidecars.importing import ImportReport
    from people.store.store import PeopleStore
    from people.workspace.workspace import Workspace


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of the action."""
    parser.add_argument(
        "--from",
        dest="source",
        choices=["xmp", "picasa"],
        default="xmp",
        help="xmp (default): face regions in photos and in sidecars beside them; picasa: .picasa.ini",
    )
    parser.add_argument("--dry-run", action="store_true", help="only say who would be named")


def run(workspace: "Workspace", store: "PeopleStore", arguments: argparse.Namespace) -> int:
    """Import and report."""
    from people.sidecars.importing import import_names

    report = import_names(workspace, store, source=arguments.source, is_trial=arguments.dry_run)
    print(sanitize_lines(_lines(report, would="would get" if arguments.dry_run else "got")))
    if arguments.json is not None:
        write_json(
            arguments.json,
            {
                "names": dict(report.names),
                "n_photos": report.n_photos,
                "n_drawn": report.n_drawn,
                "n_known": report.n_known,
                "n_decided": report.n_decided,
                "left_out": dict(report.left_out),
                "failed": report.failures,
            },
        )
    return EXIT_SOME_INPUTS_FAILED if report.failures else EXIT_DONE


def _lines(report: "ImportReport", *, would: str) -> list[str]:
    n_faces = report.names.total()
    lines = [
        f"{pluralize(n_faces, 'face')} {would} a name of {pluralize(len(report.names), 'person', 'people')}; other "
        f"programs name somebody on {pluralize(report.n_photos, 'photo')}"
    ]
    if report.n_drawn:
        lines.append(f"{pluralize(report.n_drawn, 'face')} of them had not been found on the photos")
    if report.n_known or report.n_decided:
        lines.append(
            f"{pluralize(report.n_known, 'face')} had that name already; about {report.n_decided:,} something else "
            "was decided here, which stays"
        )
    lines += [f"left out, {reason}: {pluralize(n, 'region')}" for reason, n in sorted(report.left_out.items())]
    return lines + [f"failed: {reason}" for reason in report.failures]
