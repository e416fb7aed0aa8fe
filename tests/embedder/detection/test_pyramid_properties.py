"""What holds for photos of any size: scales, tiles, and the cells of P-Net's output."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from embedder.detection.boxes import non_maximum_suppression
from embedder.detection.pyramid import (
    CELL,
    STRIDE,
    cells_to_boxes,
    cut_tiles,
    halvings,
    level_scales,
    suppress_neighbours,
)
from tests.embedder.detection.test_pyramid import n_cells
from tests.properties import FEW

SCALES = (0.6, 0.4254, 1.0, 0.05)


@st.composite
def cells_of_levels(draw: st.DrawFn) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Draw different cells (n, 2), the level of each, and scores of which no two are equal."""
    drawn = draw(
        st.lists(
            st.tuples(st.integers(0, len(SCALES) - 1), st.integers(0, 12), st.integers(0, 9)), max_size=60, unique=True
        )
    )
    found = np.array(drawn, np.int64).reshape(-1, 3)
    ranks = draw(st.permutations(range(len(found))))
    return found[:, 1:], found[:, 0], (np.array(ranks, float) + 1) / (len(found) + 1)


@FEW
@given(st.integers(CELL, 700), st.integers(CELL, 700))
def test_tiles_have_each_cell_of_any_level_once(height, width):
    seen = np.zeros((n_cells(height), n_cells(width)), int)
    for tile in cut_tiles(np.broadcast_to(np.uint8(0), (height, width))):
        rows, columns = n_cells(tile.pixels.shape[0]), n_cells(tile.pixels.shape[1])
        assert 1 <= rows <= 73 and 1 <= columns <= 73
        seen[tile.first_row : tile.first_row + rows, tile.first_column : tile.first_column + columns] += 1
    assert (seen == 1).all()


@FEW
@given(st.integers(1, 3000), st.integers(1, 3000), st.integers(CELL, 400), st.floats(0.3, 0.9))
def test_scales_reach_from_the_smallest_face_to_the_shorter_side(height, width, min_face_size, scale_factor):
    scales = level_scales((height, width), min_face_size, scale_factor)
    shorter = min(height, width)
    if shorter * (CELL / min_face_size) < CELL:
        assert scales == []
        return
    assert scales[0] * min_face_size == pytest.approx(CELL)
    assert np.array(scales[1:]) == pytest.approx(np.array(scales[:-1]) * scale_factor)
    assert shorter * scales[-1] >= CELL > shorter * scales[-1] * scale_factor * (1 - 1e-12)


@FEW
@given(st.floats(1e-3, 1))
def test_a_photo_is_halved_until_less_than_twice_the_level(scale):
    times = halvings(scale)
    assert times >= 0
    remaining = 1 / (scale * 2**times)
    assert 1 - 1e-12 <= remaining < 2 * (1 + 1e-12)


@FEW
@given(st.integers(0, 500), st.integers(0, 500), st.floats(0.01, 1))
def test_the_box_of_a_cell_is_where_the_cell_looks(row, column, scale):
    (box,) = cells_to_boxes(np.array([[row, column]]), np.array([scale]))
    corner = STRIDE * np.array([column, row])
    # Within the pixel that the rounding of the authors' code costs, in the photo's pixels.
    assert np.abs(box[:2] - corner / scale).max() <= 1 + 1 / scale
    assert np.abs(box[2:] - (corner + CELL) / scale).max() <= 1
    (right, below) = cells_to_boxes(np.array([[row, column + 1], [row + 1, column]]), np.array([scale, scale]))
    assert (right[[1, 3]] == box[[1, 3]]).all() and (right[[0, 2]] > box[[0, 2]]).all()
    assert (below[[0, 2]] == box[[0, 2]]).all() and (below[[1, 3]] > box[[1, 3]]).all()


@FEW
@given(cells_of_levels(), st.sampled_from([0.5, 0.7]), st.randoms(use_true_random=False))
def test_suppression_of_neighbours_is_that_of_each_level_in_any_order(drawn, threshold, random):
    cells, levels, scores = drawn
    boxes = cells_to_boxes(cells, np.array(SCALES)[levels])
    found = suppress_neighbours(cells, levels, boxes, scores=scores, threshold=threshold)
    expected = [
        index[non_maximum_suppression(boxes[index], scores[index], threshold)]
        for index in (np.flatnonzero(levels == level) for level in range(len(SCALES)))
    ]
    assert sorted(found.tolist()) == sorted(np.concatenate(expected).tolist())
    assert (np.diff(scores[found]) < 0).all()
    order = list(range(len(cells)))
    random.shuffle(order)
    shuffled = suppress_neighbours(cells[order], levels[order], boxes[order], scores=scores[order], threshold=threshold)
    assert np.array(order, int)[shuffled].tolist() == found.tolist()
