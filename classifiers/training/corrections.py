"""Carry over what people have said to a head when it is trained again: whom they enrolled, and who a face is not.

Faces are matched by the photo's hash, then by box or vector. What was said to the head stands over what the table
says, for the table says what folder a photo lies in. Once the table has an enrolled face under the same name, the
table alone speaks for it. Names that were changed in the head are changed in the table, which goes on naming people
after their folders.
"""

import dataclasses
import logging
from pathlib import PurePosixPath, PureWindowsPath
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from classifiers.heads.head import Head
from classifiers.scores.gallery import FROM_ENROLMENT, FROM_RENAMING, Gallery
from classifiers.scores.same_faces import same_face_pairs, same_faces
from foundation.errors import SpaceMismatchError
from foundation.fingerprint import Fingerprint
from foundation.paths import path_at, split_moment
from foundation.text import normalize_name, pluralize

logger = logging.getLogger(__name__)

# How many faces a warning names.
_N_NAMED = 5


class Corrected(NamedTuple):
    """A table's exemplars, as a head's corrections leave them.

    Attributes
    ----------
    gallery : Gallery
        The table's exemplars without those that were said to be somebody else's, then the enrolled ones.
    enrolled_names : frozenset of str
        Whose photos were enrolled.
    rejections : Gallery
        Faces that are not the identity they stand under.
    """

    gallery: Gallery
    enrolled_names: frozenset[str]
    rejections: Gallery


def carry_over(previous: Head, gallery: Gallery, *, faces: Gallery, fingerprint: Any, photo_root: str) -> Corrected:
    """Return a table's exemplars with the enrolments and rejections of the head that was trained before.

    Heads of before 0.2 do not say which faces were enrolled. Those of theirs that are not in the table are kept if they
    cannot come from it or lie in the folder of its photos, where one cannot know; a warning says how many others there
    are.

    Parameters
    ----------
    previous : Head
        The head that is to be replaced.
    gallery : Gallery
        The rows of the table that have an identity.
    faces : Gallery
        All rows of the table; their identities do not matter.
    fingerprint : mapping
        The table's.
    photo_root : str
        The folder the table's paths are relative to.

    Raises
    ------
    SpaceMismatchError
        If there is something to carry over, and the head's vectors are of another space than the table's.
    """
    difference = _difference(previous, fingerprint)
    gallery = _with_changed_names(gallery, previous.gallery, compare_vectors=difference is None)
    enrolled = _enrolled(previous, faces, photo_root=photo_root, compare_vectors=difference is None)
    rejections = _renamed(previous.rejections)
    if difference is not None:
        if not len(enrolled) and not len(rejections):
            return without_corrections(gallery)
        kept = f"{pluralize(len(enrolled), 'enrolled photo')} and {pluralize(len(rejections), 'rejected face')}"
        raise SpaceMismatchError(
            f"{previous.file}: expected vectors of the table's space, to carry over {kept}: {difference}; "
            "give --fresh to drop them, or another -o to keep that head"
        ) from difference
    enrolled, rejections = (
        _found_again(said, faces, before=previous.photo_root, now=photo_root) for said in (enrolled, rejections)
    )
    refused = _said_otherwise(rejections, gallery, same_name=True)
    contradicted = _said_otherwise(enrolled, gallery, same_name=False)
    _warn_of(gallery.selected(refused), "the head says they are not whom the table says")
    _warn_of(gallery.selected(contradicted & ~refused), "they were enrolled under another name")
    left = gallery.selected(~(refused | contradicted))
    rows, others = same_face_pairs(enrolled, left)
    is_new = np.ones(len(enrolled), np.bool_)
    is_new[rows[enrolled.identities[rows] == left.identities[others]]] = False
    enrolled = enrolled.selected(is_new)
    return Corrected(left.added(enrolled), frozenset(enrolled.identities.tolist()), rejections)


def without_corrections(gallery: Gallery) -> Corrected:
    """Return a table's exemplars as they are."""
    return Corrected(gallery, frozenset(), gallery.selected(np.zeros(len(gallery), np.bool_)))


def _difference(previous: Head, fingerprint: Any) -> SpaceMismatchError | None:
    """Return why the head's vectors and the table's may not be compared, if they may not."""
    try:
        if previous.fingerprint is not None:
            Fingerprint.of(fingerprint).check_same_space(previous.fingerprint, source="the table's")
    except SpaceMismatchError as error:
        return error
    return None


