"""Hold the enrolled faces: adding or removing a person changes rows and fits nothing again."""

import dataclasses
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from classifiers.errors import IdentityError
from classifiers.scores.neighbors import check_vectors, unit_rows
from foundation.errors import InputError
from foundation.head_files.description import RESERVED_NAME
from foundation.text import pluralize

UNKNOWN = RESERVED_NAME

# Where an exemplar comes from: the table the head was trained on, somebody who enrolled it in the finished head, or the
# table, which has it under a name that somebody has changed in the finished head.
FROM_TABLE: Final = "table"
FROM_ENROLMENT: Final = "enrolled"
FROM_RENAMING: Final = "renamed"
ORIGINS: Final = ("", FROM_TABLE, FROM_ENROLMENT, FROM_RENAMING)


@dataclass(frozen=True, eq=False)
class Gallery:
    """Enrolled faces, the exemplars: one row per face, in the order of enrolment. Build one with `Gallery.build`.

    Attributes
    ----------
    vectors : (m, d) float32, unit length (a zero row stays zero)
    identities : (m,) str
    paths : (m,) str
        The photo of each exemplar, relative to the photo folder; ``""`` where unknown.
    image_sha256 : (m,) str
        Hash of that photo; ``""`` where unknown.
    boxes : (m, 4) float32
        The face in that photo, pixels: x_min, y_min, x_max, y_max, max exclusive; NaN where unknown.
    origins : (m,) str
        One of `ORIGINS`: ``"table"``, ``"enrolled"``, ``"renamed"``, or ``""`` where unknown.

    >>> gallery = Gallery.build([[1.0, 0.0], [0.0, 2.0], [0.0, 1.0]], ["Ada", "Bo", "Bo"])
    >>> gallery.photos_per_identity
    {'Ada': 1, 'Bo': 2}
    >>> gallery.without("Ada").labels.tolist()
    ['Bo']
    """

    vectors: NDArray[np.float32]
    identities: NDArray[np.str_]
    paths: NDArray[np.str_]
    image_sha256: NDArray[np.str_]
    boxes: NDArray[np.float32] = field(repr=False)
    origins: NDArray[np.str_] = field(repr=False)

    @classmethod
    def build(
        cls,
        vectors: ArrayLike,
        identities: Sequence[str] | NDArray[Any],
        *,
        paths: Sequence[str] | NDArray[Any] | None = None,
        image_sha256: Sequence[str] | NDArray[Any] | None = None,
        boxes: ArrayLike | None = None,
        origin: str = "",
    ) -> "Gallery":
        """Return a gallery of the rows that have an identity; rows with identity ``""`` are left out.

        Parameters
        ----------
        vectors : (n, d) array
            Scaled to unit length.
        identities : (n,) str
        paths, image_sha256, boxes
            As the attributes, ``(n,)``, ``(n,)`` and ``(n, 4)``; by default unknown.
        origin : str
            Where they all come from, one of `ORIGINS`.

        Raises
        ------
        ValueError
            If a vector is not finite, or the columns differ in length.
        IdentityError
            If an identity is called ``unknown``.
        """
        checked = check_vectors("vectors", vectors)
        names = np.array([str(name) for name in identities], dtype=np.str_)
        n_rows = len(checked)
        columns = {
            "identities": names,
            "paths": np.array([""] * n_rows if paths is None else [str(path) for path in paths], dtype=np.str_),
            "image_sha256": np.array([""] * n_rows if image_sha256 is None else list(image_sha256), dtype=np.str_),
            "boxes": np.asarray(np.full((n_rows, 4), np.nan) if boxes is None else boxes, np.float32),
            "origins": np.full(n_rows, origin),
        }
        for column, values in columns.items():
            if len(values) != n_rows:
                raise InputError(f"`{column}` must have one entry per vector: expected {n_rows}, got {len(values)}")
        if np.any(names == UNKNOWN):
            raise IdentityError(
                f"an identity may not be called {UNKNOWN!r}, which is what a stranger is called; "
                f"rename it (found in row {int(np.argmax(names == UNKNOWN))})"
            )
        named = names != ""
        return cls(unit_rows(checked[named]), **{column: values[named] for column, values in columns.items()})

    def __len__(self) -> int:
        return len(self.vectors)

    @cached_property
    def labels(self) -> NDArray[np.str_]:
        """The enrolled identities ``(k,)``, sorted, each once."""
        return np.unique(self.identities)

    @cached_property
    def codes(self) -> NDArray[np.int64]:
        """The position ``(m,)`` in `labels` of each exemplar's identity."""
        return np.searchsorted(self.labels, self.identities).astype(np.int64)

    @property
    def photos_per_identity(self) -> dict[str, int]:
        """How many exemplars each identity has."""
        return dict(zip(self.labels.tolist(), np.bincount(self.codes).tolist(), strict=True))

    def added(self, other: "Gallery") -> "Gallery":
        """Return a gallery with the exemplars of `other` after these.

        Raises
        ------
        ValueError
            If the vectors differ in length.
        """
        if len(self) and len(other) and self.vectors.shape[1] != other.vectors.shape[1]:
            raise InputError(
                f"`other` must hold vectors of length {self.vectors.shape[1]}, got {other.vectors.shape[1]}; "
                "embed its photos with the same preset"
            )
        columns = [column.name for column in dataclasses.fields(self)]
        return Gallery(**{name: np.concatenate([getattr(self, name), getattr(other, name)]) for name in columns})

    def renamed(self, rows: NDArray[np.bool_], identity: str, *, origin: str = "") -> "Gallery":
        """Return a gallery in which the exemplars of the mask `rows` are `identity`; an `origin` replaces theirs."""
        changes = {"identities": np.where(rows, identity, self.identities)}
        if origin:
            changes["origins"] = np.where(rows, origin, self.origins)
        return dataclasses.replace(self, **changes)

    def without(self, identity: str) -> "Gallery":
        """Return a gallery without the exemplars of `identity`.

        Raises
        ------
        IdentityError
            If `identity` is not enrolled.
        """
        leaving = self.identities == identity
        if not leaving.any():
            raise IdentityError(f"{identity!r} is not enrolled; enrolled are {summarize_names(self.labels)}")
        return self.selected(~leaving)

    def filtered(
        self, *, identities: Sequence[str] | None = None, min_photos: int = 1, always: Collection[str] = ()
    ) -> "Gallery":
        """Return a gallery of the people in `identities` (default: all) that have at least `min_photos` exemplars.

        People in `always` are kept with fewer.

        Raises
        ------
        IdentityError
            If one of `identities` is not here, or nobody is left.
        ValueError
            If `min_photos` is below 1.
        """
        if min_photos < 1:
            raise InputError(f"`min_photos` must be at least 1, got {min_photos}")
        counts = self.photos_per_identity
        missing = sorted(set(identities) - set(counts)) if identities is not None else []
        if missing:
            raise IdentityError(
                f"not among the table's identities: {summarize_names(missing)}; they are {summarize_names(self.labels)}"
            )
        wanted = counts if identities is None else identities
        kept = [name for name in wanted if counts[name] >= min_photos or name in always]
        if not kept:
            raise IdentityError(
                f"nobody is left to enrol: {pluralize(len(counts), 'identity', 'identities')} in the table, none that "
                f"is asked for has at least {pluralize(min_photos, 'photo')}; put photos into one folder per person "
                "and embed them, or embed them with --identity-from filename, or lower --min-photos"
            )
        return self.selected(np.isin(self.identities, kept))

    def selected(self, rows: NDArray[Any]) -> "Gallery":
        """Return a gallery of the exemplars that `rows` (a mask or indices) picks."""
        columns = [column.name for column in dataclasses.fields(self)]
        return Gallery(**{name: getattr(self, name)[rows] for name in columns})


def summarize_names(names: Sequence[str] | NDArray[np.str_], limit: int = 8) -> str:
    """Return `names` as one readable list, cut after `limit`.

    >>> summarize_names(["Ada", "Bo", "Cy"], limit=2)
    'Ada, Bo and 1 more'
    """
    shown = ", ".join(str(name) for name in names[:limit])
    if len(names) > limit:
        return f"{shown} and {len(names) - limit} more"
    return shown or "nobody"
