"""Heads: exemplars, rejections, and the paths of other people's photos."""

import zipfile
from collections.abc import Iterable
from dataclasses import replace
from functools import lru_cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from classifiers.files.head_file import load_head, save_head
from classifiers.heads.head import Head
from classifiers.members.audit import Finding, audit_head
from classifiers.members.editing import locked_for_editing, replace_matcher
from classifiers.scores.gallery import Gallery
from classifiers.scores.matcher import Matcher
from foundation.text import pluralize
from people.forgetting.holder import Outcome, finding
from people.forgetting.person import Person

_ZIP_MAGIC = b"PK\x03\x04"


class Heads:
    """Heads; see `people.forgetting.holder.Holder`.

    Parameters
    ----------
    trust : iterable of str
        Types whose code a head may run beside the trusted ones, see `classifiers.load_head`.
    """

    noun = "head"

    def __init__(self, trust: Iterable[str] = ()) -> None:
        self._trust = tuple(trust)

    def claims(self, path: Path, beginning: bytes) -> bool:
        """Return whether a file is a head, or a zip archive that cannot be read."""
        if not beginning.startswith(_ZIP_MAGIC):
            return False
        try:
            with zipfile.ZipFile(path) as archive:
                return "facetable.json" in archive.namelist()
        except zipfile.BadZipFile:
            return True

    def learn(self, path: Path, person: Person) -> None:
        """Remember the person's exemplars."""
        head = _load(path, self._trust)
        person.learn(head.gallery.selected(_are_theirs(head, head.gallery, person)), head.fingerprint)

    def find(self, path: Path, person: Person) -> list[Finding]:
        """Return kinds of `audit_head`, ``faces under other names``, and ``photo folder``."""
        head = _load(path, self._trust)
        others = []
        for gallery in (head.gallery, head.rejections):
            own = np.array([person.is_name(name) for name in gallery.identities], np.bool_)
            others += gallery.paths[_are_theirs(head, gallery, person) & ~own].tolist()
        roots = [head.photo_root] if person.is_called(head.photo_root) else []
        return [
            *(audit_head(head, person.name) if person.name else ()),
            *finding("faces under other names", others),
            *finding(
                "paths that mention them",
                (path for path in head.gallery.paths if person.is_mentioned(path) and not person.is_called(path)),
            ),
            *finding("photo folder", roots),
        ]

    def forget(self, path: Path, person: Person) -> Outcome:
        """Write the head anew without the person; a head of nobody else is deleted."""
        with locked_for_editing(path):
            head = load_head(path, trust=self._trust)
            leaving = _are_theirs(head, head.gallery, person)
            if leaving.all():
                path.unlink()
                return Outcome("deleted: nobody else was enrolled in it")
            changed = replace_matcher(head, head.matcher.selected(~leaving)) if leaving.any() else head
            against = head.rejections.selected(~_are_theirs(head, head.rejections, person))
            matcher = changed.matcher
            matcher = Matcher(
                _without_paths(matcher.gallery, person),
                matcher.background,
                levels=None if matcher.background is None else matcher.levels,
                person_score=matcher.person_score,
            )
            save_head(changed.replaced(matcher=matcher, rejections=_without_paths(against, person)), path)
        n_rejections = len(head.rejections) - len(against)
        by_hand = (
            [f"its photo folder is called like them ({head.photo_root}): rename it, then train again"]
            if person.is_called(head.photo_root)
            else []
        )
        exemplars, rejected = pluralize(int(leaving.sum()), "exemplar"), pluralize(n_rejections, "rejected face")
        return Outcome(f"{exemplars} and {rejected} removed", by_hand)


def _load(path: Path, trust: tuple[str, ...]) -> Head:
    """Return a head, from memory where it was just read: one of another scikit-learn is fitted anew by reading it."""
    status = path.stat()
    return _load_once(path, (status.st_ino, status.st_size, status.st_mtime_ns), trust)


@lru_cache(maxsize=64)
def _load_once(path: Path, _state: tuple[int, ...], trust: tuple[str, ...]) -> Head:
    return load_head(path, trust=trust)


def _are_theirs(head: Head, faces: Gallery, person: Person) -> NDArray[np.bool_]:
    """Return ``(n,)`` bool: which faces of a head are the person's, or were rejected as them."""
    theirs = np.array([person.is_name(name) for name in faces.identities], np.bool_)
    theirs |= person.known_in(faces, head.fingerprint)
    return theirs | person.looks_like(
        faces.vectors, head.fingerprint, threshold=head.threshold, background=head.matcher.background
    )


def _without_paths(gallery: Gallery, person: Person) -> Gallery:
    """Return a gallery that does not say where photos are whose paths have the name; the faces stay."""
    called = np.array([person.is_called(path) or person.is_mentioned(path) for path in gallery.paths], np.bool_)
    return replace(gallery, paths=np.where(called, "", gallery.paths)) if called.any() else gallery
