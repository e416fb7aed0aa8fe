"""Name vectors of faces with a head, or refuse them."""

import warnings
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from classifiers.heads.head import Head


class Names(NamedTuple):
    """What a head says about `n` faces.

    Attributes
    ----------
    choices : (n,) str
        The enrolled identity that is most like each face, accepted or not.
    scores : (n,) float32
        Similarity to the nearest exemplar of that identity.
    accepted : (n,) bool
        Whether the score reaches the threshold.
    identities : (n,) str
        The choice where accepted, else ``unknown``.
    """

    choices: np.ndarray
    scores: np.ndarray
    accepted: np.ndarray
    identities: np.ndarray


def name_faces(head: "Head", vectors: np.ndarray, fingerprint: Mapping[str, Any] | None = None) -> Names:
    """Return what `head` says about `vectors`, float32 (n, d).

    Raises
    ------
    ValueError
        If `fingerprint` says that the vectors may not be compared with the head's.
    """
    from classifiers.scores.gallery import UNKNOWN

    head.check_fingerprint(fingerprint)
    if not len(vectors):
        return Names(np.empty(0, np.str_), np.empty(0, np.float32), np.empty(0, np.bool_), np.empty(0, np.str_))
    match = head.match(vectors)
    accepted = match.scores >= head.threshold
    return Names(match.identities, match.scores, accepted, np.where(accepted, match.identities, UNKNOWN))


def load_head_with(path: str | Path, threshold: float | None = None, *, trust: Sequence[str] = ()) -> "Head":
    """Return the head in a file, with `threshold` instead of its own where one is given.

    For `trust` see `classifiers.load_head`.

    Raises
    ------
    ValueError
        If the file is no head, or `threshold` is none.
    OSError
        If it cannot be read.
    """
    from classifiers.files.head_file import load_head
    from classifiers.scores.thresholds import check_threshold

    head = load_head(path, trust=trust)
    if threshold is not None:
        head.threshold = check_threshold(threshold)
    elif head.threshold_record.is_outgrown(len(head.gallery)):
        warnings.warn(
            f"{path}: the threshold was calibrated for {head.threshold_record.n_exemplars} photos, the head now has "
            f"{len(head.gallery)}; more strangers may be named than it promised, train it again",
            stacklevel=2,
        )
    return head
