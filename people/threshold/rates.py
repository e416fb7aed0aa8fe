"""How many of the named people each threshold finds, and to how many strangers it gives a name."""

import hashlib
import json
import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from classifiers.heads.decision_rules import NearestRule
from classifiers.heads.head import Head
from classifiers.training.calibration import MIN_IDENTITIES, expected_fpir
from classifiers.training.held_out import HeldOutScores, score_held_out
from classifiers.training.metrics import RateEstimate, rates
from foundation.atomic import write_bytes_atomically
from people.workspace.workspace import Workspace

LEAST_PEOPLE = MIN_IDENTITIES
"""With fewer people who play strangers in turn, nothing is said about strangers."""

LEAST_PROBED_PEOPLE = 10
"""With fewer people who have a second photo, nothing is said about how many are found: an interval drawn from fewer
promises too much."""

STEPS = 1000
"""Thresholds are looked at in thousandths."""

_VERSION = 1


@dataclass(frozen=True)
class Band:
    """A rate at each threshold with its 95 % interval, as fractions."""

    value: tuple[float, ...]
    low: tuple[float, ...]
    high: tuple[float, ...]


@dataclass(frozen=True)
class OwnRates:
    """What a workspace's named people say about thresholds.

    Attributes
    ----------
    mark : str
        Of which faces, see `mark_of`.
    n_people, n_photos : int
        Named people, and their faces; each face was looked for among everybody else's, as a stranger's.
    n_probed_people, n_probes : int
        People with another photo that is no near-duplicate, and their faces, each looked for among all others.
    thresholds : tuple of float
        Ascending, in steps of a thousandth.
    fpir : Band or None
        Strangers who are given a name; every person counts the same. None with fewer than `LEAST_PEOPLE`.
    tpir : Band or None
        Faces that get their person's name. None with fewer than `LEAST_PROBED_PEOPLE`.
    """

    mark: str
    n_people: int
    n_photos: int
    n_probed_people: int
    n_probes: int
    thresholds: tuple[float, ...]
    fpir: Band | None
    tpir: Band | None

    def at(self, threshold: float) -> int:
        """Return the position of the lowest measured threshold that is not below `threshold`; the last if all are."""
        return min(int(np.searchsorted(self.thresholds, threshold - 1e-9)), len(self.thresholds) - 1)

    def lowest_for(self, fpir: float) -> float | None:
        """Return the lowest threshold that at most the share `fpir` of strangers reaches, None if not known."""
        if self.fpir is None:
            return None
        return next((self.thresholds[i] for i, value in enumerate(self.fpir.value) if value <= fpir + 1e-12), None)

    def to_json(self) -> dict[str, Any]:
        """Return it as what JSON can hold."""
        return {"version": _VERSION, **asdict(self)}

    @classmethod
    def from_json(cls, record: dict[str, Any]) -> Self:
        """Return what `to_json` wrote.

        Raises
        ------
        KeyError, TypeError
            If it is something else.
        """
        if record.pop("version") != _VERSION:
            raise TypeError("of another version")
        for name in ("fpir", "tpir"):
            band = record[name]
            record[name] = None if band is None else Band(**{key: tuple(values) for key, values in band.items()})
        return cls(**{**record, "thresholds": tuple(record["thresholds"])})


def measure_rates(head: Head) -> OwnRates:
    """Measure a workspace's head on its own faces, each held out of what it is compared with.

    People play strangers in turn, as `classifiers.training.calibration` does it: nobody else is known to be nobody's.

    Parameters
    ----------
    head : Head
        That decides for the nearest person.
    """
    held_out = score_held_out(head.matcher, lambda _: NearestRule())
    n_people, n_probed = len(head.labels), len(np.unique(held_out.mated_codes))
    thresholds = _thresholds(held_out)
    return OwnRates(
        mark=mark_of(head),
        n_people=n_people,
        n_photos=len(head.gallery),
        n_probed_people=n_probed,
        n_probes=len(held_out.mated_scores),
        thresholds=tuple(thresholds.tolist()),
        fpir=_band(expected_fpir(held_out, thresholds)) if n_people >= LEAST_PEOPLE else None,
        tpir=_band(rates(_found(held_out, thresholds), held_out.mated_codes))
        if n_probed >= LEAST_PROBED_PEOPLE
        else None,
    )


def mark_of(head: Head) -> str:
    """Return what tells whether two heads hold the same faces under the same names; their thresholds may differ."""
    digest = hashlib.sha256(np.ascontiguousarray(head.gallery.vectors).tobytes())
    digest.update(np.ascontiguousarray(head.gallery.codes).tobytes())
    digest.update(head.score_kind.encode())
    return digest.hexdigest()


def save_rates(workspace: Workspace, measured: OwnRates) -> None:
    """Keep what was measured beside the head, for the owner alone; no name is in it."""
    write_bytes_atomically(workspace.rates, json.dumps(measured.to_json()).encode(), is_private=True)


def read_rates(workspace: Workspace, mark: str) -> OwnRates | None:
    """Return what was measured on the faces of a `mark`, None if nothing was."""
    try:
        measured = OwnRates.from_json(json.loads(workspace.rates.read_bytes()))
    except (OSError, ValueError, KeyError, TypeError, AttributeError):  # not there, or damaged: measured again
        return None
    return measured if measured.mark == mark else None


def _thresholds(held_out: HeldOutScores) -> NDArray[np.float64]:
    """Return thresholds from one that every face reaches to one that none does: what lies beyond is like the ends."""
    scores = np.concatenate([held_out.stranger_scores, held_out.mated_scores])
    scores = scores[np.isfinite(scores)]
    lowest, highest = (float(scores.min()), float(scores.max())) if len(scores) else (0.0, 0.0)
    return np.arange(math.floor(lowest * STEPS), math.floor(highest * STEPS) + 2) / STEPS


def _band(estimates: Sequence[RateEstimate]) -> Band:
    return Band(*(tuple(round(one[place], 5) for one in estimates) for place in range(3)))


def _found(held_out: HeldOutScores, thresholds: NDArray[np.float64]) -> NDArray[np.bool_]:
    found: NDArray[np.bool_] = held_out.mated_correct[:, None] & (held_out.mated_scores[:, None] >= thresholds)
    return found
