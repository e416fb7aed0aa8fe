import numpy as np
import pytest

from embedder.pyramid import CELL, STRIDE, build_level, cut_tiles, level_scales


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
    level = build_level(np.full((101, 203, 3), 7, np.uint8), 0.3)
    assert level.shape == (31, 61, 3)
    assert (level == 7).all()


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
    assert max(max(tile.pixels.shape) for tile in tiles) <= 256
    assert len(tiles) < 60
