"""The arrays of a linear machine, and votes."""

import numpy as np
import pytest

from classifiers.heads.decision_rules import LinearSVM, vote_balanced, vote_nearest

MACHINE = {
    "support": np.arange(2),
    "support_vectors": np.eye(2, dtype=np.float32),
    "dual_coef": np.array([[1.0, -1.0]]),
    "intercept": np.zeros(1),
    "n_support": np.ones(2, int),
}


def test_a_hand_worked_machine():
    probes = np.array([[0.9, 0.1], [0.1, 0.9], [0.5, 0.5]], np.float32)
    assert LinearSVM(**MACHINE).vote(probes).tolist() == [0, 1, 1]


@pytest.mark.parametrize(
    "changes",
    [
        {"intercept": np.zeros(2)},
        {"dual_coef": np.ones((2, 2))},
        {"support_vectors": np.zeros((3, 2), np.float32)},
        {"n_support": np.array([2, 1])},
        {"n_support": np.array([2, 0])},
    ],
)
def test_a_machine_refuses_arrays_that_do_not_fit(changes):
    with pytest.raises(ValueError, match="must fit together"):
        LinearSVM(**{**MACHINE, **changes})


def test_votes_weigh_one_over_the_distance():
    exemplars = np.array([[1, 0], [0.8, 0.6], [0.8, 0.6], [0, 1]], np.float32)
    codes = np.array([0, 1, 1, 2])
    probe = np.array([[0.9701425, 0.2425356]], np.float32)
    # Distances 0.244 (once) and 0.393 (twice): 4.09 against 5.09.
    assert vote_nearest(exemplars, codes, probe, n_neighbors=3).tolist() == [1]
    assert vote_nearest(exemplars, codes, probe, n_neighbors=1).tolist() == [0]
    assert vote_nearest(exemplars[:0], codes[:0], probe, n_neighbors=1).tolist() == [0]


def test_balanced_votes_weigh_by_cosine_and_by_how_many_a_person_could_have():
    exemplars = np.array([[1, 0], [0.8, 0.6], [0.8, 0.6], [0, 1]], np.float32)
    codes = np.array([0, 1, 1, 2])
    probe = np.array([[0.9701425, 0.2425356]], np.float32)
    # e^(5 * 0.970) = 127.8 for one photo, twice e^(5 * 0.922) = 100.2 for two.
    assert vote_balanced(exemplars, codes, probe, n_neighbors=3).tolist() == [0]
    # The nearest photo is one of three under that name, and the only one alike: e^5 / 3 = 49.5 against 4 * 100.2 / 4.
    wrong = np.array([[0.9701425, 0.2425356], *[[0.8, 0.6]] * 4, *[[-1, 0]] * 2], np.float32)
    codes = np.array([0, 1, 1, 1, 1, 0, 0])
    assert vote_balanced(wrong, codes, probe, n_neighbors=5).tolist() == [1]
    assert vote_balanced(wrong, codes, probe, n_neighbors=1).tolist() == [0]
    assert vote_balanced(exemplars[:0], codes[:0], probe, n_neighbors=1).tolist() == [0]
