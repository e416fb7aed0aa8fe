"""Audit whether a table or a head still holds a person: their name, their rows, and paths called like them."""

import unicodedata
from collections.abc import Iterable
from pathlib import PurePosixPath
from typing import Any, NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from classifiers.heads.head import Head
from classifiers.members.editing import check_name


class Finding(NamedTuple):
    """One kind of place where a file holds a person.

    Attributes
    ----------
    kind : str
        Such as ``exemplars``: see `audit_head` and `audit_table`.
    n_found : int
        At least 1.
    example : str
        One of the paths, ``""`` where there is none.
    """

    kind: str
    n_found: int
    example: str


class Ledger(Protocol):
    """The input files of a table."""

    @property
    def path(self) -> Any:
        """Return the path of each, ``(n,)``."""


class Table(Protocol):
    """The columns of an embedding table that are looked at."""

    @property
    def identities(self) -> Any:
        """Return the identity of each row, ``(n,)``."""

    @property
    def paths(self) -> Any:
        """Return the photo of each row, ``(n,)``."""

    @property
    def images(self) -> Ledger:
        """Return the input files."""


def audit_head(head: Head, name: str) -> list[Finding]:
    """Return where `head` holds the person.

    Kinds: ``exemplars`` enrolled under the name; ``rejections`` of faces that are not the person; ``paths`` of other
    exemplars and rejections that are called like them (a folder, or the file without its suffix).

    Raises
    ------
    IdentityError
        If nobody can be called `name`.
    """
    wanted = _plain(check_name(name))
    findings = []
    others: list[str] = []
    for kind, gallery in (("exemplars", head.gallery), ("rejections", head.rejections)):
        own = _are(gallery.identities, wanted)
        findings.append(_finding(kind, gallery.paths[own]))
        others += gallery.paths[~own].tolist()
    findings.append(_finding("paths", [path for path in others if _is_called(path, wanted)]))
    return [finding for finding in findings if finding.n_found]


def audit_table(table: Table, name: str) -> list[Finding]:
    """Return where an embedding table holds the person.

    Kinds: ``rows`` with the identity; ``rows at paths`` called like them, but of another or no identity (such as a
    second face of a photo in their folder); ``files`` called like them in its list of files, of which it has no row.

    Raises
    ------
    IdentityError
        If nobody can be called `name`.
    """
    wanted = _plain(check_name(name))
    paths = np.asarray(table.paths, dtype=object)
    own = _are(table.identities, wanted)
    with_rows = set(paths.tolist())
    findings = [
        _finding("rows", paths[own]),
        _finding("rows at paths", [path for path in paths[~own] if _is_called(path, wanted)]),
        _finding("files", [path for path in table.images.path if path not in with_rows and _is_called(path, wanted)]),
    ]
    return [finding for finding in findings if finding.n_found]


def _finding(kind: str, paths: Iterable[Any]) -> Finding:
    found = [str(path) for path in paths]
    return Finding(kind, len(found), next((path for path in found if path), ""))


def _are(identities: Iterable[Any], wanted: str) -> NDArray[np.bool_]:
    return np.array([_plain(str(identity)) == wanted for identity in identities], np.bool_)


def _is_called(path: str, wanted: str) -> bool:
    place = PurePosixPath(_plain(str(path)))
    return wanted in place.parts or place.stem == wanted


def _plain(text: str) -> str:
    # Accented letters may be stored as one character or as two; both are the same name.
    return unicodedata.normalize("NFC", text)
