"""Which faces of a group are shown, and which named people it is most like."""

import numpy as np
import pytest

from people.suggestions.likely import PeopleMeans, choose_shown, spread


def around(angle: float, n: int, spread_by: float = 0.02) -> np.ndarray:
    """Return unit vectors (n, 2) about an angle."""
    angles = angle + np.linspace(-spread_by, spread_by, n)
    return np.stack([np.cos(angles), np.sin(angles)], axis=1).astype(np.float32)


def test_the_surest_come_first_and_the_odd_one_is_among_the_shown():
    vectors = np.concatenate([around(0.0, 30), around(1.2, 1)])
    shown = choose_shown(vectors)
    assert len(shown) == len(set(shown)) == 8
    assert 30 in shown[4:] and 30 not in shown[:4]
    to_mean = vectors @ vectors.mean(axis=0)
    assert shown[0] == int(to_mean.argmax())


@pytest.mark.parametrize("n", [0, 1, 3, 8])
def test_a_small_group_is_shown_whole(n):
    assert sorted(choose_shown(around(0.3, n) if n else np.empty((0, 2), np.float32))) == list(range(n))


def test_equal_vectors_are_each_shown_once():
    assert len(set(choose_shown(np.tile(around(0.1, 1), (20, 1))))) == 8


def test_rows_are_spread_evenly():
    assert spread(range(1000), 3) == [0, 500, 999] and spread([4, 2]) == [4, 2]


def test_people_most_like_a_group_and_only_changes_are_read():
    table = np.concatenate([around(0.0, 3), around(0.5, 3), around(1.5, 3)])
    asked: list[list[int]] = []

    def vectors_of(rows):
        asked.append(list(rows))
        return table[list(rows)]

    means = PeopleMeans(vectors_of)
    assert means.nearest(around(0.1, 2)) == []
    means.update({7: [0, 1, 2], 8: [3, 4, 5]})
    found = means.nearest(around(0.1, 2))
    assert [person for person, _ in found] == [7, 8]
    assert found[0][1] == pytest.approx(np.cos(0.1), abs=1e-3)
    assert [person for person, _ in means.nearest(around(0.1, 2), without=frozenset({7}))] == [8]
    means.update({8: [3, 4, 5], 9: [6, 7, 8]})
    assert asked == [[0, 1, 2, 3, 4, 5], [6, 7, 8]], "the rows of 8 had not changed"
    assert [person for person, _ in means.nearest(around(1.4, 1))] == [9, 8]
