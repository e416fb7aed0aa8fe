"""Enrol somebody with pictures: those that are good enough are kept, and their faces get the name by one decision."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from classifiers.heads.head import Head
from classifiers.members.enrolment import NO_FACE, Flaw, enrol, main_face, quality_flaws
from classifiers.members.face_samples import FaceSample, PhotoFaces
from people.enrolling.pictures import EnrolledPicture, keep_picture
from people.store.records import Decision, Face, check_name
from people.store.store import PeopleStore
from people.workspace.workspace import Workspace

PictureState = Literal["enrolled", "known", "refused"]


@dataclass(frozen=True, eq=False)
class Candidate:
    """A picture, and the faces that were found on its pixels."""

    picture: EnrolledPicture
    faces: PhotoFaces


@dataclass(frozen=True)
class PictureOutcome:
    """What became of a picture: enrolled, known to show the person already, or refused for its flaws."""

    state: PictureState
    flaws: tuple[Flaw, ...] = ()


@dataclass(frozen=True)
class EnrolmentReport:
    """What came of enrolling: an outcome for each picture, and the decision, None where nothing was enrolled."""

    outcomes: tuple[PictureOutcome, ...]
    decision: Decision | None


def judge(faces: PhotoFaces) -> tuple[Flaw, ...]:
    """Return what speaks against knowing somebody by a picture, whoever it is; nothing if it is good."""
    return quality_flaws(faces) if faces.samples else (NO_FACE,)


def enrol_pictures(
    workspace: Workspace,
    store: PeopleStore,
    candidates: Sequence[Candidate],
    name: str,
    *,
    head: Head | None,
    force: bool = False,
) -> EnrolmentReport:
    """Keep good pictures of one person in the workspace, and say by one decision that their main faces are `name`.

    They are photos like all others then: the next scan takes their faces into the table and the head, `undo` takes the
    name back, and forgetting somebody deletes the pictures of them.

    Parameters
    ----------
    workspace : Workspace
    store : PeopleStore
    candidates : sequence of Candidate
    name : str
        Somebody new, or somebody who has a name.
    head : Head or None
        The workspace's, whose people the faces are compared with; None where it has none.
    force : bool
        Enrol also faces that are too small, blurred, turned away, taken for somebody else, or unlike the person's.

    Raises
    ------
    PersonError
        If nobody can be called so.
    OSError
        If the workspace cannot be written.
    StoreError
        If the decision cannot be made; no picture is kept then.
    """
    name = check_name(name)
    known = _photos_of(store, name)
    fresh = {one.picture.sha256: one for one in candidates if one.picture.sha256 not in known}
    flaws = _flaws(list(fresh.values()), name, head=head, force=force)
    chosen = [one for sha256, one in fresh.items() if not flaws[sha256]]
    decision = _keep(workspace, store, chosen, name) if chosen else None
    outcomes, seen = [], set(known)
    for one in candidates:
        sha256 = one.picture.sha256
        if sha256 in seen:
            outcomes.append(PictureOutcome("known"))
        elif flaws[sha256]:
            outcomes.append(PictureOutcome("refused", flaws[sha256]))
        else:
            outcomes.append(PictureOutcome("enrolled"))
            seen.add(sha256)
    return EnrolmentReport(tuple(outcomes), decision)


def _photos_of(store: PeopleStore, name: str) -> set[str]:
    people = store.people_called(name)
    return {face.photo_sha256 for person in people for face in store.faces_of(person)}


def _flaws(
    candidates: Sequence[Candidate], name: str, *, head: Head | None, force: bool
) -> dict[str, tuple[Flaw, ...]]:
    """Return what speaks against each picture, by its hash."""
    if force or head is None:
        judged = {one.picture.sha256: judge(one.faces) for one in candidates}
        return {key: tuple(flaw for flaw in flaws if flaw == NO_FACE or not force) for key, flaws in judged.items()}
    photos = [(one.picture.sha256, one.faces) for one in candidates]
    refused = {refusal.path: refusal.flaws for refusal in enrol(head, photos, name).refused}
    others = {key for key, flaws in refused.items() if any(flaw.kind == "taken_for" for flaw in flaws)}
    if others:  # the person's own pictures need not be like somebody else's among them
        again = enrol(head, [(key, faces) for key, faces in photos if key not in others], name)
        refused = {key: refused[key] for key in others} | {refusal.path: refusal.flaws for refusal in again.refused}
    return {one.picture.sha256: refused.get(one.picture.sha256, ()) for one in candidates}


def _keep(workspace: Workspace, store: PeopleStore, chosen: Sequence[Candidate], name: str) -> Decision:
    """Write the pictures, then decide; where that fails, the pictures go again."""
    written = []
    try:
        for one in chosen:
            if keep_picture(workspace, one.picture):
                written.append(workspace.enrolled / one.picture.name)
        return store.name([_face_of(one.picture, main_face(one.faces)) for one in chosen], name)
    except BaseException:
        for place in written:
            place.unlink(missing_ok=True)
        raise


def _face_of(picture: EnrolledPicture, sample: FaceSample) -> Face:
    height, width = picture.pixels.shape[:2]
    return Face.in_pixels(picture.sha256, sample.box, (width, height))
