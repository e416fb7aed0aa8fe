import cv2
import numpy as np
import pytest

from recognition.tracking.motion import CutDetector, Motion, reduce_frame
from tests.recognition.fakes import ANN, BOB, STRANGER, image_with

BOX = np.array([60.0, 40.0, 110.0, 90.0])


def moved(before: np.ndarray, after: np.ndarray, *boxes: np.ndarray) -> list[np.ndarray | None]:
    motion = Motion()
    motion.update(reduce_frame(before).flow)
    motion.update(reduce_frame(after).flow)
    return [found if found is None else found.box for found in motion.propagate([*boxes])]


def at(x: int, y: int, size: int = 50, size_hw: tuple[int, int] = (120, 200)) -> np.ndarray:
    return image_with((ANN, (x, y, x + size, y + size)), size_hw=size_hw)


@pytest.mark.parametrize("shift", [(0, 0), (7, 0), (-6, 5), (3, -9)])
def test_a_box_follows_what_is_in_it(shift: tuple[int, int]) -> None:
    (box,) = moved(at(60, 40), at(60 + shift[0], 40 + shift[1]), BOX)
    assert box is not None
    assert np.abs(box - BOX - [*shift, *shift]).max() < 1.0


def test_a_box_grows_with_what_is_in_it() -> None:
    (box,) = moved(at(60, 40, 50), at(58, 38, 54), BOX)
    assert box is not None
    assert 51 < box[2] - box[0] < 55
    assert 51 < box[3] - box[1] < 55


def test_several_boxes_move_apart() -> None:
    before = image_with((ANN, (20, 30, 60, 70)), (BOB, (120, 30, 160, 70)))
    after = image_with((ANN, (24, 30, 64, 70)), (BOB, (117, 33, 157, 73)))
    first, second = moved(before, after, np.array([20.0, 30, 60, 70]), np.array([120.0, 30, 160, 70]))
    assert first is not None
    assert second is not None
    assert np.abs(first - (24, 30, 64, 70)).max() < 1
    assert np.abs(second - (117, 33, 157, 73)).max() < 1


def test_a_large_picture_is_followed_in_its_own_pixels() -> None:
    big = (480, 1600)
    (box,) = moved(at(600, 200, 200, big), at(630, 190, 200, big), np.array([600.0, 200, 800, 400]))
    assert box is not None
    assert np.abs(box - (630, 190, 830, 390)).max() < 4


def test_what_vanished_is_not_followed() -> None:
    noise = np.random.default_rng(0).integers(0, 255, (2, 120, 200, 3), np.uint8)
    assert moved(noise[0], noise[1], BOX) == [None]


def test_no_box_collapses(monkeypatch: pytest.MonkeyPatch) -> None:
    def onto_one_point(before: np.ndarray, after: np.ndarray, points: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        middle = points.mean(axis=0)
        return middle + (points - middle) * next(factors), np.ones(len(points), bool)

    factors = iter([0.1, 10.0])
    monkeypatch.setattr("recognition.tracking.motion._flow", onto_one_point)
    assert moved(at(60, 40), at(60, 40), BOX) == [None]


def test_nothing_to_follow() -> None:
    motion = Motion()
    assert motion.propagate([BOX]) == [None]
    motion.update(reduce_frame(at(60, 40)).flow)
    assert motion.propagate([BOX]) == [None]
    motion.update(reduce_frame(at(60, 40)).flow)
    assert motion.propagate([]) == []
    motion.reset()
    motion.update(reduce_frame(at(60, 40)).flow)
    assert motion.propagate([BOX]) == [None]


def test_after_a_change_of_size_nothing_is_followed_once() -> None:
    motion = Motion()
    motion.update(reduce_frame(at(60, 40)).flow)
    motion.update(reduce_frame(at(60, 40, size_hw=(140, 220))).flow)
    assert motion.propagate([BOX]) == [None]
    motion.update(reduce_frame(at(60, 40, size_hw=(140, 220))).flow)
    assert motion.propagate([BOX]) != [None]


def cuts_in(images: list[np.ndarray]) -> list[int]:
    cuts = CutDetector()
    return [number for number, image in enumerate(images) if cuts.is_cut(reduce_frame(image).thumbnail)]


def other_shot() -> np.ndarray:
    return 255 - image_with((STRANGER, (100, 10, 180, 90)))


def test_cuts_are_found() -> None:
    first, second = [at(60, 40)] * 4, [other_shot()] * 3
    assert cuts_in(first + second + first) == [4, 7]


def test_movement_and_a_slow_change_of_light_are_no_cuts() -> None:
    moving = [at(5 + 12 * step, 30, 80) for step in range(10)]
    fading = [np.clip(at(60, 40).astype(int) + 4 * step, 0, 255).astype(np.uint8) for step in range(20)]
    assert cuts_in(moving) == []
    assert cuts_in(fading) == []


def test_one_picture_is_no_cut() -> None:
    assert cuts_in([at(60, 40)]) == []


@pytest.mark.parametrize("size_hw", [(1, 1), (1, 5000), (5000, 1), (2, 3)])
def test_pictures_of_any_shape_are_taken(size_hw: tuple[int, int]) -> None:
    image = np.full((*size_hw, 3), 90, np.uint8)
    (box,) = moved(image, image, np.array([0.0, 0, size_hw[1], size_hw[0]]))
    assert box is None or np.abs(box - (0, 0, size_hw[1], size_hw[0])).max() < 1
    cuts = CutDetector()
    thumbnail = reduce_frame(image).thumbnail
    assert [cuts.is_cut(thumbnail), cuts.is_cut(thumbnail)] == [False, False]


@pytest.mark.parametrize(
    ("size_hw", "reduced_hw"), [((360, 640), (360, 640)), ((1080, 1920), (360, 640)), ((1201, 1600), (480, 640))]
)
def test_a_large_frame_is_reduced_to_the_mean_of_its_pixels(
    size_hw: tuple[int, int], reduced_hw: tuple[int, int]
) -> None:
    image = cv2.resize(at(60, 40), size_hw[::-1], interpolation=cv2.INTER_CUBIC)
    reduced = reduce_frame(image)
    wanted = cv2.resize(image, reduced_hw[::-1], interpolation=cv2.INTER_AREA)
    assert reduced.flow.grey.shape == reduced_hw
    assert reduced.flow.factor == pytest.approx(640 / size_hw[1])
    assert np.abs(cv2.cvtColor(wanted, cv2.COLOR_RGB2GRAY).astype(int) - reduced.flow.grey).mean() < 1
    small = cv2.resize(image, (64, 36), interpolation=cv2.INTER_AREA)
    assert np.abs(small.astype(int) - reduced.thumbnail).mean() < 1
