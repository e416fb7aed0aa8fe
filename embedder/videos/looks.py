"""Looks: a face in a video at one second, and which of a track are kept: at most three, apart in time, the best."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

N_LOOKS = 3
"""Looks of a track that are kept at most: neighbouring frames say the same again."""

# Seconds between two looks, and in clips shorter than that times the looks the share of the seen time: within a second
# few people turn their heads.
_APART_S = 1.0
_APART_SHARE = 0.25
# In a table each look costs a row: half a second later it is still almost the same picture.
_LEAST_APART_S = 0.5


@dataclass(frozen=True, eq=False)
class Look:
    """A face in a video at one second.

    Attributes
    ----------
    time_s : float
    box, landmarks : numpy.ndarray
        float64 (4,) and (5, 2), pixels of the frame.
    score : float
        The detector's.
    crop : numpy.ndarray
        uint8 (s, s, 3), as the network takes it.
    quality : float
        0..1, see `embedder.detection.quality.face_quality`.
    is_whole : bool
        Whether no side of the box lies beyond the frame.
    """

    time_s: float
    box: np.ndarray
    landmarks: np.ndarray
    score: float
    crop: np.ndarray
    quality: float
    is_whole: bool


def best_looks(looks: Sequence[Look]) -> list[Look]:
    """Return the best looks of a track in the order of time; whole faces come before those cut off by the frame."""
    ranked = sorted(looks, key=lambda look: (-look.is_whole, -look.quality))
    times = [look.time_s for look in ranked]
    chosen = choose_apart(times, N_LOOKS, apart_s=max(_LEAST_APART_S, seconds_apart(times)))
    return sorted((ranked[i] for i in chosen), key=lambda look: look.time_s)


def seconds_apart(times: Sequence[float]) -> float:
    """Return how far apart the looks of a track that is seen at `times`, in seconds, should be."""
    return min(_APART_S, _APART_SHARE * (max(times) - min(times)))


def choose_apart(times: Sequence[float], most: int, *, apart_s: float) -> list[int]:
    """Return which of `times`, in seconds, the best first, are kept: at most `most`, none near a better one.

    >>> choose_apart([5.0, 5.4, 9.0, 1.0, 7.0], 3, apart_s=1.0)
    [0, 2, 3]
    """
    chosen: list[int] = []
    for i, time_s in enumerate(times):
        if all(abs(time_s - times[other]) >= max(apart_s, np.finfo(float).eps) for other in chosen):
            chosen.append(i)
        if len(chosen) == most:
            break
    return chosen
