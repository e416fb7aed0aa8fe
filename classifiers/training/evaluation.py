"""Measure on one table how well a head names people and refuses strangers.

People with more than k photos are enrolled with their first k by path; their other photos are mated probes, and all
photos of everybody else are strangers. Where all have more, every second person by name is a stranger. Near-duplicates
of an enrolled photo are no probes.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from classifiers.errors import IdentityError, ThresholdError
from classifiers.heads.decision_rules import FitDecisionRule
from classifiers.heads.head import Head
from classifiers.scores.gallery import Gallery
from classifiers.scores.matcher import Matcher
from classifiers.scores.normalization import Background
from classifiers.scores.person_means import NEAREST_OR_MEAN
from classifiers.scores.thresholds import ThresholdCurve
from classifiers.training.calibration import choose_threshold
from classifiers.training.held_out import near_duplicate_groups
from classifiers.training.metrics import rate, tpir_at_fpir
from foundation.errors import InputError
from foundation.text import pluralize

# Rates at which the TPIR is measured.
FPIRS = (0.01, 0.1)


@dataclass(frozen=True, eq=False)
class Split:
    """Rows of a gallery: enrolled photos, mated probes and strangers.

    Attributes
    ----------
    enrolled : (e,) int64
        Photos that are enrolled.
    mated : (m,) int64
        Other photos of the people enrolled.
    strangers : (s,) int64
        Photos of everybody else.
    n_near_duplicates : int
        Photos left out because they are near-duplicates of enrolled ones.
    plays_strangers : bool
        Whether people who could have been enrolled are the strangers, since there are no others.
    """

    enrolled: NDArray[np.int64]
    mated: NDArray[np.int64]
    strangers: NDArray[np.int64]
    n_near_duplicates: int
    plays_strangers: bool


@dataclass(frozen=True, eq=False)
class ProbeScores:
    """Scores of a head for the probes of a `Split`.

    Attributes
    ----------
    mated_scores : (m,) float32
        Score of the identity that was chosen for each mated probe.
    mated_correct : (m,) bool
        Whether it is the right one.
    mated_identities : (m,) str
        The right one.
    mated_named : (m,) str
        The one that was chosen.
    stranger_scores : (s,) float32
        Score of the identity that was chosen for each stranger.
    stranger_identities : (s,) str
        Who the stranger is.
    stranger_named : (s,) str
        Whom they are most like.
    """

    mated_scores: NDArray[np.float32]
    mated_correct: NDArray[np.bool_]
    mated_identities: NDArray[np.str_]
    mated_named: NDArray[np.str_]
    stranger_scores: NDArray[np.float32]
    stranger_identities: NDArray[np.str_]
    stranger_named: NDArray[np.str_]


@dataclass(frozen=True, eq=False)
class Evaluation:
    """One head on one table: its figures, and what they are made from.

    Attributes
    ----------
    figures : dict
        As `evaluate` returns them.
    head : Head
        As it was trained on the enrolled photos.
    split : Split
    scores : ProbeScores
    """

    figures: dict[str, Any]
    head: Head
    split: Split
    scores: ProbeScores


def split_people(gallery: Gallery, per_person: int) -> Split:
    """Split the photos into enrolled ones, mated probes and strangers.

    Parameters
    ----------
    gallery : Gallery
        Everybody's photos.
    per_person : int
        How many photos are enrolled of everybody who has more.

    Raises
    ------
    IdentityError
        If nobody has that many photos and one more, or there is one person only.
    ValueError
        If `per_person` is below 1, or all further photos are near-duplicates of enrolled ones.
    """
    if per_person < 1:
        raise InputError(f"`gallery_per_person` must be at least 1, got {per_person}")
    order = np.lexsort((gallery.paths, gallery.codes))
    codes = gallery.codes[order]
    counts = np.bincount(codes, minlength=len(gallery.labels))
    position = np.arange(len(order)) - np.searchsorted(codes, codes)
    can_be_known = counts > per_person
    plays_strangers = bool(can_be_known.all())
    if plays_strangers:
        can_be_known[1::2] = False
    known = can_be_known[codes]
    enrolled = order[known & (position < per_person)]
    others = order[known & (position >= per_person)]
    strangers = order[~known]
    if not len(enrolled) or not len(strangers):
        raise IdentityError(
            f"evaluation needs people with more than {pluralize(per_person, 'photo')}, to be enrolled, and others, to "
            f"play strangers; got {int((counts > per_person).sum())} and "
            f"{pluralize(int((counts <= per_person).sum()), 'person', 'people')}; "
            "enrol another number of photos of each, or use a larger table"
        )
    duplicate_groups = near_duplicate_groups(gallery)
    mated = others[~np.isin(duplicate_groups[others], duplicate_groups[enrolled])]
    if not len(mated):
        raise InputError("all further photos are near-duplicates of enrolled ones; evaluation needs other photos")
    return Split(enrolled, mated, strangers, len(others) - len(mated), plays_strangers)


def score_probes(head: Head, gallery: Gallery, split: Split) -> ProbeScores:
    """Return the scores of the split's probes with `head`, which was trained on its enrolled rows."""
    mated, strangers = head.match(gallery.vectors[split.mated]), head.match(gallery.vectors[split.strangers])
    names = gallery.identities[split.mated]
    return ProbeScores(
        mated_scores=mated.scores,
        mated_correct=mated.identities == names,
        mated_identities=names,
        mated_named=mated.identities,
        stranger_scores=strangers.scores,
        stranger_identities=gallery.identities[split.strangers],
        stranger_named=strangers.identities,
    )


