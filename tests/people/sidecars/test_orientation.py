"""Upright and stored boxes, against pixels that Pillow turns."""

import pytest

from people.sidecars.orientation import stored_size, to_stored, to_upright
from tests.people.sidecars.made import PATCH, SIZE, make_photo

STORED = tuple(side / length for side, length in zip(PATCH, SIZE * 2, strict=True))


@pytest.mark.parametrize("orientation", range(1, 9))
def test_a_box_goes_to_where_the_pixels_go(tmp_path, orientation):
    upright = make_photo(tmp_path / "a.png", orientation)
    assert to_stored(upright, orientation) == pytest.approx(STORED)
    assert to_upright(STORED, orientation) == pytest.approx(upright)
    assert stored_size(stored_size(SIZE, orientation), orientation) == SIZE


@pytest.mark.parametrize("orientation", [0, 9, -1])
def test_an_unknown_orientation_is_upright(orientation):
    assert to_stored(STORED, orientation) == to_upright(STORED, orientation) == STORED
