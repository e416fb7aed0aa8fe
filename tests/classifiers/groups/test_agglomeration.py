"""Average linkage against SciPy's, and what must stay apart."""

import numpy as np
import pytest
from scipy.cluster.hierarchy import fcluster, linkage
from scipy.spatial.distance import squareform
from sklearn.metrics import adjusted_rand_score

from classifiers.groups.agglomeration import Agglomeration
from classifiers.people_files.cannot_links import CannotLinks
from tests.classifiers.people import make_people


def all_pairs(n):
    return tuple(pairs.astype(np.int64) for pairs in np.triu_indices(n, 1))


def grown(vectors, threshold, *, start=None, offsets=None, cannot_links=None):
    n = len(vectors)
    groups = Agglomeration(
        vectors,
        np.zeros(n, np.float32) if offsets is None else offsets,
        start=np.arange(n) if start is None else start,
        cannot_links=cannot_links or CannotLinks(),
    )
    groups.merge(*all_pairs(n), threshold=threshold)
    return groups.labels


def by_scipy(vectors, threshold, *, offsets=None, apart=()):
    distances = 1 - vectors.astype(float) @ vectors.T.astype(float)
    if offsets is not None:
        distances += offsets[:, None] + offsets[None, :]
    for one, two in apart:
        distances[one, two] = distances[two, one] = 1e9
    tree = linkage(squareform(np.maximum(distances, 0), checks=False), "average")
    return fcluster(tree, 1 - threshold, "distance")


@pytest.fixture(params=range(4))
def people(request):
    return make_people(12, 8, spread=0.9, seed=request.param)


@pytest.mark.parametrize("threshold", [0.8, 0.6, 0.5, 0.4, 0.2])
def test_agrees_with_scipy(people, threshold):
    assert adjusted_rand_score(by_scipy(people.vectors, threshold), grown(people.vectors, threshold)) == 1


def test_agrees_with_scipy_on_offsets(people):
    offsets = np.random.default_rng(0).uniform(0, 0.15, len(people.vectors)).astype(np.float32)
    expected = by_scipy(people.vectors, 0.3, offsets=offsets)
    assert adjusted_rand_score(expected, grown(people.vectors, 0.3, offsets=offsets)) == 1


def test_agrees_with_scipy_on_pairs_apart(people):
    apart = np.random.default_rng(0).integers(len(people.vectors), size=(60, 2))
    apart = apart[apart[:, 0] != apart[:, 1]]
    found = grown(people.vectors, 0.4, cannot_links=CannotLinks(apart))
    assert adjusted_rand_score(by_scipy(people.vectors, 0.4, apart=apart), found) == 1
    assert (found[apart[:, 0]] != found[apart[:, 1]]).all()


def test_pairs_above_the_threshold_are_enough(people):
    vectors = people.vectors
    first, second = all_pairs(len(vectors))
    near = np.einsum("ij,ij->i", vectors[first], vectors[second]) >= 0.4
    groups = Agglomeration(
        vectors, np.zeros(len(vectors), np.float32), start=np.arange(len(vectors)), cannot_links=CannotLinks()
    )
    groups.merge(first[near], second[near], threshold=0.4)
    assert adjusted_rand_score(groups.labels, grown(vectors, 0.4)) == 1


def test_lowering_the_threshold_goes_on(people):
    vectors = people.vectors
    groups = Agglomeration(
        vectors, np.zeros(len(vectors), np.float32), start=np.arange(len(vectors)), cannot_links=CannotLinks()
    )
    merges = [groups.merge(*all_pairs(len(vectors)), threshold=threshold) for threshold in (0.8, 0.5, 0.3)]
    assert adjusted_rand_score(groups.labels, grown(vectors, 0.3)) == 1
    assert groups.n_groups == len(vectors) - sum(merges) == len(set(groups.labels))


def test_equal_rows_merge_pair_by_pair():
    vectors = np.tile(np.float32([[1, 0]]), (5, 1))
    assert grown(vectors, 0.9).tolist() == [0] * 5


def test_start_groups_stay_together_and_count_as_one():
    vectors = np.float32([[1, 0], [0, 1], [0, 1]])
    assert grown(vectors, 0.4, start=np.array([0, 0, 1])).tolist() == [0, 0, 0]
    assert grown(vectors, 0.6, start=np.array([0, 0, 1])).tolist() == [0, 0, 1]


def test_different_names_stay_apart():
    vectors = np.tile(np.float32([[1, 0]]), (4, 1))
    names = np.array([0, 1, -1, 0])
    labels = grown(vectors, 0.5, cannot_links=CannotLinks(names=names))
    assert labels[0] == labels[3] != labels[1]
    assert labels[2] in (labels[0], labels[1])


def test_a_refused_name_keeps_a_face_out():
    # 1 and 2 merge with 0 first; 1 is not who 3 is, and neither may then be the group.
    vectors = np.float32([[1, 0], [1, 0.01], [1, 0.02], [1, 0.3]])
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    names = np.array([-1, -1, -1, 0])
    labels = grown(vectors, 0.5, cannot_links=CannotLinks(names=names, refusals=np.array([[1, 0]])))
    assert labels.tolist() == [0, 0, 0, 1]
    assert grown(vectors, 0.5, cannot_links=CannotLinks(names=names)).tolist() == [0, 0, 0, 0]


def test_a_merged_group_takes_over_what_its_parts_avoid():
    # 0 and 1 merge first; 1 avoids 2, so the two may not take 2 in.
    vectors = np.float32([[1, 0], [1, 0.1], [1, 0.2]])
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    labels = grown(vectors, 0.5, cannot_links=CannotLinks(np.array([[1, 2]])))
    assert labels[0] == labels[1] != labels[2]


def test_refuses_a_start_that_is_already_wrong():
    with pytest.raises(ValueError, match="`start` must not put rows in one group that `cannot_links` keep apart"):
        grown(np.eye(2, dtype=np.float32), 0.5, start=np.zeros(2, int), cannot_links=CannotLinks(np.array([[0, 1]])))


def test_no_row_and_one_row():
    assert grown(np.empty((0, 3), np.float32), 0.5).tolist() == []
    assert grown(np.float32([[1, 0]]), 0.5).tolist() == [0]


def test_centroids():
    groups = Agglomeration(
        np.float32([[1, 0], [0, 1], [0, 1]]), np.float32([0.1, 0, 0.5]), start=np.arange(3), cannot_links=CannotLinks()
    )
    groups.merge(*all_pairs(3), threshold=0.3)
    rows, centroids, offsets = groups.centroids()
    assert rows.tolist() == [0, 1]
    assert centroids.tolist() == [[1, 0], [0, 1]]
    assert offsets == pytest.approx([0.1, 0.25])
