"""The command ``python -m classifiers audit``."""

import argparse
import sys
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING

from classifiers.commands.forget import add_like_argument, open_person
from foundation.errors import InputError
from foundation.plug_ins.trust import add_trust_argument
from foundation.text import pluralize

if TYPE_CHECKING:
    from classifiers.members.audit import Finding
    from people.forgetting.forgetting import Survey
    from people.forgetting.person import Person


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of ``python -m classifiers audit``."""
    parser.add_argument(
        "paths",
        type=Path,
        nargs="*",
        metavar="PATH",
        help="files, or folders that are read with all their sub-folders; the cache of verify is always read",
    )
    wanted = parser.add_mutually_exclusive_group()
    wanted.add_argument(
        "--name", metavar="NAME", help="who is looked for, exactly as written; with --like alone somebody by their face"
    )
    wanted.add_argument(
        "--labels", type=Path, metavar="TABLE", help="list the twenty faces of TABLE whose names are most suspicious"
    )
    add_like_argument(parser)
    add_trust_argument(parser)
    parser.add_argument("--json", type=Path, metavar="FILE", help="write what was found as JSON")


def run(arguments: argparse.Namespace) -> int:
    """Say which files still hold a person, or which names of a table are suspicious."""
    if arguments.labels is not None:
        return _run_labels(arguments)
    if arguments.name is None and not arguments.like:
        raise InputError("expected --name NAME, --like PHOTO or --labels TABLE, got none; say who is looked for")
    if not arguments.paths:
        raise InputError("expected files or folders, got none; name some, such as .")
    from foundation.command_line import EXIT_DONE, EXIT_SOME_INPUTS_FAILED, EXIT_SOMEBODY_FOUND, write_json
    from people.forgetting.forgetting import survey

    person = open_person(arguments)
    found = survey(arguments.paths, person, trust=arguments.trust)
    print_survey(found, person)
    if arguments.json is not None:
        write_json(arguments.json, {"name": person.name, **found.to_json()})
    if found.held:
        return EXIT_SOMEBODY_FOUND
    return EXIT_SOME_INPUTS_FAILED if found.failures else EXIT_DONE


def print_survey(found: "Survey", person: "Person") -> None:
    """Print which files hold the person, photos by folder, and which could not be looked into."""
    from foundation.paths import display_path

    for why in found.failures.values():
        print(f"not checked: {why}", file=sys.stderr)
    photos: Counter[Path] = Counter()
    n_held = 0
    for path, (holder, findings) in found.held.items():
        if holder.noun == "photo":
            photos[path.parent] += 1
            continue
        n_held += holder.noun != "other file"
        what = ", ".join(map(_describe, findings))
        print(f"{display_path(path)}: {holder.noun}, holds {person.shown}: {what}")
    for folder, n_photos in photos.items():
        print(f"{display_path(folder)}: {pluralize(n_photos, 'photo')} called like {person.shown}")
    print(
        f"files that hold {person.shown}: {n_held:,} of {found.n_files:,}"
        + (f"; not checked: {pluralize(len(found.failures), 'file')}" if found.failures else "")
    )


def _run_labels(arguments: argparse.Namespace) -> int:
    from dataclasses import asdict

    from classifiers.scores.gallery import Gallery
    from classifiers.scores.matcher import Matcher
    from classifiers.scores.normalization import choose_background
    from classifiers.training.suspicious_labels import suspicious_labels
    from embedder.tables.table import EmbeddingTable
    from foundation.command_line import EXIT_DONE, write_json

    others = [*arguments.paths, *(arguments.like or ())]
    if others:
        raise InputError(f"expected --labels TABLE alone, found {others[0]} as well; audit one table at a time")
    table = EmbeddingTable.read(arguments.labels)
    gallery = Gallery.build(
        table.embeddings, table.identities, paths=table.paths, image_sha256=table.image_sha256, boxes=table.boxes
    )
    found = suspicious_labels(Matcher(gallery, choose_background(table.fingerprint)), progress=True)
    people = pluralize(len(gallery.labels), "person", "people")
    if not found:
        print(f"{arguments.labels}: {people} with names; labels are compared between people, of whom it takes two")
    else:
        print(
            f"{arguments.labels}: {pluralize(len(gallery), 'face')} of {people}; the {len(found)} most suspicious "
            "names, the worst first (few or none of them need be wrong):"
        )
    for label in found:
        print(f"{label.suspicion:+.2f}  {label}")
    if arguments.json is not None:
        write_json(arguments.json, {"table": str(arguments.labels), "labels": [asdict(label) for label in found]})
    return EXIT_DONE


def _describe(finding: "Finding") -> str:
    example = f" (such as {finding.example})" if finding.example else ""
    return f"{finding.kind}: {finding.n_found}{example}"
