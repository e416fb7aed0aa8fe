"""Faces of known people to try a network on: found once, cut out in every way that is tried."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

import numpy as np
from tqdm import tqdm

from embedder.detection.alignment import CropRule
from embedder.detection.detector import Detector
from embedder.finding.finder import FaceFinder, in_batches
from embedder.images.listing import PhotoFile, list_images
from embedder.images.photo import Photo, read_photo
from embedder.images.reading import read_picture
from embedder.networks.joined import JoinedCropRule
from foundation.errors import InputError
from foundation.paths import display_path
from foundation.prefetch import prefetch
from foundation.text import normalize_name
from foundation.threads import thread_count

MIN_PEOPLE = 10
"""With fewer people of two photos, intervals are so wide that nothing is told apart."""

MAX_FACES = 210
MAX_PHOTOS_A_PERSON = 3

_PHOTOS_AHEAD = 32


@dataclass(frozen=True)
class FaceSample:
    """Faces of known people.

    Attributes
    ----------
    people : (n,) int64
        Who is seen: 0, 1, ...
    rules : tuple of CropRule
        The ways in which faces were cut out.
    crops : (n, height, width, 3) uint8
        As `JoinedCropRule` puts the crops of all rules side by side.
    """

    people: np.ndarray
    rules: tuple[CropRule, ...]
    crops: np.ndarray

    def __len__(self) -> int:
        return len(self.people)

    @property
    def n_people(self) -> int:
        """How many people there are."""
        return len(np.unique(self.people))

    def cut(self, rule: CropRule) -> np.ndarray:
        """Return the crops by one of `rules`: uint8 (n, s, s, 3)."""
        part: np.ndarray = JoinedCropRule(self.rules).part(self.crops, self.rules.index(rule))
        return part

    def some(self, n_faces: int) -> "FaceSample":
        """Return the faces of the first people, of `n_faces` faces or a few more."""
        last = self.people[min(n_faces, len(self)) - 1]
        chosen = self.people <= last
        return FaceSample(self.people[chosen], self.rules, self.crops[chosen])


def read_sample(folder: Path, rules: Sequence[CropRule], *, detector: Detector, progress: bool = False) -> FaceSample:
    """Find the main faces of some people of a folder of identities, and cut each out by all of `rules`.

    Parameters
    ----------
    folder : Path
        One sub-folder a person. Of those with two photos or more some are taken, evenly over the alphabet, so that
        there are at most `MAX_FACES` faces; nothing depends on chance.
    rules : sequence of CropRule
        All different.
    detector : Detector
    progress : bool
        Show a progress bar on standard error, if that is a terminal.

    Raises
    ------
    ValueError
        If fewer than `MIN_PEOPLE` people have two photos with a face.
    OSError
        If the folder cannot be read.
    """
    chosen = _choose(folder)
    rule = JoinedCropRule(tuple(rules))
    finder = FaceFinder(detector, rule, select="one")
    crops: list[np.ndarray] = []
    names: list[str] = []
    reading = prefetch(_read, chosen, threads=thread_count(), depth=_PHOTOS_AHEAD)
    with tqdm(desc="faces looked for", total=len(chosen), unit="photo", disable=None if progress else True) as bar:
        for batch in in_batches(reading):
            for found in finder.find(batch):
                if len(found.faces):
                    crops.append(found.crops[0])
                    names.append(_person(found.photo.path))
            bar.update(len(batch))
    counts = {name: names.count(name) for name in names}
    kept = [i for i, name in enumerate(names) if counts[name] > 1]
    people = np.unique([names[i] for i in kept], return_inverse=True)[1] if kept else np.empty(0, np.int64)
    _check_enough(folder, len(set(people.tolist())))
    order = np.argsort(people, kind="stable")
    return FaceSample(people[order].astype(np.int64), tuple(rules), np.stack([crops[kept[i]] for i in order]))


def _choose(folder: Path) -> list[PhotoFile]:
    listing = list_images(folder)
    photos_of: dict[str, list[PhotoFile]] = {}
    for photo in listing.photos:
        if len(PurePosixPath(photo.name).parts) > 1:
            photos_of.setdefault(_person(photo.name), []).append(photo)
    people = sorted(name for name, photos in photos_of.items() if name and len(photos) > 1)
    _check_enough(folder, len(people))
    n = min(len(people), MAX_FACES // MAX_PHOTOS_A_PERSON)
    some = [people[i * len(people) // n] for i in range(n)]
    return [photo for name in some for photo in photos_of[name][:MAX_PHOTOS_A_PERSON]]


def _check_enough(folder: Path, n_people: int) -> None:
    if n_people < MIN_PEOPLE:
        raise InputError(
            f"{display_path(folder)}: expected a folder a person, at least {MIN_PEOPLE} of them with two photos that "
            f"show a face, found {n_people}; add people, or leave out --try-on"
        )


def _person(path: str) -> str:
    return normalize_name(PurePosixPath(path).parts[0])


def _read(photo: PhotoFile) -> Photo:
    return read_photo(photo, read_picture)
