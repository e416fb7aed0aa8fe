"""Enrolment: which photos are good enough to know a person by, and why the others are not."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from classifiers.heads.head import Head
from classifiers.members.editing import enrol_faces, find_name, gallery_of
from classifiers.members.face_samples import FaceSample, PhotoFaces
from classifiers.scores.gallery import Gallery
from classifiers.scores.matcher import Matcher
from classifiers.scores.same_faces import same_faces
from classifiers.scores.thresholds import CURVE_FPIR, curve_for
from foundation.text import format_apart

# Of 239 photos of LFW (every 40th), at most two lie beyond each of the following limits. They are for
# photos a person is known by, not for those on which they are to be found.
# Pixels of the photo, root of the box's area: a quarter of what the network sees.
LEAST_SIZE = 40.0
# Variance of the crop's Laplacian. Half of those photos lie above 410; blurred with a Gaussian of
# sigma 4 in crops of 160 pixels, all are below 27.
LEAST_SHARPNESS = 60.0
# How far the nose may be from the middle between the eyes, in distances of the eyes: beyond it one eye hardly shows.
LARGEST_TURN = 0.45
# Where the nose may be on the way from the eyes (0) to the mouth (1): beyond it the face looks far up or down.
NOSE_RANGE = (0.25, 0.85)
# How large another face on the photo may be, as a share of the person's.
LARGEST_COMPANION = 0.7


FlawKind = Literal[
    "no_face",
    "too_small",
    "blurred",
    "turned",
    "looks_up",
    "looks_down",
    "companion",
    "taken_for",
    "rejected",
    "unlike",
]
"""What may be wrong with a photo that somebody is to be known by."""


@dataclass(frozen=True)
class Flaw:
    """What is wrong with a photo.

    Attributes
    ----------
    kind : str
        One of `FlawKind`, for programs.
    text : str
        The reason, for people.
    measured, limit : float or None
        What was found, and what was expected at least (of ``turned`` and ``companion``: at most).
    name : str
        Who it is taken for, or was said not to be; "" otherwise.
    """

    kind: FlawKind
    text: str
    measured: float | None = None
    limit: float | None = None
    name: str = ""


@dataclass(frozen=True)
class Refusal:
    """A photo that was not enrolled.

    Attributes
    ----------
    path : str
    flaws : tuple of Flaw
        What is wrong with it, at least one.
    """

    path: str
    flaws: tuple[Flaw, ...]

    @property
    def reasons(self) -> tuple[str, ...]:
        """What is wrong with it, as text."""
        return tuple(flaw.text for flaw in self.flaws)

    def __str__(self) -> str:
        return f"{self.path}: {'; '.join(self.reasons)}"


@dataclass(frozen=True, eq=False)
class Enrolment:
    """What came of enrolling photos.

    Attributes
    ----------
    head : Head
        With the enrolled faces; the same head if there are none.
    enrolled : tuple of FaceSample
    refused : tuple of Refusal
    known : tuple of str
        Photos that were enrolled as this person already.
    """

    head: Head
    enrolled: tuple[FaceSample, ...]
    refused: tuple[Refusal, ...]
    known: tuple[str, ...]


NO_FACE = Flaw("no_face", "no face was found")
"""Of a photo without a face."""


def enrol(head: Head, photos: Sequence[tuple[str, PhotoFaces]], identity: str, *, force: bool = False) -> Enrolment:
    """Enrol the main face of each photo as `identity`.

    Parameters
    ----------
    head : Head
    photos : sequence of (str, PhotoFaces)
        Name of each photo, for messages, and its faces.
    identity : str
        Somebody new, or somebody who is enrolled.
    force : bool
        Enrol also faces that are too small, blurred, turned away, or unlike the person's others.

    Raises
    ------
    IdentityError
        If the identity cannot be called that.
    """
    refused = [Refusal(name, (NO_FACE,)) for name, faces in photos if not faces.samples]
    found = [(name, faces) for name, faces in photos if faces.samples]
    candidates, known = _new_ones(head, found, identity)
    if not force:
        candidates, bad = _of_quality(candidates)
        refused += bad
        candidates, strange = _in_agreement(head, candidates, identity)
        refused += strange
    faces = tuple(main_face(photo) for _, photo in candidates)
    changed = enrol_faces(head, faces, identity) if faces else head
    return Enrolment(changed, faces, tuple(refused), tuple(known))


def main_face(faces: PhotoFaces) -> FaceSample:
    """Return the face a photo is enrolled for."""
    return faces.samples[faces.main]


def quality_reasons(faces: PhotoFaces) -> tuple[str, ...]:
    """Return what makes the main face of a photo a bad one to know a person by; nothing if it is good."""
    return tuple(flaw.text for flaw in quality_flaws(faces))


def quality_flaws(faces: PhotoFaces) -> tuple[Flaw, ...]:
    """Return what `quality_reasons` tells, for programs, too."""
    face = main_face(faces)
    flaws = []
    if face.size < LEAST_SIZE:
        size, least = format_apart(face.size, LEAST_SIZE)
        text = f"the face is too small: {size} pixels, expected at least {least}"
        flaws.append(Flaw("too_small", text, face.size, LEAST_SIZE))
    if face.sharpness < LEAST_SHARPNESS:
        sharpness, least = format_apart(face.sharpness, LEAST_SHARPNESS)
        text = f"the face is blurred: sharpness {sharpness}, expected at least {least}"
        flaws.append(Flaw("blurred", text, face.sharpness, LEAST_SHARPNESS))
    return (*flaws, *_pose_flaws(face), *_companion_flaws(faces))


def _pose_flaws(face: FaceSample) -> list[Flaw]:
    flaws = []
    if not abs(face.turn) <= LARGEST_TURN:
        turn, most = format_apart(abs(face.turn), LARGEST_TURN, digits=2)
        text = (
            f"the face is turned to the side: the nose is {turn} eye distances off the middle, expected at most {most}"
        )
        flaws.append(Flaw("turned", text, abs(face.turn), LARGEST_TURN))
    if not NOSE_RANGE[0] <= face.nose_height <= NOSE_RANGE[1]:
        looks_up = face.nose_height < NOSE_RANGE[0]
        height, _ = format_apart(face.nose_height, NOSE_RANGE[0 if looks_up else 1], digits=2)
        text = (
            f"the face looks {'up' if looks_up else 'down'}: the nose is {height} of the way from eyes to mouth, "
            f"expected {NOSE_RANGE[0]} to {NOSE_RANGE[1]}"
        )
        limit = NOSE_RANGE[0 if looks_up else 1]
        flaws.append(Flaw("looks_up" if looks_up else "looks_down", text, face.nose_height, limit))
    return flaws


def _companion_flaws(faces: PhotoFaces) -> list[Flaw]:
    face = main_face(faces)
    companions = [other.size for row, other in enumerate(faces.samples) if row != faces.main]
    if companions and max(companions) > LARGEST_COMPANION * face.size:
        text = (
            f"it is not clear whose photo this is: another face is {max(companions):.0f} pixels large, "
            f"the main one {face.size:.0f}; say which with --face"
        )
        return [Flaw("companion", text, max(companions), LARGEST_COMPANION * face.size)]
    return []


def least_agreement(head: Head) -> float:
    """Return the least score with one of their other photos that a person's photo needs.

    It is what one pair of strangers in a hundred reaches; the head's own threshold where no curve is known, which is
    stricter.
    """
    curve = head.threshold_record.curve or curve_for(head.fingerprint, head.matcher.background)
    return head.threshold if curve is None else min(head.threshold, curve.at(1))


Candidates = list[tuple[str, PhotoFaces]]


def _new_ones(head: Head, found: Candidates, identity: str) -> tuple[Candidates, list[str]]:
    """Return the photos that are not enrolled as `identity` yet, each once, and the names of the others."""
    label = find_name(head.labels, identity)
    known_faces = head.gallery.selected(head.gallery.identities == label)
    new: Candidates = []
    known: list[str] = []
    for name, photo in found:
        exemplar = gallery_of([main_face(photo)], identity)
        if same_faces(exemplar, known_faces)[0]:
            known.append(name)
        else:
            new.append((name, photo))
            known_faces = known_faces.added(exemplar)
    return new, known


def _of_quality(candidates: Candidates) -> tuple[Candidates, list[Refusal]]:
    judged = [(name, photo, quality_flaws(photo)) for name, photo in candidates]
    refused = [Refusal(name, flaws) for name, _, flaws in judged if flaws]
    return [(name, photo) for name, photo, flaws in judged if not flaws], refused


def _in_agreement(head: Head, candidates: Candidates, identity: str) -> tuple[Candidates, list[Refusal]]:
    """Split photos by whether they agree with the person's others, enrolled or in the same batch."""
    if not candidates:
        return [], []
    batch = gallery_of([main_face(photo) for _, photo in candidates], identity)
    label = find_name(head.labels, identity)
    own = head.gallery.selected(head.gallery.identities == label)
    others = Matcher(own.added(batch), head.matcher.background)
    scores = others.scores(others.prepare(batch.vectors))
    rows = np.arange(len(batch))
    # A face agrees with itself, and those of one clip with each other: neither says whose it is.
    scores[:, len(own) :][batch.image_sha256[:, None] == batch.image_sha256] = -np.inf
    agreement = scores.max(axis=1)
    taken_for = _taken_for(head, batch, label or "", agreement=agreement)
    accepted, refused = [], []
    for row, candidate in enumerate(candidates):
        flaws = _disagreements(head, batch.selected(rows == row), label, agreement=float(agreement[row]))
        other = taken_for[row]
        flaws = flaws if other is None else [other, *flaws]
        if flaws:
            refused.append(Refusal(candidate[0], tuple(flaws)))
        else:
            accepted.append(candidate)
    return accepted, refused


