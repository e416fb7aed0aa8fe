"""What was measured of heads as rows of CSV files, one observation a row.

Rates are shares from 0 to 1, scores are those of the head (a cosine, or normalized); a photo is named as in its table.
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import numpy as np

from classifiers.measuring.head_comparison import TriedHead
from classifiers.scores.gallery import Gallery
from classifiers.training.evaluation import ProbeScores, Split
from classifiers.training.metrics import cmc, identification_det

MAX_RANK = 20

Row = tuple[object, ...]

_PROBE = ("photo", "kind", "identity", "named", "score", "is_right")
_RATE = ("measure", "at", "value", "low", "high", "n_probes", "n_people")
_DET = ("threshold", "fpir", "tpir")
_HEAD = ("head", "score_kind", "photos_each")

EVALUATE_COLUMNS = {"evaluate_probes": _PROBE, "evaluate_rates": _RATE, "evaluate_det": _DET}
COMPARE_COLUMNS = {
    "heads_probes": (*_HEAD, *_PROBE),
    "heads_rates": (*_HEAD, *_RATE),
    "heads_det": (*_HEAD, *_DET),
    "heads_cmc": (*_HEAD, "rank", "share"),
    "heads_times": (*_HEAD, "fit_s", "probe_ms"),
}


def evaluation_rows(
    gallery: Gallery, split: Split, scores: ProbeScores, *, figures: Mapping[str, Any]
) -> dict[str, list[Row]]:
    """Return the rows of each file of `EVALUATE_COLUMNS`."""
    return {
        "evaluate_probes": list(probe_rows(gallery, split, scores)),
        "evaluate_rates": list(rate_rows(scores, figures)),
        "evaluate_det": list(det_rows(scores)),
    }


def comparison_rows(gallery: Gallery, tried: Iterable[TriedHead]) -> dict[str, list[Row]]:
    """Return the rows of each file of `COMPARE_COLUMNS`."""
    rows: dict[str, list[Row]] = {name: [] for name in COMPARE_COLUMNS}
    for one in tried:
        key = (one.name, one.figures["score"], one.per_person)
        shares = cmc(one.ranks, MAX_RANK)
        found: dict[str, Iterable[Row]] = {
            "heads_probes": probe_rows(gallery, one.split, one.scores),
            "heads_rates": rate_rows(one.scores, one.figures),
            "heads_det": det_rows(one.scores),
            "heads_cmc": ((rank, float(share)) for rank, share in enumerate(shares, 1)),
            "heads_times": [(one.figures["fit_s"], one.figures["query_ms"])],
        }
        for name, of_head in found.items():
            rows[name] += [(*key, *row) for row in of_head]
    return rows


def probe_rows(gallery: Gallery, split: Split, scores: ProbeScores) -> Iterator[Row]:
    """Yield photo, kind, who it is, who is most like it, how much, and whether that is right, for each probe."""
    for row, identity, named, score, is_right in zip(
        split.mated,
        scores.mated_identities,
        scores.mated_named,
        scores.mated_scores,
        scores.mated_correct,
        strict=True,
    ):
        yield gallery.paths[row], "mated", identity, named, float(score), int(is_right)
    for row, identity, named, score in zip(
        split.strangers, scores.stranger_identities, scores.stranger_named, scores.stranger_scores, strict=True
    ):
        yield gallery.paths[row], "stranger", identity, named, float(score), 0


def rate_rows(scores: ProbeScores, figures: Mapping[str, Any]) -> Iterator[Row]:
    """Yield each rate with its 95 % interval; `at` is the FPIR of a TPIR, or the threshold of both."""
    mated = len(scores.mated_scores), len(np.unique(scores.mated_identities))
    strangers = len(scores.stranger_scores), len(np.unique(scores.stranger_identities))
    yield "rank1", None, *figures["rank1"].values(), *mated
    for fpir, estimate in figures["tpir_at_fpir"].items():
        yield "tpir_at_fpir", float(fpir), *estimate.values(), *mated
    at = figures.get("at_threshold")
    if at is not None:
        yield "tpir_at_threshold", at["threshold"], *at["tpir"].values(), *mated
        yield "fpir_at_threshold", at["threshold"], *at["fpir"].values(), *strangers


def det_rows(scores: ProbeScores) -> Iterator[Row]:
    """Yield threshold, FPIR and TPIR, one row a distinct score, thresholds ascending."""
    curve = identification_det(scores.mated_scores, scores.mated_correct, scores.stranger_scores)
    for threshold, fpir, fnir in zip(curve.thresholds, curve.fpir, curve.fnir, strict=True):
        yield float(threshold), float(fpir), float(1 - fnir)
