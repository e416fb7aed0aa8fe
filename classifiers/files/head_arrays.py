"""Pack a head into arrays named as in its file (``serving/NAME.npy``), and check them when they are read back."""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from classifiers.heads.decision_rules import DecisionRule, LinearSVM
from classifiers.heads.head import Head
from classifiers.scores.gallery import ORIGINS, Gallery
from classifiers.scores.matcher import Matcher
from classifiers.scores.normalization import BACKGROUND_ARRAYS, Background
from classifiers.scores.person_means import NEAREST
from foundation.errors import InputError
from foundation.head_files.description import check_background_record, check_identities
from foundation.head_files.schema import parse_json

Arrays = dict[str, NDArray[Any]]
ReadArray = Callable[[str], NDArray[Any]]
"""Name of an array to the array; raises ``ValueError`` where it is damaged, ``KeyError`` where it is not there."""

# Squared length of a unit vector after rounding to float32.
_UNIT_TOLERANCE = 1e-4

_SVM_ARRAYS = ("support", "dual_coef", "intercept", "n_support")


def pack_head(head: Head) -> Arrays:
    """Return the arrays of a head: exemplars, levels and background, rejections, and what the decision rule needs."""
    gallery, decision_rule = head.gallery, head.decision_rule
    arrays: Arrays = {
        "exemplars": gallery.vectors,
        "codes": gallery.codes.astype(np.int32),
        "paths": np.char.encode(gallery.paths, "utf-8"),
        "image_sha256": np.char.encode(gallery.image_sha256, "ascii"),
        "boxes": gallery.boxes,
        "origins": np.char.encode(gallery.origins, "ascii"),
        "rejected": head.rejections.vectors,
        "rejected_identities": np.char.encode(head.rejections.identities, "utf-8"),
        "rejected_paths": np.char.encode(head.rejections.paths, "utf-8"),
        "rejected_sha256": np.char.encode(head.rejections.image_sha256, "ascii"),
        "rejected_boxes": head.rejections.boxes,
    }
    if head.matcher.background is not None:
        packed = head.matcher.background.to_arrays()
        arrays |= {f"background_{name}": array for name, array in packed.items()} | {"levels": head.matcher.levels}
    if isinstance(decision_rule, LinearSVM):
        arrays |= {name: getattr(decision_rule, name) for name in _SVM_ARRAYS}
    return arrays


def unpack_matcher(record: Mapping[str, Any], read: ReadArray) -> Matcher:
    """Return the matcher of a head's file: its exemplars, and how they are scored.

    Parameters
    ----------
    record : mapping
        The file's ``facetable.json``.
    read : callable
        Name of an array to the array.

    Raises
    ------
    ValueError
        If the arrays do not fit the file's description `record`.
    """
    gallery = _unpack_gallery(record, read)
    # Heads that do not say score people by the nearest exemplar alone.
    person_score = record.get("person_score", NEAREST)
    if record["score"] == "cosine":
        return Matcher(gallery, person_score=person_score)
    arrays = {name: read(f"background_{name}") for name in BACKGROUND_ARRAYS}
    described = parse_json(str(arrays["record"]).encode("utf-8"), "its background's record")
    check_background_record(described, "background's record")
    background = Background.from_arrays(arrays)
    levels = read("levels")
    if not np.isfinite(levels).all():
        raise InputError("its levels are not finite")
    return Matcher(gallery, background, levels=levels, person_score=person_score)


def unpack_rejections(read: ReadArray) -> Gallery:
    """Return the rejected faces of a head's file, under the identities that they are not.

    Raises
    ------
    ValueError
        If the arrays do not fit together.
    """
    vectors = read("rejected")
    identities = np.char.decode(read("rejected_identities"), "utf-8")
    if len(identities):
        check_identities(identities.tolist(), "rejected_identities")
    # Heads of before 0.2 do not say where on the photo the face is.
    boxes = _read_later(read, "rejected_boxes", before=np.full((len(vectors), 4), np.nan, np.float32))
    return Gallery.build(
        vectors,
        identities,
        paths=np.char.decode(read("rejected_paths"), "utf-8"),
        image_sha256=_read_hashes("rejected_sha256", read),
        boxes=boxes,
    )


def unpack_linear_svm(matcher: Matcher, read: ReadArray) -> DecisionRule:
    """Return the linear support vector machine of a head's file.

    Raises
    ------
    ValueError
        If its arrays do not fit together.
    """
    arrays = {name: read(name) for name in _SVM_ARRAYS}
    if not (np.isfinite(arrays["dual_coef"]).all() and np.isfinite(arrays["intercept"]).all()):
        raise InputError("the numbers of its machine are not finite")
    support = arrays["support"]
    if np.any(support < 0) or np.any(support >= len(matcher.units)):
        raise InputError("its machine has support vectors that are no exemplars")
    return LinearSVM(support_vectors=matcher.units[arrays["support"]], **arrays)


def _read_later(read: ReadArray, name: str, *, before: NDArray[Any]) -> NDArray[Any]:
    """Return an array that heads did not always have, or what its lack means."""
    try:
        return read(name)
    except KeyError:
        return before


def _unpack_gallery(record: Mapping[str, Any], read: ReadArray) -> Gallery:
    vectors, codes = read("exemplars"), read("codes")
    labels = np.array(record["identities"], dtype=np.str_)
    if np.any(codes < 0) or np.any(codes >= len(labels)):
        raise InputError("its exemplars do not fit its description")
    gallery = Gallery(
        vectors,
        labels[codes],
        paths=np.char.decode(read("paths"), "utf-8"),
        image_sha256=_read_hashes("image_sha256", read),
        boxes=read("boxes"),
        # Heads of before 0.2 do not say which faces were enrolled later.
        origins=np.char.decode(_read_later(read, "origins", before=np.full(len(vectors), b"")), "ascii"),
    )
    if (
        not _are_units(vectors)
        or not np.array_equal(gallery.labels, labels)
        or not np.isin(gallery.origins, ORIGINS).all()
    ):
        raise InputError("its exemplars do not fit its description")
    known = np.isfinite(gallery.boxes)
    if np.any(known != known[:, :1]) or np.any(np.isinf(gallery.boxes)):
        raise InputError("its boxes are not finite")
    return gallery


def _are_units(vectors: NDArray[np.float32]) -> bool:
    squares = np.einsum("ij,ij->i", vectors, vectors)
    return bool(np.all((np.abs(squares - 1.0) < _UNIT_TOLERANCE) | (squares == 0.0)))


def _read_hashes(name: str, read: ReadArray) -> NDArray[np.str_]:
    """Return the SHA-256 of photos: 64 hexadecimal digits each, or none where a photo is not known."""
    hashes: NDArray[np.str_] = np.char.decode(read(name), "ascii")
    odd = set(np.unique(np.char.str_len(hashes)).tolist()) - {0, 64}
    if odd:
        raise InputError(f"its array {name} holds no SHA-256 of photos")
    return hashes
