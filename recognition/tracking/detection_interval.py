"""How often to run detection within a time budget, and how fast the loop over frames is."""

import math
from collections import deque
from dataclasses import dataclass

import numpy as np

_MAX_FRAMES = 300
_RECENT_S = 10.0


@dataclass(frozen=True)
class DetectionIntervalSettings:
    """How detection shares the time between two frames with everything else.

    Attributes
    ----------
    max_interval_s : float
        Longest time between two detections, in seconds, however slow the machine. Shorter notices new faces sooner and
        drops more frames on slow machines.
    budget_share : float
        Share of the source's frame interval that a frame may take on average. The rest is for the thread that receives
        and decodes frames, and for frames that take longer than the last ones did; higher drops more frames.
    smoothing : float
        Weight of the newest frame in the running means of what frames and detections take. Higher adapts faster to a
        busy machine and varies more.
    """

    max_interval_s: float = 0.5
    budget_share: float = 0.85
    smoothing: float = 0.2


class DetectionScheduler:
    """Choose the frames of a live source on which detection runs.

    Detection is spread over as many frames as the budget for the mean time of a frame needs: with ``t`` for everything
    else and ``d`` for detection, ``t + d / n <= budget``. Without a budget of the user's it is `budget_share` of the
    time between two frames of the source; detection in the background then has a core of its own, and
    ``d / n <= budget`` is enough.

    Parameters
    ----------
    budget_s : float or None
        Mean seconds a frame may take; None keeps up with the source.
    every : int or None
        Run on every nth frame, whatever it takes.
    in_background : bool
        Whether detection runs on a thread of its own, for which frames do not wait.
    settings : DetectionIntervalSettings
    """

    def __init__(
        self,
        budget_s: float | None = None,
        every: int | None = None,
        *,
        in_background: bool = False,
        settings: DetectionIntervalSettings = DetectionIntervalSettings(),
    ) -> None:
        self._budget_s = budget_s
        self._every = every
        self._in_background = in_background
        self._settings = settings
        self._detection_s = 0.0
        self._rest_s = 0.0
        self._since = 0

    def is_due(self, frame_interval_s: float) -> bool:
        """Return whether to run detection on the next frame of a source with a frame every `frame_interval_s`."""
        return self._since == 0 or self._since >= self.frames_between(frame_interval_s)

    def frames_between(self, frame_interval_s: float) -> int:
        """Return the number of frames from one detection to the next, ``n`` above."""
        if self._every is not None:
            return self._every
        # Frames that take longer than the source's interval come that much later.
        frame_s = max(frame_interval_s, self._rest_s)
        most = max(1, math.floor(self._settings.max_interval_s / frame_s))
        if self._budget_s is not None:
            left_s = self._budget_s - self._rest_s
        elif self._in_background:
            left_s = self._settings.budget_share * frame_s
        else:
            left_s = self._settings.budget_share * frame_interval_s - self._rest_s
        return most if left_s <= 0 else min(most, max(1, math.ceil(self._detection_s / left_s)))

    def record(self, *, detected: bool, detection_s: float | None, total_s: float) -> None:
        """Record a frame: whether detection ran, how long that took, and how long all of it took, in seconds."""
        self._since = 1 if detected else self._since + 1
        rest_s = total_s if self._in_background or detection_s is None else total_s - detection_s
        self._rest_s = self._smoothed(self._rest_s, rest_s)
        if detection_s is not None:
            self._detection_s = self._smoothed(self._detection_s, detection_s)

    def _smoothed(self, mean_s: float, newest_s: float) -> float:
        return newest_s if not mean_s else mean_s + self._settings.smoothing * (newest_s - mean_s)


@dataclass(frozen=True)
class Speed:
    """Frame rate of the loop, and percentiles of the milliseconds from a frame's capture to its labels."""

    frames_per_second: float
    p50_ms: float
    p95_ms: float


class FrameRateMeter:
    """Measure frame rate and latency over the last frames."""

    def __init__(self) -> None:
        self._done_s: deque[float] = deque(maxlen=_MAX_FRAMES)
        self._latencies_s: deque[float] = deque(maxlen=_MAX_FRAMES)

    def record(self, captured_s: float, done_s: float) -> None:
        """Record when a frame was captured and when it had its labels, in seconds of one monotonic clock."""
        self._done_s.append(done_s)
        self._latencies_s.append(done_s - captured_s)

    @property
    def speed(self) -> Speed:
        """Return the speed over the last frames, whenever they were; zeros before the second one."""
        return _speed_of([*self._done_s], [*self._latencies_s], until_s=self._done_s[-1] if self._done_s else 0.0)

    def speed_at(self, now_s: float) -> Speed:
        """Return the speed over the ten seconds before `now_s`: without frames it falls to zero."""
        n_old = sum(done_s <= now_s - _RECENT_S for done_s in self._done_s)
        return _speed_of([*self._done_s][n_old:], [*self._latencies_s][n_old:], until_s=now_s)


def _speed_of(done_s: list[float], latencies_s: list[float], *, until_s: float) -> Speed:
    if len(done_s) < 2:
        return Speed(0.0, 0.0, 0.0)
    span_s = until_s - done_s[0]
    p50, p95 = np.percentile(latencies_s, [50, 95]) * 1000
    return Speed((len(done_s) - 1) / span_s if span_s > 0 else 0.0, float(p50), float(p95))
