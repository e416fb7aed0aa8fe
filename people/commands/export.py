"""The command ``facetable export``."""

import argparse
from pathlib import Path

from foundation.command_line import EXIT_DONE, EXIT_SOME_INPUTS_FAILED, write_json
from foundation.text import pluralize
from people.commands.listing import sanitize_lines


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of ``facetable export``."""
    parser.add_argument("workspace", type=Path, metavar="WORKSPACE", help="folder made by facetable init")
    parser.add_argument(
        "--xmp",
        action="store_true",
        required=True,
        help="sidecars, such as party.jpg.xmp beside party.jpg, with a region for each named face",
    )
    parser.add_argument("--to", type=Path, metavar="DIR", help="write sidecars below DIR instead of beside the photos")
    parser.add_argument("--suggested", action="store_true", help="also names nobody has confirmed")
    parser.add_argument("--person-in-image", action="store_true", help="also names as Iptc4xmpExt:PersonInImage")
    parser.add_argument("--subject", action="store_true", help="also names as keywords, dc:subject")
    parser.add_argument("--tags-list", action="store_true", help="also names as digiKam:TagsList, People/NAME")
    parser.add_argument("--dry-run", action="store_true", help="only say what would be written")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the report as JSON")


def run(arguments: argparse.Namespace) -> int:
    """Write sidecars and report."""
    from people.sidecars.export import ExportSettings, export_sidecars
    from people.sidecars.schema import PERSON_IN_IMAGE, SUBJECT, TAGS_LIST
    from people.store.reader import PeopleReader
    from people.workspace.workspace import Workspace

    workspace = Workspace(arguments.workspace)
    flags = {
        PERSON_IN_IMAGE: arguments.person_in_image,
        SUBJECT: arguments.subject,
        TAGS_LIST: arguments.tags_list,
    }
    settings = ExportSettings(
        to=arguments.to,
        suggested=arguments.suggested,
        lists=tuple(name for name, is_wanted in flags.items() if is_wanted),
        is_trial=arguments.dry_run,
    )
    with PeopleReader(workspace.store) as reader:
        report = export_sidecars(workspace, reader, settings)
    would = "would be " if arguments.dry_run else ""
    lines = [
        f"{pluralize(len(report.written), 'sidecar')} {would}written, {report.n_unchanged:,} said it already; "
        f"{pluralize(report.n_regions, 'named face')} in them"
    ]
    if report.removed:
        lines.append(f"{pluralize(len(report.removed), 'sidecar')} that nothing is in any more {would}removed")
    lines += [f"failed: {reason}" for reason in report.failures.values()]
    print(sanitize_lines(lines))
    if arguments.json is not None:
        write_json(
            arguments.json,
            {
                "written": report.written,
                "removed": report.removed,
                "n_unchanged": report.n_unchanged,
                "n_regions": report.n_regions,
                "failed": [{"path": path, "message": reason} for path, reason in report.failures.items()],
            },
        )
    return EXIT_SOME_INPUTS_FAILED if report.failures else EXIT_DONE