def _enrolled(previous: Head, faces: Gallery, *, photo_root: str, compare_vectors: bool) -> Gallery:
    """Return the exemplars of a head that were enrolled, or may have been where it does not say."""
    exemplars = previous.gallery
    is_enrolled = exemplars.origins == FROM_ENROLMENT
    unsaid = exemplars.origins == ""
    if unsaid.any():
        unsaid &= ~same_faces(exemplars, faces, compare_vectors=compare_vectors)
        elsewhere = np.array([_is_absolute(path) for path in exemplars.paths], np.bool_)
        of_photos = np.isin(exemplars.image_sha256, faces.image_sha256) & (exemplars.image_sha256 != "")
        maybe = unsaid & (elsewhere | of_photos | (previous.photo_root == photo_root))
        n_others = int(np.sum(unsaid & ~maybe))
        if n_others:
            logger.warning(
                "%s does not say which photos were enrolled: %s of another folder, not in the table, are left out",
                previous.file,
                pluralize(n_others, "photo"),
            )
        is_enrolled |= maybe
    return _renamed(exemplars.selected(is_enrolled))


def _with_changed_names(gallery: Gallery, before: Gallery, *, compare_vectors: bool) -> Gallery:
    """Return a table's exemplars under the names that people were given in the head (rename, merge).

    The photos that were renamed keep their new name. So does a new photo under a name of the table all of whose known
    photos were renamed to one.
    """
    if not (before.origins == FROM_RENAMING).any():
        return gallery
    known, rows = same_face_pairs(before, gallery, compare_vectors=compare_vectors)
    new_name = {
        row: str(before.identities[exemplar])
        for exemplar, row in zip(known.tolist(), rows.tolist(), strict=True)
        if before.origins[exemplar] == FROM_RENAMING
    }
    names = gallery.identities.astype(object)
    for label in gallery.labels:
        own = gallery.identities == label
        said = {new_name.get(row, str(label)) for row in np.unique(rows[own[rows]]).tolist()}
        if len(said) == 1:
            names[own] = said.pop()
    for row, name in new_name.items():
        names[row] = name
    changed = names != gallery.identities
    origins = np.where(changed, FROM_RENAMING, gallery.origins)
    return dataclasses.replace(gallery, identities=names.astype(np.str_), origins=origins)


def _renamed(gallery: Gallery) -> Gallery:
    """Return a gallery with names as they are written today."""
    names = np.array([normalize_name(name) for name in gallery.identities], dtype=np.str_)
    return dataclasses.replace(gallery, identities=names)


def _found_again(said: Gallery, faces: Gallery, *, before: str, now: str) -> Gallery:
    """Return faces with paths that hold for the table: where it has the photo, else absolute if the folder changed."""
    path_of = dict(zip(faces.image_sha256.tolist(), faces.paths.tolist(), strict=True))
    path_of.pop("", None)
    paths = [
        _at_moment_of(str(path), path_of.get(str(sha256)))
        or (str(path) if before == now else _absolute(str(path), before))
        for path, sha256 in zip(said.paths, said.image_sha256, strict=True)
    ]
    return dataclasses.replace(said, paths=np.array(paths, dtype=np.str_))


def _at_moment_of(path: str, found: str | None) -> str:
    """Return the path of a clip or photo that was `found` again, at the moment that `path` has; "" for none."""
    time_s = split_moment(path)[1]
    return found or "" if found is None or time_s is None else path_at(found, time_s)


def _absolute(path: str, root: str) -> str:
    if not path or not root or _is_absolute(path):
        return path
    return f"{root.rstrip('/')}/{path}"


def _is_absolute(path: str) -> bool:
    return PurePosixPath(path).is_absolute() or PureWindowsPath(path).is_absolute()


def _said_otherwise(said: Gallery, gallery: Gallery, *, same_name: bool) -> NDArray[np.bool_]:
    """Return ``(m,)``: which rows of `gallery` are one of the faces `said`, and bear its name or another one."""
    rows, others = same_face_pairs(said, gallery)
    mask = np.zeros(len(gallery), np.bool_)
    mask[others[(said.identities[rows] == gallery.identities[others]) == same_name]] = True
    return mask


def _warn_of(faces: Gallery, why: str) -> None:
    if not len(faces):
        return
    named = [f"{path} ({name})" for path, name in zip(faces.paths[:_N_NAMED], faces.identities, strict=False)]
    more = f" and {len(faces) - _N_NAMED:,} more" if len(faces) > _N_NAMED else ""
    logger.warning("%s of the table left out, %s: %s%s", pluralize(len(faces), "face"), why, ", ".join(named), more)
