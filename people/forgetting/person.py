"""The person who is looked for: a name, what is known of their faces, and how both are told in a file."""

import json
import re
import unicodedata
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path, PurePath
from typing import Any

import numpy as np
from numpy.typing import NDArray

from classifiers.members.editing import check_name
from classifiers.scores.gallery import Gallery
from classifiers.scores.matcher import Matcher
from classifiers.scores.normalization import Background, choose_background
from classifiers.scores.same_faces import overlaps
from classifiers.scores.thresholds import curve_for
from foundation.errors import InputError
from foundation.fingerprint import Fingerprint

VectorsOf = Callable[[Mapping[str, Any]], NDArray[np.float32]]
"""A fingerprint to the vectors, ``(k, d)``, of the person's photos, made as those of that fingerprint."""

FacesOf = Callable[[Path], NDArray[np.float32]]
"""A picture to the vectors, ``(n, d)``, of the faces on it, made with the default network."""

# Cosine above which two vectors are one and the same but for rounding: of one crop, read and stored again.
_SAME_VECTOR = 0.9999
_ROWS_A_BLOCK = 4096
_NOTHING = re.compile(r"(?!)")


@dataclass(frozen=True)
class Looks:
    """How the person looks.

    Attributes
    ----------
    vectors_of : callable
        See `VectorsOf`; raises ``ValueError`` or ``OSError`` where no network here makes such vectors.
    faces_of : callable
        See `FacesOf`.
    default_fingerprint : mapping
        Of what `faces_of` gives.
    """

    vectors_of: VectorsOf
    faces_of: FacesOf
    default_fingerprint: Mapping[str, Any]

    def are_in(
        self,
        vectors: NDArray[np.float32],
        fingerprint: Mapping[str, Any] | None,
        *,
        threshold: float | None = None,
        background: Background | None = None,
    ) -> NDArray[np.bool_]:
        """Return ``(n,)`` bool: which vectors reach the threshold with the person's.

        Parameters
        ----------
        vectors : (n, d) float32
        fingerprint : mapping or None
        threshold : float, optional
            A head's, for scores with its `background`; by default the preset's curve decides.
        background : Background, optional

        Raises
        ------
        ValueError
            If no network here makes such vectors, or nothing says which threshold they need.
        """
        known = {} if fingerprint is None else fingerprint
        own = self.vectors_of(known)
        if threshold is None:
            background = choose_background(known)
            curve = curve_for(known, background)
            if curve is None:
                raise InputError("no threshold is known for its network, so that faces cannot be compared with --like")
            threshold = curve.at(len(own))
        matcher = Matcher(Gallery.build(own, ["like"] * len(own)), background)
        if not len(vectors):
            return np.zeros(0, np.bool_)
        return matcher.similarity(matcher.prepare(vectors))[:, 0] >= threshold


