import cv2
import numpy as np
import pytest

from embedder.detection.boxes import non_maximum_suppression
from embedder.detection.pyramid import (
    CELL,
    STRIDE,
    Pyramid,
    cells_to_boxes,
    cut_tiles,
    halvings,
    level_scales,
    suppress_neighbours,
)


def n_cells(length: int) -> int:
    """Cells of P-Net along `length` pixels: convolution by 3, pooling by 2 that rounds up, twice convolution by 3."""
    return -(-(length - 2) // 2) - 4


def test_scales_begin_with_the_smallest_face_and_end_with_the_shorter_side():
    assert level_scales((250, 400), 20, 0.709) == pytest.approx([0.6 * 0.709**k for k in range(8)])
    assert 250 * 0.6 * 0.709**7 >= CELL > 250 * 0.6 * 0.709**8


def test_an_image_smaller_than_the_smallest_face_has_no_level():
    assert level_scales((19, 4000), 20, 0.709) == []
    assert level_scales((1, 1), 12, 0.709) == []
    assert level_scales((20, 20), 20, 0.709) == [0.6]


def test_levels_round_their_sides_up():
    level = Pyramid(np.full((101, 203, 3), 7, np.uint8)).level(0.3)
    assert level.shape == (31, 61, 3)
    assert (level == 7).all()


def test_halves_are_averages_and_made_once():
    image = np.random.default_rng(0).integers(0, 256, (9, 13, 3), dtype=np.uint8)
    pyramid = Pyramid(image)
    assert pyramid.halved(0) is image
    half = pyramid.halved(1)
    assert half.shape == (4, 6, 3)
    assert np.abs(half - image[:8, :12].reshape(4, 2, 6, 2, 3).mean(axis=(1, 3))).max() <= 0.5
    assert pyramid.halved(2).shape == (2, 3, 3)
    assert pyramid.halved(1) is half


def test_a_photo_is_halved_only_while_it_stays_large_enough():
    assert [halvings(scale) for scale in (1.5, 0.6, 0.51, 0.5, 0.26, 0.25, 0.02)] == [0, 0, 0, 1, 1, 2, 5]


@pytest.mark.parametrize("scale", [0.6, 0.2, 0.1])
def test_levels_from_halves_hardly_differ_from_direct_ones(scale: float):
    noise = np.random.default_rng(0).integers(0, 256, (15, 20, 3), dtype=np.uint8)
    photo = cv2.resize(noise, (800, 400), interpolation=cv2.INTER_CUBIC)
    direct = cv2.resize(photo, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA).astype(int)
    assert np.abs(Pyramid(photo).level(scale) - direct).mean() < 3


@pytest.mark.parametrize("height", [12, 13, 24, 249, 250, 251, 252, 253, 501])
@pytest.mark.parametrize("width", [12, 13, 400])
def test_tiles_have_each_cell_once(height: int, width: int):
    level = np.arange(height * width, dtype=np.uint32).reshape(height, width)
    seen = np.zeros((n_cells(height), n_cells(width)), int)
    for tile in cut_tiles(level):
        rows, columns = n_cells(tile.pixels.shape[0]), n_cells(tile.pixels.shape[1])
        assert rows >= 1
        assert columns >= 1
        seen[tile.first_row : tile.first_row + rows, tile.first_column : tile.first_column + columns] += 1
        assert tile.pixels[0, 0] == level[STRIDE * tile.first_row, STRIDE * tile.first_column]
    assert (seen == 1).all()


def test_tiles_are_of_bounded_size():
    tiles = list(cut_tiles(np.zeros((3000, 700, 3), np.uint8)))
    assert max(max(tile.pixels.shape) for tile in tiles) <= 160
    assert len(tiles) < 130


def test_cells_become_boxes_in_the_photo():
    boxes = cells_to_boxes(np.array([[0, 0], [3, 10]]), np.array([0.5, 1.0]))
    # Row 3, column 10 at full size: pixels 6..17 in y and 20..31 in x.
    assert boxes.tolist() == [[1, 1, 24, 24], [20, 6, 32, 18]]


@pytest.mark.parametrize("n", [0, 1, 2, 40, 1500])
def test_suppression_of_neighbours_equals_that_of_each_level(n: int):
    rng = np.random.default_rng(n)
    scales = np.array([0.6, 0.4254, 1.0, 0.05])
    every = np.stack(np.meshgrid(range(4), range(25), range(20), indexing="ij"), axis=-1).reshape(-1, 3)
    chosen = every[rng.choice(len(every), n, replace=False)]
    levels, cells = chosen[:, 0], chosen[:, 1:]
    boxes = cells_to_boxes(cells, scales[levels])
    scores = rng.integers(0, 40, n) / 40  # with many ties
    found = suppress_neighbours(cells, levels, boxes, scores=scores, threshold=0.5)
    expected = [
        index[non_maximum_suppression(boxes[index], scores[index], 0.5)]
        for index in (np.flatnonzero(levels == level) for level in range(4))
    ]
    assert sorted(found.tolist()) == sorted(np.concatenate(expected).tolist())
    assert (np.diff(scores[found]) <= 0).all()