def _taken_for(head: Head, batch: Gallery, label: str, *, agreement: NDArray[np.float64]) -> list[Flaw | None]:
    """Return for each face which other person it is taken for, None for none.

    Faces of one clip are one person's: half of them must be taken for the same other person, and then all are.
    """
    match = head.match(batch.vectors)
    taken = (match.identities != label) & (match.scores >= head.threshold) & (match.scores > agreement)
    flaws: list[Flaw | None] = []
    for sha256 in batch.image_sha256:
        of_clip = batch.image_sha256 == sha256
        names, counts = np.unique(match.identities[of_clip & taken], return_counts=True)
        flaw = None
        if len(names) and 2 * counts.max() >= of_clip.sum():
            choice = str(names[np.argmax(counts)])
            score = match.scores[of_clip & taken & (match.identities == choice)].max()
            text = f"it is taken for {choice!r}, who is enrolled (score {score:.2f})"
            flaw = Flaw("taken_for", text, float(score), head.threshold, choice)
        flaws.append(flaw)
    return flaws


def _disagreements(head: Head, face: Gallery, label: str | None, *, agreement: float) -> list[Flaw]:
    """Return what speaks against one face being the person it is said to be."""
    flaws = []
    rejections = head.rejections
    if label is not None and np.any((rejections.identities == label) & same_faces(rejections, face)):
        flaws.append(Flaw("rejected", f"it was rejected as {label!r} before", name=label))
    needed = least_agreement(head)
    if np.isfinite(agreement) and agreement < needed:
        score_text, least = format_apart(agreement, needed, digits=2)
        text = (
            f"it is unlike the person's other photos: score {score_text} with the nearest, "
            f"expected at least {least} (strangers reach that in {CURVE_FPIR:.0%} of cases)"
        )
        flaws.append(Flaw("unlike", text, agreement, needed))
    return flaws
