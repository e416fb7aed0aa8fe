"""The command ``python -m classifiers enrol``."""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from classifiers.commands.photo_arguments import add_head_argument, add_network_arguments
from foundation.text import pluralize

if TYPE_CHECKING:
    from classifiers.heads.head import Head
    from classifiers.members.face_samples import ClipReader, PhotoFaces, SampleReader


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of ``python -m classifiers enrol``."""
    add_head_argument(parser)
    parser.add_argument(
        "photos",
        type=Path,
        nargs="+",
        metavar="PHOTO",
        help="photos of the person, or folders of them, the main face of each counts; or clips, the best looks count",
    )
    parser.add_argument("--name", required=True, metavar="NAME", help="who it is: somebody new, or somebody enrolled")
    parser.add_argument("--face", type=int, metavar="N", help="which face of the photo, as numbered by explain")
    parser.add_argument("--track", type=int, metavar="N", help="which face of the clip, if it shows several")
    parser.add_argument(
        "--force",
        action="store_true",
        help="enrol also faces that are small, blurred, turned away or unlike the person's others",
    )
    add_network_arguments(parser)
    parser.add_argument("--json", type=Path, metavar="FILE", help="write what was enrolled and refused as JSON")


def run(arguments: argparse.Namespace, *, read_clip: "ClipReader | None" = None) -> int:
    """Enrol photos, and clips where `read_clip` is there to read them, and say which were refused, and why."""
    from classifiers.commands.photo_arguments import list_photos, open_reader
    from classifiers.files.head_file import load_head, save_head
    from classifiers.members.editing import check_new_name, locked_for_editing
    from classifiers.members.enrolment import enrol
    from foundation.command_line import EXIT_DONE, EXIT_SOME_INPUTS_FAILED, write_json

    name = check_new_name(arguments.name)
    photos = list_photos(arguments.photos)
    _check_numbers(arguments, photos, reads_clips=read_clip is not None)
    with locked_for_editing(arguments.head):
        head = load_head(arguments.head, trust=arguments.trust)
        read, n_failed = _read_inputs(open_reader(head, arguments), photos, head, arguments=arguments, clips=read_clip)
        result = enrol(head, read, name, force=arguments.force)
        if result.enrolled:
            save_head(result.head, arguments.head)
    for refusal in result.refused:
        print(f"refused {refusal}", file=sys.stderr)
    for known in result.known:
        print(f"{known}: left out, this face is enrolled as {name} already or was given twice")
    if result.refused and not arguments.force:
        print("give --force to enrol photos with a face all the same", file=sys.stderr)
    n_given = pluralize(len(read) + n_failed, "face" if any(map(is_clip, photos)) else "photo")
    print(f"{arguments.head}: {len(result.enrolled):,} of {n_given} enrolled as {name}")
    print(describe_size(result.head))
    if arguments.json is not None:
        write_json(
            arguments.json,
            {
                "head": str(arguments.head),
                "name": name,
                "enrolled": [face.path for face in result.enrolled],
                "refused": [{"path": one.path, "reasons": list(one.reasons)} for one in result.refused],
                "known": list(result.known),
                "n_unreadable": n_failed,
                **size_of(result.head),
            },
        )
    return EXIT_SOME_INPUTS_FAILED if result.refused or n_failed else EXIT_DONE


def is_clip(path: Path) -> bool:
    """Return whether a file is a video, by its name."""
    from embedder.images.kinds import VIDEO_SUFFIXES

    return path.suffix.lower() in VIDEO_SUFFIXES


def _check_numbers(arguments: argparse.Namespace, photos: Sequence[Path], *, reads_clips: bool) -> None:
    """Refuse clips where none can be read, and numbers of faces that are for one photo or clip where there are more."""
    from foundation.errors import InputError

    n_clips = sum(map(is_clip, photos))
    if n_clips and not reads_clips:
        clip = next(filter(is_clip, photos))
        raise InputError(f"{clip}: expected a photo, found a video; facetable enrol takes videos, too")
    for flag, number, n_given, what, other in (
        ("--face", arguments.face, len(photos) - n_clips, "photo", "a clip's faces are chosen with --track"),
        ("--track", arguments.track, n_clips, "clip", "a photo's face is chosen with --face"),
    ):
        if number is not None and n_given != 1:
            remedy = "give them one by one" if n_given else other
            raise InputError(f"{flag} is for one {what}, got {pluralize(n_given, what)}; {remedy}")


def _read_inputs(
    reader: "SampleReader",
    photos: Sequence[Path],
    head: "Head",
    *,
    arguments: argparse.Namespace,
    clips: "ClipReader | None",
) -> "tuple[list[tuple[str, PhotoFaces]], int]":
    """Return the name and faces of each photo and look of a clip, and how many inputs could not be read or used."""
    from classifiers.commands.photo_arguments import face_numbers, read_clips, read_photos
    from classifiers.members.face_samples import PhotoFaces

    plain = [photo for photo in photos if not is_clip(photo)]
    read = read_photos(reader, plain, head)
    n_failed = len(plain) - len(read)
    if arguments.face is not None:
        read = [
            (name, PhotoFaces([faces.samples[face_numbers(faces.samples, arguments.face, plain[0])[0]]], 0))
            if faces.samples
            else (name, faces)
            for name, faces in read
        ]
    videos = [photo for photo in photos if is_clip(photo)]
    if videos and clips is not None:
        looks, n_refused = read_clips(reader, videos, head, track=arguments.track, read_clip=clips)
        return read + looks, n_failed + n_refused
    return read, n_failed


def size_of(head: "Head") -> dict[str, float]:
    """Return how many people and photos a head has, and its threshold."""
    return {"n_identities": len(head.labels), "n_exemplars": len(head.gallery), "threshold": head.threshold}


def describe_size(head: "Head") -> str:
    """Return how many people and photos a head has, and what its threshold is now, as a line."""
    record = head.threshold_record
    outgrown = record.is_outgrown(len(head.gallery))
    remark = ""
    if outgrown:
        remark = f"; set for {pluralize(record.n_exemplars, 'photo')}, train the head again to set it for these"
    people, photos = pluralize(len(head.labels), "identity", "identities"), pluralize(len(head.gallery), "photo")
    return f"{people}, {photos}, threshold {head.threshold:.3f}{remark}"
