import numpy as np
import pytest

from embedder.detection.boxes import (
    areas,
    clip_boxes,
    non_maximum_suppression,
    pad_boxes,
    pairwise_overlap,
    square_boxes,
    vote_boxes,
)


def greedy_suppression(boxes: np.ndarray, scores: np.ndarray, threshold: float, measure: str) -> list[int]:
    """One box at a time, straight from the definition."""
    chosen: list[int] = []
    for index in np.argsort(-scores, kind="stable"):
        overlaps = pairwise_overlap(boxes[[index]], boxes[chosen], measure=measure)
        if not (overlaps > threshold).any():
            chosen.append(int(index))
    return chosen


def random_boxes(n: int, seed: int) -> np.ndarray:
    rng = np.random.default_rng(seed)
    corners = rng.uniform(0, 100, (n, 2))
    return np.hstack([corners, corners + rng.uniform(5, 60, (n, 2))])


def test_areas_of_none_and_of_inverted_boxes():
    assert areas(np.empty((0, 4))).shape == (0,)
    assert areas(np.array([[0, 0, 3, 4], [5, 5, 4, 9], [5, 5, 4, 4]])).tolist() == [12, 0, 0]


def test_clip_limits_every_edge():
    clipped = clip_boxes(np.array([[-5.0, -6.0, 700.0, 800.0], [3.0, 4.0, 5.0, 6.0]]), (40, 60))
    assert clipped.tolist() == [[0, 0, 60, 40], [3, 4, 5, 6]]


def test_clip_of_a_box_outside_has_no_area():
    assert areas(clip_boxes(np.array([[70.0, 10.0, 90.0, 30.0]]), (40, 60))).tolist() == [0]


def test_square_keeps_the_centre_and_the_longer_side():
    assert square_boxes(np.array([[10.0, 20.0, 14.0, 30.0], [0.0, 0.0, 8.0, 2.0]])).tolist() == [
        [7, 20, 17, 30],
        [0, -3, 8, 5],
    ]


def test_pad_adds_half_on_each_side():
    padded = pad_boxes(np.array([[10.0, 10.0, 20.0, 20.0], [0.0, 0.0, 1.0, 1.0]]), np.array([[2.0], [6.0]]))
    assert padded.tolist() == [[9, 9, 21, 21], [-3, -3, 4, 4]]


def test_overlap_by_hand():
    boxes = np.array([[0.0, 0.0, 10.0, 10.0]])
    others = np.array([[5.0, 0.0, 15.0, 10.0], [10.0, 0.0, 20.0, 10.0], [2.0, 2.0, 4.0, 4.0], [3.0, 3.0, 3.0, 8.0]])
    assert pairwise_overlap(boxes, others)[0] == pytest.approx([50 / 150, 0, 4 / 100, 0])
    assert pairwise_overlap(boxes, others, measure="minimum")[0] == pytest.approx([0.5, 0, 1, 0])


def test_boxes_without_area_overlap_nothing():
    assert pairwise_overlap(np.zeros((1, 4)), np.zeros((2, 4))).tolist() == [[0, 0]]


def test_overlap_with_none_is_empty():
    assert pairwise_overlap(np.empty((0, 4)), random_boxes(3, 0)).shape == (0, 3)


@pytest.mark.parametrize("measure", ["union", "minimum"])
@pytest.mark.parametrize("n", [0, 1, 2, 30, 700])
def test_suppression_equals_the_greedy_definition(n: int, measure: str):
    boxes = random_boxes(n, n)
    scores = np.random.default_rng(n + 1).integers(0, 50, n) / 50  # with many ties
    for threshold in (0.0, 0.3, 0.7, 1.0):
        chosen = non_maximum_suppression(boxes, scores, threshold, measure=measure)
        assert chosen.tolist() == greedy_suppression(boxes, scores, threshold, measure)


def test_a_suppressed_box_suppresses_nobody():
    chain = np.array([[0.0, 0.0, 10.0, 10.0], [4.0, 0.0, 14.0, 10.0], [8.0, 0.0, 18.0, 10.0]])
    assert non_maximum_suppression(chain, np.array([0.9, 0.8, 0.7]), 0.3).tolist() == [0, 2]


def test_overlap_equal_to_the_threshold_is_kept():
    halves = np.array([[0.0, 0.0, 10.0, 10.0], [0.0, 0.0, 10.0, 5.0]])
    assert non_maximum_suppression(halves, np.array([0.9, 0.8]), 0.5).tolist() == [0, 1]
    assert non_maximum_suppression(halves, np.array([0.9, 0.8]), 0.49).tolist() == [0]


def test_votes_by_hand():
    boxes = np.array([[0.0, 0.0, 10.0, 10.0], [1.0, 0.0, 11.0, 10.0], [6.0, 0.0, 16.0, 10.0], [0.0, 0.0, 20.0, 20.0]])
    scores = np.array([0.75, 0.25, 0.9, 0.8])
    votes = vote_boxes(boxes, scores, np.array([1, 2, 3]), threshold=0.7)
    assert votes.tolist() == [[0.25, 0, 10.25, 10], boxes[2].tolist(), boxes[3].tolist()]


def test_a_box_without_area_keeps_its_own_vote():
    boxes = np.array([[3.0, 3.0, 3.0, 8.0], [3.0, 3.0, 4.0, 8.0]])
    assert vote_boxes(boxes, np.array([0.5, 0.5]), np.array([0]), threshold=0).tolist() == [[3, 3, 3, 8]]


@pytest.mark.parametrize("n", [0, 1, 30, 700])
def test_votes_equal_the_definition(n: int):
    boxes, scores = random_boxes(n, n), np.random.default_rng(n).uniform(0.1, 1, n)
    chosen = np.random.default_rng(n + 1).permutation(n)[: n - n // 4]
    votes = vote_boxes(boxes, scores, chosen, threshold=0.3)
    assert votes.shape == (len(chosen), 4)
    for vote, overlaps in zip(votes, pairwise_overlap(boxes[chosen], boxes), strict=True):
        voters = np.flatnonzero(overlaps > 0.3)
        np.testing.assert_allclose(vote, np.average(boxes[voters], axis=0, weights=scores[voters]))
