"""The command ``python -m classifiers forget``: a person leaves a head, or every file."""

import argparse
import logging
import sys
from collections.abc import Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from foundation.errors import InputError
from foundation.paths import display_path
from foundation.plug_ins.trust import add_trust_argument
from foundation.text import pluralize

logger = logging.getLogger(__name__)

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from embedder.networks.encoder import FaceEncoder
    from people.forgetting.forgetting import ForgettingReport
    from people.forgetting.person import Looks, Person


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of ``python -m classifiers forget``."""
    parser.add_argument("head", type=Path, nargs="?", metavar="HEAD", help="head to be changed")
    add_trust_argument(parser)
    parser.add_argument(
        "--everywhere",
        type=Path,
        nargs="+",
        metavar="PATH",
        help="in place of HEAD: all files below these folders: tables, heads, people files, events, saved pictures, "
        "workspaces; see docs/privacy.md",
    )
    parser.add_argument("--name", required=True, metavar="NAME", help="who is forgotten")
    add_like_argument(parser)
    parser.add_argument(
        "--dry-run", action="store_true", help="with --everywhere: only say what would be changed; run this first"
    )
    parser.add_argument(
        "--report", type=Path, metavar="FILE", help="with --everywhere: write what was done as text, without the name"
    )
    parser.add_argument("--json", type=Path, metavar="FILE", help="write what was forgotten as JSON")


def add_like_argument(parser: argparse.ArgumentParser) -> None:
    """Add the photos by which a person is found without a name."""
    parser.add_argument(
        "--like",
        type=Path,
        action="append",
        metavar="PHOTO",
        help="photo of the person (may be repeated): find also faces that reach the threshold with its main face",
    )


def run(arguments: argparse.Namespace) -> int:
    """Take a person out of a head, or out of everything below folders."""
    if (arguments.head is None) == (arguments.everywhere is None):
        raise InputError("expected a head or --everywhere PATH, got both or none; name one of them")
    if arguments.everywhere is not None:
        return _run_everywhere(arguments)
    if arguments.like or arguments.dry_run or arguments.report:
        raise InputError("--like, --dry-run and --report need --everywhere PATH in place of a head; name a folder")
    return _run_head(arguments)


def open_person(arguments: argparse.Namespace) -> "Person":
    """Return who is looked for.

    Raises
    ------
    ValueError
        If nobody can be called so, or a photo shows no face.
    OSError
        If a photo cannot be read.
    """
    from people.forgetting.person import Person

    person = Person(arguments.name)
    if arguments.like:
        person.looks = _open_looks(arguments.like)
    return person


def _open_looks(photos: Sequence[Path]) -> "Looks":
    """Load the default network, and others when a file needs them; each photo's main face counts."""
    import json

    import numpy as np

    from embedder.networks.encoder import FaceEncoder
    from people.forgetting.person import Looks

    @lru_cache
    def encoder_of(space: str) -> "FaceEncoder":
        return FaceEncoder.for_fingerprint(json.loads(space))

    @lru_cache
    def vectors_of(space: str) -> "NDArray[np.float32]":
        return np.stack([_main_face(photo, encoder_of(space), tells=space == "{}") for photo in photos])

    def key(fingerprint: Mapping[str, Any]) -> str:
        return json.dumps({"space": dict(fingerprint.get("space", {}))}, sort_keys=True)

    default = encoder_of("{}")
    vectors_of("{}")  # finds out now whether the photos can be used
    return Looks(
        lambda fingerprint: vectors_of(key(fingerprint)), lambda path: _all_faces(path, default), default.fingerprint
    )


