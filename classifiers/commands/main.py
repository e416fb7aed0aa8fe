"""The command line ``python -m classifiers``: each command a few lines over a library call."""

import argparse
import shlex
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from foundation.command_line import Command


def commands() -> list["Command"]:
    """Return the sub-commands."""
    from classifiers.commands import (
        audit as audit_command,
    )
    from classifiers.commands import (
        enrol as enrolment_command,
    )
    from classifiers.commands import (
        evaluate as evaluation_command,
    )
    from classifiers.commands import (
        explain as explanation_command,
    )
    from classifiers.commands import (
        reject as rejection_command,
    )
    from classifiers.commands.cluster import add_arguments as add_cluster_arguments
    from foundation.command_line import Command

    return [
        Command(
            "cluster",
            "Group the faces of a table by person, to be named in a CSV file.",
            add_cluster_arguments,
            _cluster,
        ),
        Command(
            "evaluate",
            "Measure how well a head names people and refuses strangers.",
            evaluation_command.add_arguments,
            evaluation_command.run,
        ),
        Command(
            "enrol",
            "Add photos of a person to a head.",
            enrolment_command.add_enrol_arguments,
            enrolment_command.run_enrol,
        ),
        Command(
            "forget",
            "Take a person out of a head.",
            enrolment_command.add_forget_arguments,
            enrolment_command.run_forget,
        ),
        Command(
            "explain", "Say why a face is given its name.", explanation_command.add_arguments, explanation_command.run
        ),
        Command("reject", "Say who a face is not.", rejection_command.add_arguments, rejection_command.run),
        Command("audit", "Look for a person in tables and heads.", audit_command.add_arguments, audit_command.run),
    ]


def _cluster(arguments: argparse.Namespace) -> int:
    from classifiers.groups import grouping
    from classifiers.groups.clustering import normalized_space
    from classifiers.groups.constraints import read_constraints
    from classifiers.scores.normalization import choose_background
    from embedder.images.reading import read_image
    from embedder.tables.table import EmbeddingTable
    from foundation.command_line import EXIT_DONE, write_json
    from foundation.formats import check_output
    from foundation.threads import thread_count

    grouping.check_outputs(arguments.out, arguments.html, arguments.json, table=arguments.table)
    check_output(arguments.html, "--html", kind="page")
    table = EmbeddingTable.read(arguments.table)
    before = grouping.known_people(table, names=arguments.names, out=arguments.out, dry_run=arguments.dry_run)
    row_of = {face: row for row, face in enumerate(grouping.faces_of(table))}
    constraints = [] if arguments.constraints is None else read_constraints(arguments.constraints, row_of)
    background = choose_background(table.fingerprint, file=arguments.background, none=arguments.no_background)
    people = grouping.group_people(
        table,
        before=before,
        constraints=constraints,
        method=arguments.method,
        threshold=arguments.threshold,
        space=None if background is None else normalized_space(table.embeddings, background),
        threads=thread_count(),
        source=arguments.constraints or "constraints",
    )
    result = grouping.summarize(table, people)
    print("\n".join(grouping.report(result)))
    if arguments.json is not None:
        write_json(arguments.json, {**result, "fingerprint": table.fingerprint})
    if arguments.dry_run:
        print(f"dry run: {arguments.out} not written")
        return EXIT_DONE
    grouping.write_people_file(arguments.out, table, people)
    if not result["n_named_faces"] and not result["n_identified_faces"]:
        table_file, people_file = (shlex.quote(str(path)) for path in (arguments.table, arguments.out))
        print(
            f"{arguments.out}: write a name into one row of each person's group, then run: python "
            f"train_classifier.py {table_file} --names {people_file} -o heads/people.skops"
        )
    if arguments.html is not None:
        root = Path(table.photo_root) if arguments.photos is None else arguments.photos
        grouping.write_sheet(
            arguments.html,
            table,
            people,
            title=f"People in {root.name}",
            read_photo=lambda path: read_image(root / path),
        )
    return EXIT_DONE


def main(argv: Sequence[str] | None = None) -> int:
    """Run ``python -m classifiers`` with `argv` (default: the process's arguments) and return the exit code."""
    from foundation.command_line import run_commands

    return run_commands("python -m classifiers", "Heads and clusters on embedding tables.", commands(), argv)
