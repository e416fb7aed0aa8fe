"""Train a head on the columns of an embedding table."""

import logging
from collections.abc import Mapping, Sequence
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from classifiers.errors import IdentityError
from classifiers.heads.head import Head
from classifiers.heads.open_set import build_head, fit_decision_rule
from classifiers.heads.registry import DEFAULT_HEAD, make_head
from classifiers.scores.gallery import FROM_TABLE, Gallery, summarize_names
from classifiers.scores.matcher import Matcher
from classifiers.scores.normalization import Background, one_vector_per_identity
from classifiers.scores.person_means import NEAREST_OR_MEAN
from classifiers.scores.thresholds import curve_for
from classifiers.training.calibration import choose_threshold
from classifiers.training.corrections import Corrected, carry_over, without_corrections
from classifiers.training.two_names import leave_out_two_names, same_person_questions
from foundation.errors import InputError
from foundation.fingerprint import Fingerprint
from foundation.text import lookalike_questions, normalize_name

logger = logging.getLogger(__name__)


class StrangerTable(Protocol):
    """The columns of an embedding table that a cohort of strangers needs; see `embedder.EmbeddingTable`."""

    @property
    def embeddings(self) -> NDArray[np.float32]:
        """Vectors, (n, d)."""

    @property
    def identities(self) -> NDArray[Any]:
        """Identity of each row, (n,) str, "" for none."""

    @property
    def fingerprint(self) -> Mapping[str, Any]:
        """Which vectors these are: ``{"space": {...}, "provenance": {...}}``."""


class FaceTable(StrangerTable, Protocol):
    """The columns of an embedding table that say where each face is seen; see `embedder.EmbeddingTable`."""

    @property
    def paths(self) -> NDArray[Any]:
        """Photo of each row, (n,) str."""

    @property
    def image_sha256(self) -> NDArray[Any]:
        """Hash of each row's photo, (n,) str."""

    @property
    def boxes(self) -> NDArray[np.float32]:
        """Boxes in pixels, (n, 4)."""


class TrainingTable(FaceTable, Protocol):
    """The columns of an embedding table that training a head needs; see `embedder.EmbeddingTable`."""

    @property
    def photo_root(self) -> Any:
        """Folder the paths are relative to."""


def train_head(
    table: TrainingTable,
    *,
    head: str = DEFAULT_HEAD,
    parameters: Mapping[str, Any] | None = None,
    fpir: float | None = None,
    threshold: float | None = None,
    identities: Sequence[str] | None = None,
    min_photos: int = 1,
    background: Background | None = None,
    previous: Head | None = None,
    strict: bool = False,
    progress: bool = False,
) -> Head:
    """Train a head on the rows of `table` that have an identity.

    Parameters
    ----------
    table : EmbeddingTable
        Or an object with its columns.
    head : str
        A name of `classifiers.HEADS`, or the dotted path of a scikit-learn classifier.
    parameters : mapping, optional
        Settings of the head.
    fpir : float, optional
        Wanted rate of strangers that are given a name, above 0 and below 1. A lower rate leaves more of the enrolled
        people unnamed. By default the preset's curve decides, which is for 0.01.
    threshold : float, optional
        The threshold itself.
    identities : sequence of str, optional
        Enrol these people only.
    min_photos : int
        Enrol people with at least this many photos only.
    background : Background, optional
        Normalizes the scores; without it they are cosines. See `classifiers.scores.normalization.choose_background`.
    previous : Head, optional
        The head this one replaces: its enrolments and rejections are carried over.
    strict : bool
        Refuse faces that carry two names; by default they are left out of both, with a warning.
    progress : bool
        Show bars on a terminal where it takes long.

    Raises
    ------
    IdentityError
        If nobody is left to enrol, a wanted person is not in the table, somebody who was enrolled in `previous` is not
        wanted, or a face carries two names and `strict` is wanted.
    SpaceMismatchError
        If enrolments or rejections of `previous` are of another space than the table.
    ThresholdError
        If no threshold can be chosen.
    ValueError
        If there is no such head, or it has no such parameter.
    """
    corrected = _exemplars(table, previous)
    everybody = corrected.gallery
    for question in lookalike_questions(everybody.labels.tolist()):
        logger.warning("%s", question)
    unwanted = [] if identities is None else sorted(corrected.enrolled_names - set(identities))
    if previous is not None and unwanted:
        raise IdentityError(
            f"{previous.file}: {summarize_names(unwanted)}, enrolled there, would be left out; name them among the "
            "people, forget them first, or give --fresh"
        )
    gallery = everybody.filtered(identities=identities, min_photos=min_photos, always=corrected.enrolled_names)
    kept = leave_out_two_names(gallery, strict=strict, progress=progress)
    matcher = Matcher(kept, background, person_score=NEAREST_OR_MEAN)
    estimator = make_head(head, parameters)
    chosen = choose_threshold(
        matcher,
        lambda part: fit_decision_rule(estimator, part),
        threshold=threshold,
        fpir=fpir,
        curve=curve_for(table.fingerprint, background),
        progress=progress,
    )
    for question in same_person_questions(matcher, chosen.value, progress=progress):
        logger.warning("%s", question)
    trained = build_head(
        matcher, estimator, threshold=chosen, fingerprint=table.fingerprint, photo_root=str(table.photo_root)
    )
    return trained.replaced(rejections=corrected.rejections)


def _exemplars(table: TrainingTable, previous: Head | None) -> Corrected:
    """Return the rows of a table that have an identity, with what was said to the head of before."""
    # An embedding table also says at which second of a video a face is; then heads can show it.
    paths = getattr(table, "moments", table.paths)
    columns: dict[str, Any] = {"paths": paths, "image_sha256": table.image_sha256, "boxes": table.boxes}
    names = [normalize_name(name) for name in table.identities]
    gallery = Gallery.build(table.embeddings, names, **columns, origin=FROM_TABLE)
    if previous is None:
        return without_corrections(gallery)
    faces = Gallery.build(table.embeddings, ["face"] * len(names), **columns)
    return carry_over(previous, gallery, faces=faces, fingerprint=table.fingerprint, photo_root=str(table.photo_root))


def add_strangers(
    background: Background | None, strangers: StrangerTable, *, fingerprint: Mapping[str, Any]
) -> Background:
    """Return a background model whose cohort the faces of `strangers` have joined.

    Parameters
    ----------
    background : Background or None
        The model; None is refused, because there is nothing to join.
    strangers : EmbeddingTable
        Or an object with its columns: one face of each identity joins, and all that have none.
    fingerprint : mapping
        That of the table the head is trained on.

    Raises
    ------
    SpaceMismatchError
        If the strangers' vectors are of another space.
    ValueError
        If there is no background model.
    """
    if background is None:
        raise InputError("`strangers` can only join a background model, and there is none; give --background FILE")
    Fingerprint.of(fingerprint).check_same_space(strangers.fingerprint, source="the table's")
    return background.with_cohort(one_vector_per_identity(strangers.embeddings, strangers.identities))