def _main_face(photo: Path, encoder: "FaceEncoder", *, tells: bool) -> "NDArray[np.float32]":
    """Return the vector of a photo's main face; `tells` whether to say which one that is."""
    from embedder.images.reading import read_image

    image = read_image(photo)
    encoded = encoder.encode(image)
    if not len(encoded.faces):
        raise InputError(f"{photo}: expected a photo of the person, found no face on it; give another --like")
    main = int(encoded.faces.primary(image.shape[:2]))
    if tells and len(encoded.faces) > 1:
        box = ",".join(f"{edge:.0f}" for edge in encoded.faces.boxes[main])
        logger.info("%s: %d faces; looked for is the main one, at %s", display_path(photo), len(encoded.faces), box)
    vector: NDArray[np.float32] = encoded.embeddings[main]
    return vector


def _all_faces(picture: Path, encoder: "FaceEncoder") -> "NDArray[np.float32]":
    """Return the vectors of the faces on a picture; one of the network's size may be a crop as a whole."""
    import numpy as np

    from embedder.images.reading import read_image

    image = read_image(picture)
    vectors = encoder.encode(image).embeddings
    if image.shape == encoder.crop_rule.shape:
        vectors = np.concatenate([vectors, encoder.embed(image[None])])
    return vectors


def _run_everywhere(arguments: argparse.Namespace) -> int:
    from classifiers.commands.audit import print_survey
    from foundation.atomic import write_bytes_atomically
    from foundation.command_line import EXIT_DONE, EXIT_SOME_INPUTS_FAILED, write_json
    from people.forgetting.forgetting import forget_everywhere, survey

    person = open_person(arguments)
    if arguments.dry_run:
        found = survey(arguments.everywhere, person, trust=arguments.trust)
        print_survey(found, person)
        print("nothing was changed; run the same command without --dry-run to forget them")
        if arguments.json is not None:
            write_json(arguments.json, {"dry_run": True, **_redacted(found.to_json(), person)})
        return EXIT_SOME_INPUTS_FAILED if found.failures else EXIT_DONE
    report = forget_everywhere(arguments.everywhere, person, trust=arguments.trust)
    _print_report(report)
    redacted = report.redacted(person)
    if arguments.report is not None:
        write_bytes_atomically(arguments.report, ("\n".join(redacted.lines()) + "\n").encode(), is_private=True)
    if arguments.json is not None:
        write_json(arguments.json, redacted.to_json())
    return EXIT_SOME_INPUTS_FAILED if report.failures else EXIT_DONE


def _print_report(report: "ForgettingReport") -> None:
    for line in report.lines():
        print(line, file=sys.stderr if line.startswith("failed: ") else sys.stdout)


def _redacted(value: Any, person: "Person") -> Any:
    if isinstance(value, dict):
        return {person.redacted(key): _redacted(item, person) for key, item in value.items()}
    if isinstance(value, list):
        return [_redacted(item, person) for item in value]
    return person.redacted(value) if isinstance(value, str) else value


def _run_head(arguments: argparse.Namespace) -> int:
    from classifiers.commands.enrol import describe_size, size_of
    from classifiers.files.head_file import load_head, save_head
    from classifiers.members.editing import enrolled_name, locked_for_editing, remove_person
    from foundation.command_line import EXIT_DONE, write_json

    with locked_for_editing(arguments.head):
        head = load_head(arguments.head, trust=arguments.trust)
        name = enrolled_name(head, arguments.name)
        changed = remove_person(head, name)
        save_head(changed, arguments.head)
    n_photos = len(head.gallery) - len(changed.gallery)
    n_rejections = len(head.rejections) - len(changed.rejections)
    also = f" and {pluralize(n_rejections, 'rejected face')}" if n_rejections else ""
    print(f"{arguments.head}: forgot {name}, {pluralize(n_photos, 'photo')}{also}")
    print(describe_size(changed))
    print(f"other files may still hold them; see facetable audit PATHS --name {name!r}")
    if arguments.json is not None:
        write_json(
            arguments.json,
            {
                "head": str(arguments.head),
                "name": name,
                "n_forgotten": n_photos,
                "n_rejections_forgotten": n_rejections,
                **size_of(changed),
            },
        )
    return EXIT_DONE
