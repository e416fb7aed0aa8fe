import numpy as np
import pytest

from recognition.anonymizing.places import CARRIED_S, Places, carry_back, find_same
from tests.recognition.fakes import ANN, image_with

STEP = 3
N_FRAMES = 8


def box_at(number: int) -> np.ndarray:
    return np.array([20.0 + STEP * number, 40.0, 60.0 + STEP * number, 80.0])


def moving(number: int) -> np.ndarray:
    return image_with((ANN, tuple(box_at(number).astype(int))))


def test_a_place_moves_with_its_face_without_being_found_again() -> None:
    places = Places()
    places.move(moving(0), 0.0)
    places.add([box_at(0)], 0.0)
    for number in range(1, N_FRAMES):
        places.move(moving(number), number / 25)
    assert places.boxes[0] == pytest.approx(box_at(N_FRAMES - 1), abs=2)


def test_a_place_is_forgotten_when_nothing_was_found_there_for_long() -> None:
    places = Places()
    places.move(moving(0), 0.0)
    places.add([box_at(0)], 0.0)
    places.move(moving(0), CARRIED_S)
    assert len(places.boxes) == 1
    places.move(moving(0), CARRIED_S + 0.04)
    assert places.boxes == []


def test_what_is_found_again_is_not_new_and_lasts_longer() -> None:
    places = Places()
    places.move(moving(0), 0.0)
    assert [box.tolist() for box in places.add([box_at(0)], 0.0)] == [box_at(0).tolist()]
    places.move(moving(0), 0.9)
    assert places.add([box_at(1)], 0.9) == []
    places.move(moving(0), 1.8)
    assert [box.tolist() for box in places.boxes] == [pytest.approx(box_at(1), abs=1)]
    places.reset()
    assert places.boxes == []


def test_a_box_goes_back_to_where_it_was() -> None:
    places = Places()
    flow_frames = []
    for number in range(2):
        places.move(moving(number), number / 25)
        flow_frames.append(places.flow_frame)
    (earlier,) = carry_back([box_at(1)], flow_frames[1], flow_frames[0])
    assert earlier == pytest.approx(box_at(0), abs=1)
    (kept,) = carry_back([box_at(1)], flow_frames[1], None)
    assert kept.tolist() == box_at(1).tolist()


def test_one_place_by_overlap() -> None:
    assert find_same(box_at(0), []) is None
    assert find_same(box_at(0), [box_at(20), box_at(2)]) == 1
    assert find_same(box_at(0), [box_at(20)]) is None
