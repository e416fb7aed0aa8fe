"""What holds for any boxes: overlap, suppression and voting."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from embedder.detection.boxes import (
    areas,
    clip_boxes,
    non_maximum_suppression,
    pad_boxes,
    pairwise_overlap,
    square_boxes,
    vote_boxes,
)
from tests.properties import FEW

MEASURES = ("union", "minimum")
THRESHOLDS = st.sampled_from([0.0, 0.3, 0.5, 0.7, 1.0])


@st.composite
def boxes_with_scores(draw: st.DrawFn) -> tuple[np.ndarray, np.ndarray]:
    """Draw boxes (n, 4) close enough to overlap, some without area, and scores of which no two are equal."""
    n = draw(st.integers(0, 30))
    corners = draw(arrays(np.float64, (n, 2), elements=st.integers(-20, 60)))
    sides = draw(arrays(np.float64, (n, 2), elements=st.integers(0, 40)))
    ranks = draw(st.permutations(range(n)))
    return np.hstack([corners, corners + sides]) / 4, (np.array(ranks, float) + 1) / (n + 1)


@FEW
@given(boxes_with_scores(), st.sampled_from(MEASURES))
def test_overlap_is_symmetric_and_a_share(drawn, measure):
    boxes, _ = drawn
    overlap = pairwise_overlap(boxes, boxes, measure=measure)
    np.testing.assert_array_equal(overlap, overlap.T)
    assert ((overlap >= 0) & (overlap <= 1)).all()
    np.testing.assert_array_equal(np.diag(overlap), areas(boxes) > 0)
    assert (pairwise_overlap(boxes, boxes, measure="minimum") >= pairwise_overlap(boxes, boxes)).all()


@FEW
@given(boxes_with_scores(), THRESHOLDS, st.sampled_from(MEASURES))
def test_what_is_chosen_keeps_apart_and_what_is_not_is_near_something_better(drawn, threshold, measure):
    boxes, scores = drawn
    chosen = non_maximum_suppression(boxes, scores, threshold, measure=measure)
    assert (np.diff(scores[chosen]) < 0).all()
    overlap = pairwise_overlap(boxes, boxes, measure=measure)
    among = overlap[np.ix_(chosen, chosen)] - np.diag(np.diag(overlap)[chosen])
    assert (among <= threshold).all()
    for index in set(range(len(boxes))) - set(chosen.tolist()):
        assert ((overlap[index, chosen] > threshold) & (scores[chosen] > scores[index])).any()


@FEW
@given(boxes_with_scores(), THRESHOLDS, st.sampled_from(MEASURES))
def test_suppression_of_what_is_chosen_drops_nothing(drawn, threshold, measure):
    boxes, scores = drawn
    chosen = non_maximum_suppression(boxes, scores, threshold, measure=measure)
    again = non_maximum_suppression(boxes[chosen], scores[chosen], threshold, measure=measure)
    assert again.tolist() == list(range(len(chosen)))


@FEW
@given(boxes_with_scores(), THRESHOLDS, st.sampled_from(MEASURES), st.randoms(use_true_random=False))
def test_the_order_of_the_boxes_decides_nothing(drawn, threshold, measure, random):
    boxes, scores = drawn
    order = list(range(len(boxes)))
    random.shuffle(order)
    chosen = non_maximum_suppression(boxes, scores, threshold, measure=measure)
    shuffled = non_maximum_suppression(boxes[order], scores[order], threshold, measure=measure)
    assert np.array(order, int)[shuffled].tolist() == chosen.tolist()
    votes = vote_boxes(boxes, scores, chosen, threshold=threshold)
    np.testing.assert_allclose(
        vote_boxes(boxes[order], scores[order], shuffled, threshold=threshold), votes, rtol=0, atol=1e-9
    )


@FEW
@given(boxes_with_scores(), THRESHOLDS)
def test_votes_lie_between_their_voters(drawn, threshold):
    boxes, scores = drawn
    chosen = non_maximum_suppression(boxes, scores, threshold)
    votes = vote_boxes(boxes, scores, chosen, threshold=threshold)
    for vote, index in zip(votes, chosen, strict=True):
        is_voter = pairwise_overlap(boxes[[index]], boxes)[0] > threshold
        is_voter[index] = True
        # The mean of intervals lies in their convex hull, edge by edge.
        assert (vote >= boxes[is_voter].min(axis=0) - 1e-9).all()
        assert (vote <= boxes[is_voter].max(axis=0) + 1e-9).all()
        if is_voter.sum() == 1:
            assert vote == pytest.approx(boxes[index], abs=1e-12)


@FEW
@given(boxes_with_scores())
def test_clipping_and_padding(drawn):
    boxes, _ = drawn
    clipped = clip_boxes(boxes, (7, 9))
    np.testing.assert_array_equal(clip_boxes(clipped, (7, 9)), clipped)
    assert (areas(clipped) <= areas(boxes)).all()
    padding = np.array([4.0, 8.0])
    np.testing.assert_array_equal(pad_boxes(pad_boxes(boxes, padding), -padding), boxes)


@FEW
@given(boxes_with_scores())
def test_squares_hold_their_boxes(drawn):
    boxes, _ = drawn
    squares = square_boxes(boxes)
    sides = squares[:, 2:] - squares[:, :2]
    np.testing.assert_array_equal(sides[:, 0], sides[:, 1])
    assert (squares[:, :2] <= boxes[:, :2]).all()
    assert (squares[:, 2:] >= boxes[:, 2:]).all()
    np.testing.assert_array_equal(squares[:, :2] + squares[:, 2:], boxes[:, :2] + boxes[:, 2:])
    np.testing.assert_array_equal(square_boxes(squares), squares)
