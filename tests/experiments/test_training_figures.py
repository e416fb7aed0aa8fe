"""The figures of the training proofs against scikit-learn and cases worked by hand."""

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from experiments.training_figures import Pairs, class_distances, principal_components
from experiments.training_proofs import scratch_settings


def test_auc_equals_scikit_learns_and_lies_in_its_interval(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("experiments.training_figures.N_BOOTSTRAP", 50)
    people = {f"p{i}": [f"p{i}/{j}.png" for j in range(2 + i % 3)] for i in range(12)}
    pairs = Pairs(people)
    rng = np.random.default_rng(0)
    vectors = rng.normal(size=(12, 8))[pairs.labels] + rng.normal(size=(len(pairs.paths), 8))
    value, low, high = pairs.auc_with_interval(vectors)
    assert value == pytest.approx(roc_auc_score(pairs.genuine, pairs.scores(vectors)), abs=1e-12)
    assert low < value < high
    assert pairs.genuine.sum() == sum(n * (n - 1) // 2 for n in map(len, people.values()))


def test_a_zero_vector_scores_nothing() -> None:
    pairs = Pairs({"a": ["1", "2"], "b": ["3", "4"]})
    assert np.isfinite(pairs.scores(np.zeros((4, 3)))).all()


def testclass_distances_by_hand() -> None:
    vectors = np.array([[0.0, 0], [2, 0], [10, 0], [10, 4]])
    found = class_distances(vectors, np.array([5, 5, 7, 7]))
    assert found["intra"].tolist() == [1, 1, 2, 2]
    assert found["ratio"] == pytest.approx(1.5 / np.hypot(9, 2))


def test_whitened_components_have_unit_variance() -> None:
    rng = np.random.default_rng(0)
    training = rng.normal(size=(300, 200)) * np.linspace(1, 5, 200)
    assert principal_components(training, training, whiten=True).std(axis=0) == pytest.approx(np.ones(128), abs=0.01)


def test_settings_of_the_proof_take_changes() -> None:
    assert scratch_settings(3, center_loss_factor=0.0).center_factor == 0.0
    assert scratch_settings(3).epochs == 3
