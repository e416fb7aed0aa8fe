"""Labels cover no face and no other label, as long as there is room."""

from itertools import pairwise

import numpy as np
import pytest

from recognition.outputs.label_places import Place, Spot, find_places, leader_of
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
    (place,) = find_places([box], [(40, 10)], image_wh=(200, 120))
    assert place[:3] == expected


Box = tuple[int, int, int, int]


def places_of(frames: list[list[Box]], *, image_wh: tuple[int, int] = (200, 120)) -> list[Place]:
    """Return the place of the first label on each frame; the other faces have none."""
    found: list[Place] = []
    spot: Spot | None = None
    for boxes in frames:
        sizes, spots = [(40, 10)] + [(0, 0)] * (len(boxes) - 1), [spot] + [None] * (len(boxes) - 1)
        place = find_places(boxes, sizes, image_wh=image_wh, spots=spots)[0]
        spot = place.spot
        found.append(place)
    return found


def sides_of(places: list[Place]) -> list[str]:
    """Return the sides that a label took one after the other."""
    sides = ["away" if place.spot is None or place.spot.side is None else "uudd><"[place.spot.side] for place in places]
    return [side for n, side in enumerate(sides) if n == 0 or side != sides[n - 1]]


def test_a_face_that_trembles_below_the_edge_keeps_its_label_on_one_side() -> None:
    trembling: list[list[Box]] = [[(50, y, 90, y + 40)] for y in (11, 10, 9, 10, 11, 9, 8, 10, 12, 9) * 3]
    assert sides_of(places_of(trembling)) == ["u", "d"]
    alone = [find_places(boxes, [(40, 10)], image_wh=(200, 120))[0] for boxes in trembling]
    assert len(sides_of(alone)) > 10, "without memory it jumps"


def test_a_face_that_moves_by_a_pixel_a_frame_keeps_its_label_on_one_side() -> None:
    moving: list[list[Box]] = [[(x, 60, x + 40, 100)] for x in range(150)]
    assert sides_of(places_of(moving)) == ["u"]
    places = places_of(moving)
    assert all(abs(place.left - before.left) <= 1 for before, place in pairwise(places))


def test_a_label_moves_once_when_its_place_is_taken_and_stays_there() -> None:
    # Somebody passes above, by a pixel a frame, and is gone.
    passing: list[list[Box]] = [[(80, 60, 120, 100), (x, 30, x + 20, 55)] for x in range(-20, 200)]
    assert sides_of(places_of(passing)) == ["u", "d"]


def test_a_label_away_from_its_face_comes_back_when_there_is_plenty_of_room() -> None:
    # A wall around the face that opens by a pixel a frame.
    def wall(gap: int) -> list[Box]:
        return [(60, 40, 100, 80), (0, 0, 300, 40 - gap), (0, 80, 300, 120), (0, 0, 50, 120), (110, 0, 300, 120)]

    places = places_of([wall(gap) for gap in (0, 0, 1, 9, 10, 9, 10, 14)], image_wh=(300, 200))
    assert [place.distance > 0 for place in places] == [True] * 8
    places = places_of([wall(gap) for gap in (0, 0, 14, 40, 40)], image_wh=(300, 200))
    assert [place.distance > 0 for place in places] == [True, True, True, False, False]


def test_a_label_away_from_its_face_follows_it_and_stays_in_the_picture() -> None:
    crowd: list[Box] = [(x, y, x + 40, y + 40) for x in range(60, 181, 40) for y in range(60, 181, 40)]
    frames: list[list[Box]] = [
        [(100 + dx, 100, 140 + dx, 140), *((box[0] + dx, *box[1:2], box[2] + dx, box[3]) for box in crowd)]
        for dx in range(300)
    ]
    places = places_of(frames, image_wh=(300, 300))
    assert sides_of(places)[0] == "away"
    offsets = [place.left - box[0][0] for place, box in zip(places, frames, strict=True)]
    assert len(set(offsets[:40])) == 1
    assert all(0 <= place.left <= 260 and 0 <= place.top <= 290 for place in places)


def test_who_was_there_keeps_the_place_before_who_comes() -> None:
    before = find_places([(80, 60, 120, 100)], [(40, 10)], image_wh=(200, 120))[0]
    places = find_places(
        [(82, 60, 122, 100), (80, 60, 120, 100)], [(40, 10)] * 2, image_wh=(200, 120), spots=[None, before.spot]
    )
    assert places[1] == before
    assert places[0][:2] != before[:2]


def test_the_only_free_place_is_found() -> None:
    boxes = [(0, 0, 200, 70), (0, 80, 200, 120), (0, 70, 160, 80)]
    places = find_places(boxes, [(40, 10), (0, 0), (0, 0)], image_wh=(200, 120))
    assert places[0][:2] == (160, 70)


def test_a_face_with_one_free_side_gets_it_before_a_face_that_has_others() -> None:
    # The upper face has room below alone, where the label of the lower one would stand; that goes below its own.
    lower, upper = (20, 50, 60, 90), (20, 0, 60, 30)
    places = find_places([lower, upper, (60, 0, 200, 30)], [(40, 20), (40, 20), (0, 0)], image_wh=(200, 120))
    assert [place.distance for place in places[:2]] == [0, 0]
    assert places[0].top == 90
    assert places[1].top == 30


def test_no_line_crosses_somebody_elses_face() -> None:
    # Beside the face there is no room; there is beyond its neighbour on the right, and below that.
    face, neighbour = (0, 0, 40, 40), (41, 0, 60, 30)
    boxes = [face, neighbour, (0, 41, 40, 60), (0, 61, 50, 75)]
    (place, *_) = find_places(boxes, [(40, 10), (0, 0), (0, 0), (0, 0)], image_wh=(100, 120))
    (x_0, y_0), (x_1, y_1) = leader_of(face, place[:2], (40, 10))
    points = np.linspace((x_0, y_0), (x_1, y_1), 200)
    crossed = [other for other in boxes[1:] if ((points >= other[:2]) & (points < other[2:])).all(axis=1).any()]
    assert crossed == []


def test_without_room_as_little_as_possible_is_covered() -> None:
    (place,) = find_places([(0, 0, 200, 115)], [(40, 10)], image_wh=(200, 120))
    assert place[1] == 110


def test_a_label_larger_than_the_picture_begins_at_its_edge() -> None:
    assert find_places([(1, 1, 5, 5)], [(40, 10)], image_wh=(8, 6))[0][:2] == (0, 0)


def test_nobody() -> None:
    assert find_places([], [], image_wh=(8, 6)) == []
