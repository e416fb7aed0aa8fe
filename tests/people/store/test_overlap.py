"""Which faces are the same: by hash and overlap, each taken once."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from classifiers.scores.same_faces import overlaps
from people.store.overlap import LEAST_OVERLAP, match_faces
from tests.properties import FEW

BOX = np.array([0.1, 0.1, 0.3, 0.3, 0.0])


def shifted(*steps: float) -> np.ndarray:
    return np.stack([BOX + np.array([step, 0, step, 0, 0]) for step in steps])


def test_the_best_is_taken_once():
    # Of two faces found where one was known, the nearer keeps its name; the other has none.
    assert match_faces(["a", "a"], shifted(0.03, 0.01), ["a"], shifted(0)).tolist() == [-1, 0]


def test_another_photo_and_too_little_overlap_are_no_match():
    assert match_faces(["b"], shifted(0), ["a"], shifted(0)).tolist() == [-1]
    # Two boxes shifted by a third of their width overlap by exactly one half.
    assert match_faces(["a"], shifted(0.2 / 3 - 1e-9), ["a"], shifted(0)).tolist() == [0]
    assert match_faces(["a"], shifted(0.2 / 3 + 1e-3), ["a"], shifted(0)).tolist() == [-1]


def test_another_second_of_a_video_is_no_match():
    later = BOX + np.array([0, 0, 0, 0, 3.0])
    assert match_faces(["a"], later[None], ["a", "a"], np.stack([BOX, later + 0.001])).tolist() == [1]


def test_none():
    nothing = np.empty((0, 5))
    assert match_faces([], nothing, ["a"], shifted(0)).tolist() == []
    assert match_faces(["a"], shifted(0), [], nothing).tolist() == [-1]


@FEW
@given(
    st.lists(st.tuples(st.sampled_from("ab"), st.floats(0, 0.3)), max_size=6),
    st.lists(st.tuples(st.sampled_from("ab"), st.floats(0, 0.3)), max_size=6),
)
def test_matches_are_mutual_and_no_better_one_is_left(faces, others):
    places = shifted(*(step for _, step in faces)) if faces else np.empty((0, 5))
    other_places = shifted(*(step for _, step in others)) if others else np.empty((0, 5))
    match = match_faces([photo for photo, _ in faces], places, [photo for photo, _ in others], other_places)
    taken = [m for m in match.tolist() if m >= 0]
    assert len(set(taken)) == len(taken)
    for face, (photo, _) in enumerate(faces):
        for other, (other_photo, _) in enumerate(others):
            share = overlaps(places[face : face + 1, :4], other_places[other : other + 1, :4])[0]
            if photo == other_photo and share >= LEAST_OVERLAP:
                own = -1.0 if match[face] < 0 else _share(places[face], other_places[match[face]])
                holder = np.flatnonzero(match == other)
                its = -1.0 if not len(holder) else _share(places[holder[0]], other_places[other])
                assert max(own, its) >= share - 1e-12


def _share(one: np.ndarray, two: np.ndarray) -> float:
    return float(overlaps(one[None, :4], two[None, :4])[0])
