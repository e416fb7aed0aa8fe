"""Synthetic people: drawn to given cosines, and clustered."""

import numpy as np
import pytest

from experiments.cluster_scale import SyntheticPeople, cosine_quantiles, run
from experiments.clustering import Faces
from tests.classifiers.people import make_people


@pytest.fixture(scope="module")
def faces():
    made = make_people(400, 4, length=32, spread=0.7)
    return Faces(made.vectors, np.unique(made.identities, return_inverse=True)[1])


@pytest.fixture(scope="module")
def synthetic(faces):
    return SyntheticPeople(faces).draw(2000, 200, seed=0)


def test_cosines_are_those_of_the_real_people(faces, synthetic):
    real, drawn = cosine_quantiles(faces), cosine_quantiles(synthetic)
    middle = slice(2, 5)
    assert drawn["genuine"][middle] == pytest.approx(real["genuine"][middle], abs=0.1)
    assert drawn["impostor"][middle] == pytest.approx(real["impostor"][middle], abs=0.1)
    assert np.linalg.norm(synthetic.vectors, axis=1) == pytest.approx(np.ones(2000))


def test_quantiles_are_of_the_right_pairs():
    vectors = np.repeat(np.eye(4, dtype=np.float32), 3, axis=0)
    quantiles = cosine_quantiles(Faces(vectors, np.repeat(np.arange(4), 3)))
    assert set(quantiles["genuine"]) == {1.0}
    assert set(quantiles["impostor"]) == {0.0}


def test_a_seed_fixes_the_draw(faces):
    people = SyntheticPeople(faces)
    assert np.array_equal(people.draw(50, 5, seed=3).vectors, people.draw(50, 5, seed=3).vectors)
    assert not np.array_equal(people.draw(50, 5, seed=3).vectors, people.draw(50, 5, seed=4).vectors)


def test_run_measures_time_memory_and_quality(faces, synthetic):
    result = run(faces, synthetic, method="graph", with_background=False)
    assert (result["n_faces"], result["n_people"], result["method"]) == (2000, 200, "graph")
    assert result["seconds"] > 0
    assert 0.05 < result["peak_gigabytes"] < 50
    assert result["bcubed"]["f"] > 0.8
