"""Only people within reach are proposed: by the same measure as grouping, and read once."""

import numpy as np
import pytest

from classifiers.groups.similarity import SimilaritySpace, default_threshold, plain_space
from people.suggestions.reach import REACH, PeopleWithinReach

N_SETS = 100


def at(cosine, n=3):
    """Return vectors of so much cosine with the first axis."""
    return np.tile(np.array([cosine, np.sqrt(1 - cosine**2)], np.float32), (n, 1))


THRESHOLD = default_threshold(N_SETS, plain_space(at(1.0)).curve)


@pytest.mark.parametrize(("above", "is_proposed"), [(0.01, True), (-0.01, False)])
def test_who_is_less_alike_than_the_reach_is_left_out(above, is_proposed):
    table = np.concatenate([at(THRESHOLD - REACH + above), at(0.95)])
    reach = PeopleWithinReach(lambda rows: table[list(rows)], plain_space)
    kept = reach.keep(at(1.0), {7: [0, 1, 2], 8: [3, 4, 5]}, n_sets=N_SETS)
    assert kept == ({7, 8} if is_proposed else {8})


def test_who_is_like_everybody_needs_more():
    """The offsets of a background count as in grouping."""
    table = at(THRESHOLD - REACH + 0.05)
    for offset, kept in ((0.0, {7}), (0.1, set())):

        def space_of(vectors, offset=offset):
            plain = plain_space(vectors)
            return SimilaritySpace(plain.vectors, np.full(len(vectors), offset, np.float32), plain.curve)

        reach = PeopleWithinReach(lambda rows: table[list(rows)], space_of)
        assert reach.keep(at(1.0), {7: [0, 1]}, n_sets=N_SETS) == kept


def test_among_more_people_one_must_be_more_alike():
    table = at(THRESHOLD - REACH + 0.01)
    reach = PeopleWithinReach(lambda rows: table[list(rows)], plain_space)
    assert reach.keep(at(1.0), {7: [0]}, n_sets=N_SETS) == {7}
    assert reach.keep(at(1.0), {7: [0]}, n_sets=100 * N_SETS) == set()


def test_people_are_read_again_only_when_their_faces_have_changed():
    table, read = np.concatenate([at(0.95, 200)]), []

    def vectors_of(rows):
        read.append(list(rows))
        return table[list(rows)]

    reach = PeopleWithinReach(vectors_of, plain_space)
    for rows in ([0, 1], [0, 1], list(range(200))):
        assert reach.keep(at(1.0), {7: rows}, n_sets=N_SETS) == {7}
    assert [len(rows) for rows in read] == [2, 30]