@dataclass(eq=False)
class Person:
    """Who is looked for; what files tell of their faces is gathered in it, so that other files are asked about these.

    Attributes
    ----------
    name : str or None
        In composed form; None for somebody whose face alone is known.
    looks : Looks or None
    places : dict
        Photo's SHA-256 to boxes, pixels, of faces that are theirs.
    vectors : dict
        Weights' SHA-256 to vectors of faces that are theirs.
    listed : dict
        People file to (faces that are theirs, all faces), each (path, face index).
    photos : set of str
        SHA-256 of photos with a face that is theirs, also of those that no table holds.
    forms : set of str
        The ways in which files write the name.
    pictures : set of Path
        Saved pictures that events of theirs name.
    members : dict
        Folder of a workspace to (number, first name) of the people in its store who are the person.
    not_compared : str
        Why faces could not be compared the last time that was tried; whoever asks empties it.
    looked_in : tuple of Path
        Files and folders that are looked into; what these lie in says nothing, such as the home of a user called so.
    """

    name: str | None
    looks: Looks | None = None
    places: dict[str, list[NDArray[np.float32]]] = field(default_factory=dict)
    vectors: dict[str, list[NDArray[np.float32]]] = field(default_factory=dict)
    listed: dict[Path, tuple[set[tuple[str, int]], set[tuple[str, int]]]] = field(default_factory=dict)
    pictures: set[Path] = field(default_factory=set)
    photos: set[str] = field(default_factory=set)
    members: dict[Path, set[tuple[int, str]]] = field(default_factory=dict)
    not_compared: str = ""
    looked_in: tuple[Path, ...] = ()

    def __post_init__(self) -> None:
        self.forms: set[str] = set()
        self._pattern = self._numbered = _NOTHING
        if self.name is not None:
            self.name = check_name(self.name)
            self.forms = {self.name, unicodedata.normalize("NFD", self.name)}
            self.forms |= {json.dumps(form)[1:-1] for form in self.forms}
            # Between letters it is another name: Ann is not in Anna, but in Ann_0001.jpg.
            words = "|".join(map(re.escape, sorted(self.forms)))
            letters = rf"[^\W\d_]|[{_marks()}]"
            self._pattern = re.compile(f"(?<!{letters})(?:{words})(?!{letters})")
            self._numbered = re.compile(rf"{re.escape(self.name)}[ _.(-]*\d*\)?")
        self._bytes = {
            form.encode(code, "surrogatepass") for form in self.forms for code in ("utf-8", "utf-16-le", "utf-16-be")
        }

    @property
    def shown(self) -> str:
        """Return what they are called in messages."""
        return self.name or "the person"

    def is_name(self, text: str) -> bool:
        """Return whether a text is the name, however its accents are stored."""
        return unicodedata.normalize("NFC", text).strip() == self.name

    def is_called(self, path: str | PurePath) -> bool:
        """Return whether a folder of a path, or its file without suffix and number, is called like the person."""
        place = PurePath(unicodedata.normalize("NFC", str(path)))
        return self.name in place.parts or self._numbered.fullmatch(place.stem) is not None

    def has_place(self, path: str | PurePath, named: Iterable[str] = ()) -> bool:
        """Return whether what a file says about a path goes with the person, who may be one of those `named` there.

        That is so in a folder called like them, and of a file called so where nobody else is named: Anna2.jpg may be
        the third photo of Anna, and that of somebody called Anna2.
        """
        in_folder = self.name in PurePath(unicodedata.normalize("NFC", str(path))).parent.parts
        return in_folder or (self.is_called(path) and not any(name and not self.is_name(name) for name in named))

    def is_below(self, path: Path) -> bool:
        """Return whether a file or a folder above it is called like the person, up to where it is looked for."""
        above = next((place.parent for place in self.looked_in if path.is_relative_to(place)), None)
        return self.is_called(path if above is None else path.relative_to(above))

    def is_mentioned(self, path: str, named: Iterable[str] = ()) -> bool:
        """Return whether the path of what stays holds the name, such as that of an album.

        A file that is called like one of those `named` there is theirs: Anna2.jpg, of somebody called Anna2.
        """
        return self.is_in_text(path) and PurePath(path).stem not in named

    def is_in_text(self, text: str) -> bool:
        """Return whether a text holds the name as a word of its own."""
        return self._pattern.search(unicodedata.normalize("NFC", text)) is not None

    def longer_words(self, text: str) -> set[str]:
        """Return the words of a text in which the name is only a part, such as Anna for Ann."""
        letters = rf"(?:[^\W\d_]|[{_marks()}])*"
        found = {word for form in self.forms for word in re.findall(f"{letters}{re.escape(form)}{letters}", text)}
        return {word for word in found if not self.is_in_text(word)}

    def redacted(self, text: str) -> str:
        """Return a text without the name, the same text where it is not in it."""
        return self._pattern.sub("[name]", unicodedata.normalize("NFC", text)) if self.is_in_text(text) else text

    def redacted_name(self, name: str) -> str:
        """Return a name that is somebody's as a whole, hidden if it is the person's."""
        return "[name]" if self.is_name(name) else name

    def is_in_bytes(self, content: bytes) -> bool:
        """Return whether bytes hold the name in UTF-8, UTF-16 or as JSON escapes it, or a known vector as float32."""
        if any(form in content for form in self._bytes):
            return True
        return any(vector.tobytes() in content for rows in self.vectors.values() for row in rows for vector in row)

    def looks_like(
        self,
        vectors: NDArray[np.float32],
        fingerprint: Mapping[str, Any] | None,
        *,
        threshold: float | None = None,
        background: Background | None = None,
    ) -> NDArray[np.bool_]:
        """Return ``(n,)`` bool: which vectors look like the person; parameters as of `Looks.are_in`.

        None do where that is not asked, or cannot be found out: `not_compared` says why then.
        """
        if self.looks is not None and len(vectors):
            try:
                return self.looks.are_in(vectors, fingerprint, threshold=threshold, background=background)
            except (OSError, ValueError) as error:
                self.not_compared = f"faces were not compared: {error}"
        return np.zeros(len(vectors), np.bool_)

    def look_at(self, picture: Path) -> bool:
        """Return whether a picture shows a face like the person's."""
        if self.looks is None:
            return False
        try:
            vectors = self.looks.faces_of(picture)
        except (OSError, ValueError) as error:
            self.not_compared = f"faces were not compared: {error}"
            return False
        return bool(self.looks_like(vectors, self.looks.default_fingerprint).any())

    def learn(self, faces: Gallery, fingerprint: Mapping[str, Any] | None) -> None:
        """Remember faces as theirs."""
        for sha256, box in zip(faces.image_sha256.tolist(), faces.boxes, strict=True):
            if sha256 and np.isfinite(box).all():
                self.places.setdefault(sha256, []).append(box)
        if len(faces):
            self.vectors.setdefault(_weights(fingerprint), []).append(faces.vectors)

    def known_in(self, faces: Gallery, fingerprint: Mapping[str, Any] | None) -> NDArray[np.bool_]:
        """Return ``(n,)`` bool: which faces are known to be theirs: the same place of the same photo, the same vector.

        Parameters
        ----------
        faces : Gallery
            With any identities.
        fingerprint : mapping or None
        """
        known = np.zeros(len(faces), np.bool_)
        for row in np.flatnonzero(np.isin(faces.image_sha256, list(self.places))).tolist():
            boxes = np.stack(self.places[str(faces.image_sha256[row])])
            known[row] = self._overlap_by_half(np.tile(faces.boxes[row], (len(boxes), 1)), boxes)
        for vectors in self.vectors.get(_weights(fingerprint), ()):
            if vectors.shape[1] != faces.vectors.shape[1]:
                continue
            for start in range(0, len(faces), _ROWS_A_BLOCK):
                block = slice(start, start + _ROWS_A_BLOCK)
                known[block] |= (faces.vectors[block] @ vectors.T >= _SAME_VECTOR).any(axis=1)
        return known

    @staticmethod
    def _overlap_by_half(boxes: NDArray[np.float32], others: NDArray[np.float32]) -> bool:
        return bool((overlaps(boxes, others) >= 0.5).any())


def all_faces(
    vectors: NDArray[np.float32],
    identities: NDArray[Any],
    *,
    paths: NDArray[Any],
    image_sha256: NDArray[Any],
    boxes: NDArray[np.float32],
) -> Gallery:
    """Return faces as a gallery in which those without a name keep their row; parameters as of `Gallery.build`."""
    return Gallery(
        vectors,
        np.asarray(identities, np.str_),
        np.asarray(paths, np.str_),
        np.asarray(image_sha256, np.str_),
        boxes,
        np.full(len(vectors), "", np.str_),
    )


@cache
def _marks() -> str:
    """Return the signs that belong to the letter before them, such as the vowels of Hindi, for a class of a pattern."""
    signs = map(chr, range(0x300, 0x20000))
    return "".join(re.escape(sign) for sign in signs if unicodedata.category(sign).startswith("M"))


def _weights(fingerprint: Mapping[str, Any] | None) -> str:
    return "" if fingerprint is None else str(Fingerprint.of(fingerprint).space.weights_sha256)
