"""Labels cover no face and no other label, as long as there is room."""

import numpy as np
import pytest

from recognition.outputs.label_places import Place, find_places
from tests.conftest import DATA

GROUP_OF_20 = "0--Parade__0_Parade_marchingband_1_359.jpg"
GROUP_OF_95 = "0--Parade__0_Parade_Parade_0_490.jpg"


def covered_pixels(
    boxes: np.ndarray, sizes: list[tuple[int, int]], places: list[Place], image_wh: tuple[int, int]
) -> int:
    """Return how many pixels are covered twice: by two labels, or by a label and a face."""
    width, height = image_wh
    faces, labels = np.zeros((height, width), bool), np.zeros((height, width), int)
    for x_min, y_min, x_max, y_max in np.clip(np.rint(boxes), 0, None).astype(int):
        faces[y_min:y_max, x_min:x_max] = True
    for (label_width, label_height), place in zip(sizes, places, strict=True):
        labels[place.top : place.top + label_height, place.left : place.left + label_width] += 1
    return int(((labels > 1) | ((labels > 0) & faces)).sum())


def are_inside(sizes: list[tuple[int, int]], places: list[Place], image_wh: tuple[int, int]) -> bool:
    return all(
        0 <= place.left <= image_wh[0] - width and 0 <= place.top <= image_wh[1] - height
        for (width, height), place in zip(sizes, places, strict=True)
    )


def boxes_of(photo: str) -> np.ndarray:
    lines = iter((DATA / "wider" / "ground_truth.txt").read_text().splitlines())
    next(line for line in lines if line == photo)
    rows = [next(lines).split()[:4] for _ in range(int(next(lines)))]
    boxes = np.array(rows, float)
    boxes[:, 2:] += boxes[:, :2]
    return boxes


@pytest.mark.realdata
@pytest.mark.parametrize(("photo", "image_wh"), [(GROUP_OF_20, (1024, 683)), (GROUP_OF_95, (1024, 898))])
def test_on_photos_of_20_and_of_60_faces(photo: str, image_wh: tuple[int, int]) -> None:
    boxes = boxes_of(photo)[:60]
    assert len(boxes) in (20, 60)
    sizes = [(110, 16)] * len(boxes)
    places = find_places(boxes, sizes, image_wh=image_wh)
    assert covered_pixels(boxes, sizes, places, image_wh) == 0
    assert are_inside(sizes, places, image_wh)
    assert places == find_places(boxes, sizes, image_wh=image_wh)


@pytest.mark.parametrize("seed", range(5))
def test_a_made_crowd_of_60(seed: int) -> None:
    rng = np.random.default_rng(seed)
    corners = rng.uniform((-10, -10), (1000, 750), (60, 2))
    boxes = np.hstack([corners, corners + rng.uniform(15, 60, (60, 1))])
    sizes = [(int(width), 16) for width in rng.integers(20, 90, 60)]
    places = find_places(boxes, sizes, image_wh=(1024, 768))
    assert covered_pixels(boxes, sizes, places, (1024, 768)) == 0
    assert are_inside(sizes, places, (1024, 768))


@pytest.mark.parametrize(
    ("box", "expected"),
    [
        ((50, 60, 90, 100), (50, 50, 0.0)),
        ((50, 4, 90, 44), (50, 44, 0.0)),
        ((170, 60, 199, 100), (160, 50, 0.0)),
        ((60, 0, 100, 120), (100, 0, 0.0)),
    ],
)
def test_above_then_below_then_beside(box: tuple[int, ...], expected: tuple[int, int, float]) -> None:
    assert find_places([box], [(40, 10)], image_wh=(200, 120)) == [Place(*expected)]


def test_the_only_free_place_is_found() -> None:
    boxes = [(0, 0, 200, 70), (0, 80, 200, 120), (0, 70, 160, 80)]
    places = find_places(boxes, [(40, 10), (0, 0), (0, 0)], image_wh=(200, 120))
    assert places[0][:2] == (160, 70)


def test_without_room_as_little_as_possible_is_covered() -> None:
    (place,) = find_places([(0, 0, 200, 115)], [(40, 10)], image_wh=(200, 120))
    assert place[1] == 110


def test_a_label_larger_than_the_picture_begins_at_its_edge() -> None:
    assert find_places([(1, 1, 5, 5)], [(40, 10)], image_wh=(8, 6))[0][:2] == (0, 0)


def test_nobody() -> None:
    assert find_places([], [], image_wh=(8, 6)) == []