def summarize_scores(scores: ProbeScores) -> dict[str, Any]:
    """Return rank-1 and TPIR at FPIR, each ``{"value", "low", "high"}``, as fractions."""
    return {
        "n_mated": len(scores.mated_scores),
        "n_strangers": len(scores.stranger_scores),
        "rank1": rate(scores.mated_correct, scores.mated_identities)._asdict(),
        "tpir_at_fpir": {
            f"{fpir:g}": tpir_at_fpir(
                scores.mated_scores,
                scores.mated_correct,
                scores.stranger_scores,
                fpir=fpir,
                mated_identities=scores.mated_identities,
                stranger_identities=scores.stranger_identities,
            )._asdict()
            for fpir in FPIRS
        },
    }


def rates_at(scores: ProbeScores, threshold: float) -> dict[str, Any]:
    """Return the TPIR and FPIR that a threshold gives, each ``{"value", "low", "high"}``, as fractions."""
    found = scores.mated_correct & (scores.mated_scores >= threshold)
    passed = scores.stranger_scores >= threshold
    return {
        "tpir": rate(found, scores.mated_identities)._asdict(),
        "fpir": rate(passed, scores.stranger_identities)._asdict(),
    }


def measure_head(
    gallery: Gallery,
    fit: FitDecisionRule,
    *,
    per_person: int = 1,
    background: Background | None = None,
    curve: ThresholdCurve | None = None,
    fpir: float | None = None,
) -> Evaluation:
    """Enrol some photos of a table in a head, look for the others, and return what came of it.

    Parameters
    ----------
    gallery : Gallery
        Everybody's photos.
    fit : callable
        Matcher to decision rule.
    per_person : int
        How many photos of each person are enrolled.
    background : Background, optional
        Normalizes the scores.
    curve : ThresholdCurve, optional
        The preset's, for the default threshold.
    fpir : float, optional
        Wanted rate for a threshold calibrated on the enrolled people.

    Raises
    ------
    ValueError
        See `split_people`.
    """
    split = split_people(gallery, per_person)
    matcher = Matcher(gallery.selected(split.enrolled), background, person_score=NEAREST_OR_MEAN)
    head = Head(matcher, fit(matcher), 0.0)
    scores = score_probes(head, gallery, split)
    result: dict[str, Any] = {
        "gallery_size": len(head.labels),
        "n_exemplars": len(matcher.gallery),
        "n_near_duplicates": split.n_near_duplicates,
        "plays_strangers": split.plays_strangers,
        "score": head.score_kind,
        **summarize_scores(scores),
        "at_threshold": None,
    }
    try:
        threshold = choose_threshold(matcher, fit, curve=curve, fpir=fpir)
    except ThresholdError as error:
        return Evaluation({**result, "no_threshold_because": str(error)}, head, split, scores)
    at = {"threshold": threshold.value, "source": threshold.source, "expected": threshold.expected}
    figures = {**result, "at_threshold": {**at, **rates_at(scores, threshold.value)}}
    return Evaluation(figures, head, split, scores)


def evaluate(gallery: Gallery, fit: FitDecisionRule, **settings: Any) -> dict[str, Any]:
    """Return the figures of one head on one table, as ``python -m classifiers evaluate --json`` writes them.

    Parameters
    ----------
    gallery, fit, **settings
        See `measure_head`.

    Raises
    ------
    ValueError
        See `split_people`.
    """
    return measure_head(gallery, fit, **settings).figures


def report(result: dict[str, Any]) -> list[str]:
    """Return the figures of `evaluate` as lines of text."""
    lines = [
        f"{pluralize(result['gallery_size'], 'person', 'people')} enrolled with "
        f"{pluralize(result['n_exemplars'], 'photo')}, {pluralize(result['n_mated'], 'further photo')} of them, "
        f"{pluralize(result['n_strangers'], 'photo')} of strangers; {result['score']} scores",
        f"rank 1             {_percent(result['rank1'])}",
    ]
    if result["plays_strangers"]:
        lines.insert(1, "all have photos enough to be enrolled: every second person plays a stranger instead")
    lines += [
        f"TPIR at FPIR {float(fpir):<5.0%} {_percent(value)}{say_few_strangers(result, float(fpir))}"
        for fpir, value in result["tpir_at_fpir"].items()
    ]
    at = result["at_threshold"]
    if at is None:
        return [*lines, f"no threshold: {result['no_threshold_because']}"]
    source = {"curve": "the preset's curve", "calibrated": "the enrolled people"}[at["source"]]
    return [
        *lines,
        f"with the threshold {at['threshold']:.3f} from {source}: TPIR {_percent(at['tpir'])}, "
        f"FPIR {_percent(at['fpir'])}",
    ]


def say_few_strangers(result: dict[str, Any], fpir: float) -> str:
    """Return a remark in brackets where the strangers that were tried are too few for a rate, else nothing."""
    n_strangers = result["n_strangers"]
    if n_strangers * fpir >= 1:
        return ""
    photos = pluralize(n_strangers, "photo")
    return f" (of {photos} of strangers: a rate below {1 / max(1, n_strangers):.2g} cannot be seen)"


def _percent(estimate: dict[str, float]) -> str:
    return f"{estimate['value']:.1%} ({estimate['low']:.1%} to {estimate['high']:.1%})"
