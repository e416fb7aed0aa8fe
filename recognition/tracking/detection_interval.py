"""How often to look for faces on a live source, and how the loop keeps up."""

import math
from collections import deque
from dataclasses import dataclass

import numpy as np

MAX_INTERVAL_S = 0.5
"""Faces are looked for at least this often, however slow the machine: who comes in is seen soon."""

BUDGET_SHARE = 0.85
"""Share of the source's interval that a frame may take on average; the rest is for the thread that receives and decodes
frames, and for frames that take longer than the last ones did."""

_SMOOTHING = 0.2
_MAX_FRAMES = 300
_RECENT_S = 10.0


class DetectionScheduler:
    """Chooses on which frames of a live source faces are looked for.

    So that the mean time a frame takes stays within the budget, detection is spread over as many frames as it needs:
    with ``t`` for everything else and ``d`` for detection, ``t + d / n <= budget``. Without a budget of the user's it
    is `BUDGET_SHARE` of the time between two frames of the source; detection beside the frames then has a core of
    its own, and ``d / n <= budget`` is enough.

    Parameters
    ----------
    budget_s : float or None
        Mean seconds a frame may take; None keeps up with the source.
    every : int or None
        Look on every nth frame, whatever it takes.
    in_background : bool
        Whether faces are found beside the frames, which do not wait for it.
    """

    def __init__(self, budget_s: float | None = None, every: int | None = None, *, in_background: bool = False) -> None:
        self._budget_s = budget_s
        self._every = every
        self._in_background = in_background
        self._detection_s = 0.0
        self._rest_s = 0.0
        self._since = 0

    def is_due(self, frame_interval_s: float) -> bool:
        """Return whether to look for faces on the next frame, of a source with a frame every `frame_interval_s`."""
        return self._since == 0 or self._since >= self.frames_between(frame_interval_s)

    def frames_between(self, frame_interval_s: float) -> int:
        """Return ``n`` above."""
        if self._every is not None:
            return self._every
        # Frames that take longer than the source's interval come that much later.
        frame_s = max(frame_interval_s, self._rest_s)
        most = max(1, math.floor(MAX_INTERVAL_S / frame_s))
        if self._budget_s is not None:
            left_s = self._budget_s - self._rest_s
        elif self._in_background:
            left_s = BUDGET_SHARE * frame_s
        else:
            left_s = BUDGET_SHARE * frame_interval_s - self._rest_s
        return most if left_s <= 0 else min(most, max(1, math.ceil(self._detection_s / left_s)))

    def record(self, *, detected: bool, detection_s: float | None, total_s: float) -> None:
        """Take what a frame took: whether faces were looked for, how long that took, and all of it, in seconds."""
        self._since = 1 if detected else self._since + 1
        rest_s = total_s if self._in_background or detection_s is None else total_s - detection_s
        self._rest_s = rest_s if not self._rest_s else self._rest_s + _SMOOTHING * (rest_s - self._rest_s)
        if detection_s is not None:
            first = not self._detection_s
            self._detection_s = (
                detection_s if first else self._detection_s + _SMOOTHING * (detection_s - self._detection_s)
            )


@dataclass(frozen=True)
class Speed:
    """How fast the loop is: frames a second, and milliseconds from a frame's capture to its labels."""

    frames_per_second: float
    p50_ms: float
    p95_ms: float


class FrameRateMeter:
    """Measures the loop over its last frames."""

    def __init__(self) -> None:
        self._done_s: deque[float] = deque(maxlen=_MAX_FRAMES)
        self._latencies_s: deque[float] = deque(maxlen=_MAX_FRAMES)

    def record(self, captured_s: float, done_s: float) -> None:
        """Take the times, of one monotonic clock, when a frame was captured and when it had its labels."""
        self._done_s.append(done_s)
        self._latencies_s.append(done_s - captured_s)

    @property
    def speed(self) -> Speed:
        """The speed over the last frames, whenever they were; zeros before the second one."""
        return _speed_of([*self._done_s], [*self._latencies_s], until_s=self._done_s[-1] if self._done_s else 0.0)

    def speed_at(self, now_s: float) -> Speed:
        """Return the speed over the ten seconds before `now_s`: while no frames come it falls to nothing."""
        n_old = sum(done_s <= now_s - _RECENT_S for done_s in self._done_s)
        return _speed_of([*self._done_s][n_old:], [*self._latencies_s][n_old:], until_s=now_s)


def _speed_of(done_s: list[float], latencies_s: list[float], *, until_s: float) -> Speed:
    if len(done_s) < 2:
        return Speed(0.0, 0.0, 0.0)
    span_s = until_s - done_s[0]
    p50, p95 = np.percentile(latencies_s, [50, 95]) * 1000
    return Speed((len(done_s) - 1) / span_s if span_s > 0 else 0.0, float(p50), float(p95))
