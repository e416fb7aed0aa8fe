"""Verification as rows of CSV files, one observation a row: pairs, rates, curves.

Rates are shares from 0 to 1; a score is the cosine or the negative distance of the two vectors, as they are compared;
photos are named as in the list of pairs.
"""

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from embedder.verification.lfw import Verification

Row = tuple[object, ...]

VERIFY_COLUMNS = {
    "verify_pairs": (
        *("network", "fold", "photo_a", "photo_b", "identity_a", "identity_b"),
        *("is_genuine", "is_enrolled", "score"),
    ),
    "verify_rates": ("network", "measure", "at", "value", "low", "high", "n_pairs", "n_people"),
    "verify_roc": ("network", "threshold", "far", "tar"),
}


def verification_rows(results: Mapping[str, "Verification"]) -> dict[str, list[Row]]:
    """Return the rows of each file of `VERIFY_COLUMNS`, of one or several networks by label.

    A pair with a photo without a face has no score; the curve's first point, at which nothing is accepted, has no
    threshold.
    """
    rows: dict[str, list[Row]] = {name: [] for name in VERIFY_COLUMNS}
    for label, result in results.items():
        rows["verify_pairs"] += _pair_rows(label, result)
        rows["verify_rates"] += _rate_rows(label, result)
        rows["verify_roc"] += [
            (label, _finite(threshold), float(far), float(tar))
            for threshold, far, tar in zip(*result.curve, strict=True)
        ]
    return rows


def _pair_rows(label: str, result: "Verification") -> list[Row]:
    pairs = result.pairs
    return [
        (label, int(fold), *photos, *people, int(genuine), int(np.isfinite(score)), _finite(score))
        for fold, photos, people, genuine, score in zip(
            pairs.folds, pairs.photos.tolist(), pairs.identities.tolist(), pairs.genuine, result.scores, strict=True
        )
    ]


def _rate_rows(label: str, result: "Verification") -> list[Row]:
    size = len(result.pairs), result.n_people
    accuracy = float(result.accuracies.mean())
    rows: list[Row] = [
        (label, "accuracy", result.threshold, accuracy, None, None, *size),
        (label, "accuracy_std", None, float(result.accuracies.std()), None, None, *size),
        (label, "auc", None, result.auc, None, None, *size),
        (label, "eer", None, result.eer, None, None, *size),
    ]
    return rows + [(label, "tar_at_far", far, *estimate, *size) for far, estimate in result.tar_at_far.items()]


def _finite(value: float) -> float | None:
    return float(value) if np.isfinite(value) else None
