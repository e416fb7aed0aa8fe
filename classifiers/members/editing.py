"""Change who a head knows: faces join and people leave, and nothing is fitted again that need not be."""

import unicodedata
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

import numpy as np

from classifiers.errors import HeadFileError, IdentityError
from classifiers.heads.decision_rules import DecisionRule, NearestRule
from classifiers.heads.head import Head
from classifiers.members.face_samples import FaceSample
from classifiers.scores.gallery import FROM_ENROLMENT, UNKNOWN, Gallery, summarize_names
from classifiers.scores.matcher import Matcher
from classifiers.scores.same_faces import same_faces
from foundation.errors import InputError
from foundation.text import has_letter_or_digit, normalize_name

# A change of a large head takes seconds, most of them for the photos; then the next one may have it.
_LOCK_SECONDS = 60.0


def check_name(name: str) -> str:
    """Return `name` in Unicode's composed form, without surrounding space, if a person may be called that.

    Raises
    ------
    IdentityError
        If it is empty or ``unknown``, or holds characters that cannot be printed.
    """
    stripped = normalize_name(name)
    if not stripped:
        raise IdentityError("`name` must not be empty, got nothing but space; give the person's name")
    if stripped == UNKNOWN:
        raise IdentityError(f"`name` may not be {UNKNOWN!r}, which is what a stranger is called; choose another")
    if not stripped.isprintable():
        raise IdentityError(f"`name` must be printable text, got {stripped!r}; leave the other characters out")
    return stripped


def check_new_name(name: str) -> str:
    """Return `name` as `check_name` does, if somebody may be enrolled as that: it also holds a letter or a digit.

    Heads of before may hold people called ``-``: they can be forgotten and looked for, but not enrolled.

    Raises
    ------
    IdentityError
        If nobody may be enrolled as that.
    """
    checked = check_name(name)
    if not has_letter_or_digit(checked):
        raise IdentityError(f"`name` must hold a letter or a digit, got {checked!r}; give the person's name")
    return checked


def find_name(labels: Sequence[str], name: str) -> str | None:
    """Return how `labels` spell `name`, or None if they do not have it.

    Accented letters may be stored as one character or as two; both are the same name.

    >>> find_name(["Ada", "Jose\\u0301"], "Jos\\u00e9") == "Jose\\u0301"
    True
    """
    if name in labels:
        return name
    plain = unicodedata.normalize("NFC", name)
    return next((label for label in labels if unicodedata.normalize("NFC", label) == plain), None)


def enrolled_name(head: Head, name: str) -> str:
    """Return how `head` spells `name`.

    Raises
    ------
    IdentityError
        If the person is not enrolled.
    """
    label = find_name(head.labels, name)
    if label is None:
        raise IdentityError(f"{name!r} is not enrolled; enrolled are {summarize_names(head.labels)}")
    return label


def enrol_faces(head: Head, faces: Sequence[FaceSample], identity: str) -> Head:
    """Return `head` with `faces` enrolled as `identity`; rejections of these very faces are taken back.

    Parameters
    ----------
    head : Head
        Stays as it is.
    faces : sequence of FaceSample
        At least one.
    identity : str
        Somebody new, or somebody who is enrolled.

    Raises
    ------
    IdentityError
        If the name cannot be had.
    ValueError
        If there is no face, or a vector is not of the head's length.
    """
    name = check_new_name(identity)
    if not faces:
        raise InputError("`faces` must hold at least one face, got none; give a photo of the person")
    label = find_name(head.labels, name)
    more = gallery_of(faces, name if label is None else label)
    changed = replace_matcher(head, head.matcher.added(more))
    against = head.rejections
    taken_back = (against.identities == label) & same_faces(against, more)
    return changed.replaced(rejections=against.selected(~taken_back)) if taken_back.any() else changed


def remove_person(head: Head, identity: str) -> Head:
    """Return `head` without a person.

    Taken out are their exemplars, what was rejected as them, and their face where it was rejected as somebody else.

    Raises
    ------
    IdentityError
        If the person is not enrolled, or nobody would be left.
    """
    label = enrolled_name(head, identity)
    leaving = head.gallery.identities == label
    if leaving.all():
        raise IdentityError(
            f"{label!r} is the only person enrolled, and a head needs at least one; "
            "delete the head's file instead, or enrol somebody else first"
        )
    against = head.rejections
    theirs = (against.identities == label) | same_faces(against, head.gallery.selected(leaving))
    changed = replace_matcher(head, head.matcher.selected(~leaving))
    return changed.replaced(rejections=against.selected(~theirs))


def replace_matcher(head: Head, matcher: Matcher) -> Head:
    """Return `head` with the exemplars of `matcher`: its rule fitted to them, a threshold from a curve read again."""
    threshold = head.threshold_record.for_gallery(len(matcher.gallery), n_compared=matcher.n_compared)
    return head.replaced(matcher=matcher, decision_rule=refit_decision_rule(head, matcher), threshold_record=threshold)


def refit_decision_rule(head: Head, matcher: Matcher) -> DecisionRule:
    """Return the decision rule of a head like `head` with the exemplars of `matcher`; a gallery needs no fitting."""
    if head.name == "gallery":
        return NearestRule()
    from classifiers.files.head_estimator import estimator_of
    from classifiers.heads.open_set import fit_decision_rule

    return fit_decision_rule(estimator_of(head), matcher)


def gallery_of(faces: Sequence[FaceSample], identity: str) -> Gallery:
    """Return `faces` as exemplars of `identity`."""
    return Gallery.build(
        np.stack([face.vector for face in faces]),
        [identity] * len(faces),
        paths=[face.path for face in faces],
        image_sha256=[face.image_sha256 for face in faces],
        boxes=np.stack([face.box for face in faces]),
        origin=FROM_ENROLMENT,
    )


@contextmanager
def locked_for_editing(path: str | Path, *, seconds: float = _LOCK_SECONDS) -> Iterator[None]:
    """Hold the lock of the head at `path` while it is changed; wait up to `seconds` for another process that has it.

    Raises
    ------
    HeadFileError
        If another process is still changing it then.
    OSError
        If the folder is not there or cannot be written.
    """
    import filelock

    target = Path(path)
    if not target.is_file():
        target.open("rb").close()  # raises what is wrong with it, before a lock is left beside it
    place = target.resolve()  # all links to a head share its lock
    lock_path = place.with_name(f".{place.name}.lock")
    lock = filelock.FileLock(lock_path, timeout=seconds, thread_local=False, fallback_to_soft=False)
    try:
        lock.acquire()
    except filelock.Timeout:
        raise HeadFileError(
            f"{target}: expected to be the only one changing it, but another process has been for {seconds:g} s; "
            "wait for that one and run this again"
        ) from None
    except OSError as error:
        raise OSError(
            error.errno,
            f"expected to change it, the lock beside it cannot be made ({error.strerror}); change its folder's "
            "permissions or copy it elsewhere",
            str(target),
        ) from error
    try:
        yield
    finally:
        # Whoever has opened this file meanwhile finds, once the lock is theirs, that it lost its name (filelock looks).
        with suppress(OSError):
            lock_path.unlink()
        lock.release()
