"""One line of the benchmark's report, and how its sections time things."""

import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True)
class Row:
    """One line of the report: a ratio (or a plain figure) with the range over the rounds, and its target."""

    section: str
    what: str
    value: float
    low: float
    high: float
    target: str
    detail: str


def row_of(section: str, what: str, values: list[float], *, target: str, detail: str = "") -> Row:
    """Return the median and the range of `values` as a row."""
    return Row(section, what, statistics.median(values), min(values), max(values), target, detail)


def seconds_of(function: Callable[[], object]) -> float:
    """Return the seconds that `function` takes."""
    start = time.perf_counter()
    function()
    return time.perf_counter() - start


def ratio_row(
    section: str,
    what: str,
    *,
    ours: Callable[[], object],
    n_ours: int,
    theirs: Callable[[], object],
    n_theirs: int,
    target: str,
    rounds: int,
) -> Row:
    """Time both sides in turn; the ratio is ours over theirs in things a second."""
    ours(), theirs()  # the first call of a network is slower than all others
    pairs = [(n_ours / seconds_of(ours), n_theirs / seconds_of(theirs)) for _ in range(rounds)]
    detail = f"{statistics.median(a for a, _ in pairs):.1f}/s against {statistics.median(b for _, b in pairs):.1f}/s"
    return row_of(section, what, [a / b for a, b in pairs], target=target, detail=detail)
