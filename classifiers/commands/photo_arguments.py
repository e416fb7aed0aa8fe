"""What the commands that read photos with a head share: options, networks, and the list of photos."""

import argparse
import sys
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from foundation.errors import InputError
from foundation.plug_ins.trust import add_trust_argument
from foundation.threads import add_device_argument

if TYPE_CHECKING:
    from classifiers.heads.head import Head
    from classifiers.members.face_samples import ClipReader, FaceSample, PhotoFaces, SampleReader


def add_head_argument(parser: argparse.ArgumentParser) -> None:
    """Add ``HEAD``, and whose code it may run."""
    parser.add_argument("head", type=Path, metavar="HEAD", help="head made by facetable train")
    add_trust_argument(parser)


def add_network_arguments(parser: argparse.ArgumentParser) -> None:
    """Add what says which networks read the photos, where the head does not."""
    parser.add_argument(
        "--preset", metavar="NAME|RUN|FILE", help="network (default: the one the head was trained with)"
    )
    parser.add_argument("--weights", type=Path, metavar="FILE", help="the preset's weights, if no package brings them")
    parser.add_argument(
        "--max-pixels", type=int, metavar="N", help="refuse photos of more pixels (default: 200 million)"
    )
    add_device_argument(parser)


def check_photo_folder(given: Path | None, stored: Sequence[str], *, needed: bool) -> None:
    """Refuse a ``--photos`` that is no folder; say so where the folders a file tells of are gone and are `needed`.

    Raises
    ------
    OSError
        If `given` is not there or no folder.
    """
    from foundation.paths import check_folder

    check_folder(given, "--photos")
    if needed and given is None and stored and not any(Path(folder).is_dir() for folder in stored):
        print(
            f"warning: the photos are no longer in {', '.join(stored)}, grey tiles stand for them; say where they are "
            "with --photos DIR",
            file=sys.stderr,
        )


def open_reader(head: "Head", arguments: argparse.Namespace) -> "SampleReader":
    """Load the networks that fit `head`.

    Raises
    ------
    ValueError
        If its network is not built in and the arguments name none, or theirs makes vectors of another space.
    """
    from classifiers.members.face_samples import SampleReader
    from embedder.images.reading import DEFAULT_MAX_PIXELS, read_image
    from embedder.networks.encoder import EncoderOptions, FaceEncoder

    wanted = {} if head.fingerprint is None else head.fingerprint
    options = EncoderOptions(preset=arguments.preset, weights=arguments.weights)
    encoder = FaceEncoder.for_fingerprint(wanted, options, source=arguments.head)
    max_pixels = DEFAULT_MAX_PIXELS if arguments.max_pixels is None else arguments.max_pixels
    reader = SampleReader(encoder, read_image=partial(read_image, max_pixels=max_pixels))
    head.check_fingerprint(reader.fingerprint)
    return reader


def list_photos(arguments: Sequence[Path]) -> list[Path]:
    """Return the photos that arguments name: files as they are, folders with all their photos.

    Raises
    ------
    OSError
        If there is no such file or folder, or a folder holds no photo.
    """
    from embedder.images.kinds import describe_left_out
    from embedder.images.listing import list_images
    from foundation.paths import display_path

    photos: list[Path] = []
    for path in arguments:
        if not path.is_dir():
            path.stat()  # a photo that may not be read is listed like one that is damaged
            photos.append(path)
            continue
        listing = list_images(path)
        if not listing.photos:
            raise listing.no_photos(path)
        if listing.n_by_kind:
            print(f"{display_path(path)}: {describe_left_out(listing.n_by_kind)}", file=sys.stderr)
        photos += [photo.path for photo in listing.photos]
    return photos


def read_photos(reader: "SampleReader", photos: Sequence[Path], head: "Head") -> "list[tuple[str, PhotoFaces]]":
    """Return the name and the faces of each photo that can be read; the others are listed on standard error."""
    from tqdm import tqdm

    from embedder.images.photo import failure_reason
    from foundation.paths import display_path

    read = []
    for photo in tqdm(photos, desc="photos", unit="photo", disable=None, delay=1):
        try:
            read.append((display_path(photo), reader.read(photo, stored_path(photo, head))))
        except (OSError, ValueError) as error:
            print(f"{display_path(photo)}: {failure_reason(error, photo)}", file=sys.stderr)
    return read


def read_clips(
    reader: "SampleReader", clips: Sequence[Path], head: "Head", *, track: int | None, read_clip: "ClipReader"
) -> "tuple[list[tuple[str, PhotoFaces]], int]":
    """Return the looks of the one track of each clip, or of the wanted one, and how many clips have none to take.

    Those clips are listed on standard error, with their tracks.
    """
    from classifiers.members.face_samples import PhotoFaces, choose_track
    from foundation.paths import display_path, path_at, split_moment

    looks, n_refused = [], 0
    for clip in clips:
        name = display_path(clip)
        try:
            chosen = choose_track(read_clip(clip, reader.encoder, stored_path(clip, head)), track)
        except (OSError, ValueError) as error:
            reason = str(error)
            print(f"refused {reason if name in reason else f'{name}: {reason}'}", file=sys.stderr)
            n_refused += 1
            continue
        looks += [
            (path_at(name, split_moment(sample.path)[1] or 0.0), PhotoFaces([sample], 0)) for sample in chosen.looks
        ]
    return looks, n_refused


def stored_path(photo: Path, head: "Head") -> str:
    """Return a photo's path as a head stores it: relative to its photo folder where it is inside, else absolute."""
    from foundation.paths import display_path

    resolved = photo.resolve()
    root = Path(head.photo_root) if head.photo_root else None
    inside = root is not None and resolved.is_relative_to(root)
    return display_path(resolved.relative_to(root) if inside and root is not None else resolved)


def face_numbers(faces: "Sequence[FaceSample]", wanted: int | None, photo: Path) -> list[int]:
    """Return the numbers of the faces of a photo that are asked for: all of them, or `wanted` alone.

    Raises
    ------
    ValueError
        If there is no face of that number.
    """
    if wanted is None:
        return list(range(len(faces)))
    if not 0 <= wanted < len(faces):
        raise InputError(
            f"{photo}: expected a face number below {len(faces)}, the faces found, got {wanted}; "
            "see facetable explain for their numbers"
        )
    return [wanted]
