"""Which photos a run reads, and what is asked of the user about their names."""

import logging
import os
from collections.abc import Sequence
from dataclasses import replace

from embedder.images.listing import ImageListing, list_images, list_inputs
from embedder.pipeline.settings import EmbedSettings, identity_of
from embedder.tables.album_names import describe_albums, describe_one_folder, find_albums
from foundation.fingerprint import Fingerprint
from foundation.text import lookalike_questions

logger = logging.getLogger(__name__)

PhotoInputs = str | os.PathLike[str] | Sequence[str | os.PathLike[str]]
"""A folder of photos, or several folders and single photos."""

RESERVED_IDENTITY = "unknown"
"""What heads call a stranger; no enrolled person may have this name."""


def list_photos(photos: PhotoInputs, settings: EmbedSettings) -> ImageListing:
    """Return the photos of a run; ask about names that differ little, or that nobody may have.

    Raises
    ------
    FileNotFoundError
        If there is none.
    OSError
        If a folder cannot be read.
    """
    if isinstance(photos, (str, os.PathLike)):
        inputs, listing = [photos], list_images(photos, exclude=settings.exclude)
    else:
        inputs, listing = list(photos), list_inputs(photos, exclude=settings.exclude)
    if not listing.photos:
        raise listing.no_photos(*inputs)
    identities = {identity_of(photo.name, settings.identity_from) for photo in listing.photos}
    for question in lookalike_questions(identities):
        logger.warning("%s", question)
    if RESERVED_IDENTITY in identities:
        logger.warning(
            "the identity %r is what heads call a stranger, none can be trained with it; rename that folder "
            "or file and run again, its vectors will be kept",
            RESERVED_IDENTITY,
        )
    return _with_resolved_roots(listing)


def ask_about_names(listing: ImageListing, settings: EmbedSettings) -> list[str]:
    """Ask whether folders that look like albums are people, and return them."""
    names = [identity_of(photo.name, settings.identity_from) for photo in listing.photos]
    albums = find_albums(names)
    people = set(names) - {""}
    if albums:
        logger.warning("%s", describe_albums(albums))
    elif settings.identity_from == "folder" and len(people) == 1 < len(names) - names.count(""):
        logger.warning("%s", describe_one_folder(people.pop()))
    return albums


def _with_resolved_roots(listing: ImageListing) -> ImageListing:
    resolved = {root: root.resolve() for root in listing.roots}
    return replace(
        listing,
        roots=tuple(dict.fromkeys(resolved.values())),
        photos=tuple(replace(photo, root=resolved[photo.root]) for photo in listing.photos),
    )


def with_ignore_files(fingerprint: Fingerprint, listing: ImageListing) -> Fingerprint:
    """Return `fingerprint` with the ignore files that say what is not read."""
    if not listing.ignore_files:
        return fingerprint
    files = {name: list(patterns) for name, patterns in listing.ignore_files.items()}
    return Fingerprint(fingerprint.space, {**fingerprint.provenance, "ignore_files": files})
