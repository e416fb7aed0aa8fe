"""All heads on the same people, each with the same photos enrolled."""

import time
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from classifiers.errors import IdentityError
from classifiers.heads.head import Head
from classifiers.heads.open_set import fit_decision_rule
from classifiers.heads.registry import HEADS, make_head
from classifiers.scores.gallery import Gallery
from classifiers.scores.matcher import Matcher
from classifiers.scores.normalization import Background
from classifiers.training.evaluation import ProbeScores, Split, score_probes, split_people, summarize_scores
from classifiers.training.metrics import mated_ranks

PHOTOS_PER_PERSON = (1, 3, 10)


class TriedHead(NamedTuple):
    """One head with one number of photos enrolled of each person.

    Attributes
    ----------
    name : str
    per_person : int
        Photos enrolled of each person.
    figures : dict
        As JSON: how many people and probes, rank 1 and TPIR at FPIR with their intervals, times.
    split : Split
    scores : ProbeScores
    ranks : numpy.ndarray
        (m,) int64: at which place, from 1, the right person comes for each mated probe.
    """

    name: str
    per_person: int
    figures: dict[str, Any]
    split: Split
    scores: ProbeScores
    ranks: NDArray[np.int64]

    @property
    def label(self) -> str:
        """What a figure's legend says of it."""
        return f"{self.name}, {self.figures['score']}, {self.per_person} each"


def try_head(name: str, gallery: Gallery, *, per_person: int, background: Background | None) -> TriedHead:
    """Return how one head does, times of one fit and of one probe among many included.

    Raises
    ------
    ValueError
        See `classifiers.training.evaluation.split_people`.
    """
    split = split_people(gallery, per_person)
    matcher = Matcher(gallery.selected(split.enrolled), background)
    start = time.perf_counter()
    decision_rule = fit_decision_rule(make_head(name), matcher)
    fitted = time.perf_counter()
    head = Head(matcher, decision_rule, 0.0, name=name)
    scores = score_probes(head, gallery, split)
    n_probes = len(split.mated) + len(split.strangers)
    figures = {
        "head": name,
        "per_person": per_person,
        "score": head.score_kind,
        "gallery_size": len(head.labels),
        **summarize_scores(scores),
        "fit_s": fitted - start,
        "query_ms": (time.perf_counter() - fitted) / n_probes * 1000,
    }
    return TriedHead(name, per_person, figures, split, scores, ranks_of(head, gallery, split))


def compare_heads(
    gallery: Gallery,
    background: Background | None,
    *,
    per_person: Sequence[int] = PHOTOS_PER_PERSON,
    names: Sequence[str] = tuple(HEADS),
) -> list[TriedHead]:
    """Return how all heads do; with a background, ``gallery`` with plain cosine comes first.

    Parameters
    ----------
    gallery : Gallery
        Everybody's photos.
    background : Background or None
        Normalizes the scores.
    per_person : sequence of int
        How many photos are enrolled of everybody who has more. Numbers that nobody has enough photos for are left out.
    names : sequence of str
        Of the heads.

    Raises
    ------
    IdentityError
        If nobody has photos enough for any of them.
    ValueError
        See `classifiers.training.evaluation.split_people`.
    """
    tried: list[TriedHead] = []
    lacking = None
    for count in per_person:
        try:
            if background is not None:
                tried.append(try_head("gallery", gallery, per_person=count, background=None))
            tried += [try_head(name, gallery, per_person=count, background=background) for name in names]
        except IdentityError as error:
            lacking = error
    if not tried and lacking is not None:
        raise lacking
    return tried


def ranks_of(head: Head, gallery: Gallery, split: Split) -> NDArray[np.int64]:
    """Return at which place, from 1, the right person comes for each mated probe, (m,) int64."""
    mated = split.mated
    return mated_ranks(head.similarity(gallery.vectors[mated]), gallery.identities[mated], head.labels)


TABLE_HEAD = (
    "| photos each | head | score | rank 1 | TPIR at FPIR 1 % | TPIR at FPIR 10 % | fit (s) | probe (ms) |",
    "| --- | --- | --- | --- | --- | --- | --- | --- |",
)


def format_row(figures: dict[str, Any]) -> str:
    """Return one row of a Markdown table below `TABLE_HEAD`."""

    def rate(estimate: dict[str, float]) -> str:
        return f"{estimate['value']:.3f} [{estimate['low']:.3f}, {estimate['high']:.3f}]"

    rates = [figures["rank1"], *figures["tpir_at_fpir"].values()]
    cells = [
        str(figures["per_person"]),
        figures["head"],
        figures["score"],
        *map(rate, rates),
        f"{figures['fit_s']:.2f}",
        f"{figures['query_ms']:.2f}",
    ]
    return "| " + " | ".join(cells) + " |"
