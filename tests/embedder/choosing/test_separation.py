"""d' and its redraws, against the figure that is worked out pair by pair."""

import numpy as np

from embedder.choosing.separation import SeparationMeter, share_better
from embedder.verification.metrics import separation

PEOPLE = np.repeat(np.arange(6), 3)


def vectors(spread: float, seed: int = 0) -> np.ndarray:
    rng = np.random.default_rng(seed)
    raw = np.eye(6, 8)[PEOPLE] + spread * rng.standard_normal((len(PEOPLE), 8))
    unit: np.ndarray = (raw / np.linalg.norm(raw, axis=1, keepdims=True)).astype(np.float32)
    return unit


def test_it_is_the_figure_of_all_pairs_and_redraws_count_people() -> None:
    rows = vectors(0.3)
    left, right = np.triu_indices(len(PEOPLE), 1)
    scores = (rows.astype(float) @ rows.T.astype(float))[left, right]
    same = PEOPLE[left] == PEOPLE[right]
    meter = SeparationMeter(PEOPLE)
    found = meter.measure(rows)
    np.testing.assert_allclose(found.value, separation(scores, same), rtol=1e-9)
    times = meter._times[7][PEOPLE]
    weights = np.where(same, times[left], times[left] * times[right])
    np.testing.assert_allclose(found.draws[7], separation(scores, same, weights=weights), rtol=1e-9)
    assert found.low < found.value < found.high


def test_the_better_vectors_are_better_and_equal_ones_are_not() -> None:
    meter = SeparationMeter(PEOPLE)
    good, poor = meter.measure(vectors(0.2)), meter.measure(vectors(0.6))
    assert share_better(good, poor) > 0.99 and share_better(good, good) == 0.0
    lost = meter.measure(np.full((len(PEOPLE), 8), np.nan, np.float32))
    assert lost.value == -np.inf and share_better(good, lost) == 1.0
