"""Grouping unknown faces."""

import numpy as np
import pytest
from sklearn.metrics import adjusted_rand_score

from classifiers.commands.cluster import _METHODS
from classifiers.groups.candidate_pairs import ClusteringLimits
from classifiers.groups.clustering import METHODS, cluster_faces, group_scores
from classifiers.groups.metrics import bcubed
from classifiers.groups.similarity import (
    COSINE_CURVE,
    NORMALIZED_CURVE,
    SimilaritySpace,
    default_threshold,
    normalized_space,
)
from classifiers.people_files.cannot_links import POOR, CannotLinks
from tests.classifiers.people import make_people

EVERY_METHOD = [method for method in METHODS if method != "auto"]


@pytest.fixture(scope="module")
def people():
    return make_people(20, 6, length=128, spread=0.55)


def test_the_command_offers_every_method():
    assert _METHODS == METHODS


@pytest.mark.parametrize("method", METHODS)
def test_groups_clear_people(people, method):
    groups = cluster_faces(people.vectors, method=method)
    assert bcubed(people.identities, groups.labels).f == 1
    assert groups.method == ("average" if method == "auto" else method)


@pytest.mark.parametrize("method", METHODS)
def test_one_photo_each_and_one_person(method):
    alone = make_people(30, 1, length=256)
    assert len(set(cluster_faces(alone.vectors, method=method).labels)) == 30
    together = make_people(1, 30, length=256, spread=0.5)
    assert set(cluster_faces(together.vectors, method=method).labels) == {0}


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("n", [0, 1])
def test_no_face_and_one_face(method, n):
    groups = cluster_faces(np.ones((n, 4)) / 2, method=method)
    assert groups.labels.tolist() == [0] * n
    assert groups.scores.tolist() == [1] * n


@pytest.mark.parametrize("method", EVERY_METHOD)
def test_what_must_be_together_and_apart_is(people, method):
    must_link = np.arange(len(people.vectors))
    must_link[6] = must_link[0]  # two people
    apart = np.array([[0, 1], [7, 8]])  # one person each
    groups = cluster_faces(people.vectors, method=method, must_link=must_link, cannot_links=CannotLinks(apart))
    assert groups.labels[0] == groups.labels[6]
    assert (groups.labels[apart[:, 0]] != groups.labels[apart[:, 1]]).all()
    others = np.arange(12, len(people.vectors))
    assert adjusted_rand_score(people.identities[others], groups.labels[others]) == 1


@pytest.mark.parametrize("method", EVERY_METHOD)
def test_different_names_stay_apart(people, method):
    names = np.full(len(people.vectors), -1)
    names[[0, 1]] = 0, 1
    groups = cluster_faces(people.vectors, method=method, cannot_links=CannotLinks(names=names))
    assert groups.labels[0] != groups.labels[1]


def test_graph_equals_average_where_neighbors_suffice(people):
    for threshold in (0.3, 0.5, 0.7):
        average = cluster_faces(people.vectors, method="average", threshold=threshold)
        graph = cluster_faces(people.vectors, method="graph", threshold=threshold)
        assert adjusted_rand_score(average.labels, graph.labels) == 1


def test_graph_joins_a_person_with_more_photos_than_neighbors():
    people = make_people(3, 150, length=64, spread=0.8)
    assert bcubed(people.identities, cluster_faces(people.vectors, method="graph", threshold=0.3).labels).f == 1


def test_approximate_neighbors_do_as_well():
    people = make_people(60, 20, length=64, spread=0.8)
    limits = ClusteringLimits(max_exact_neighbors=100)
    groups = cluster_faces(people.vectors, method="graph", threshold=0.4, threads=1, limits=limits)
    assert bcubed(people.identities, groups.labels).f > 0.99


def test_hdbscan_takes_distances_that_rounding_made_asymmetric():
    people = make_people(200, 3, length=512, spread=0.5)
    space = SimilaritySpace(people.vectors, np.linspace(0, 0.1, 600).astype(np.float32), COSINE_CURVE)
    groups = cluster_faces(people.vectors, method="hdbscan", space=space, threshold=0.4)
    assert bcubed(people.identities, groups.labels).f > 0.95


def test_auto_takes_the_graph_for_large_tables(people):
    assert cluster_faces(people.vectors, limits=ClusteringLimits(max_average=100)).method == "graph"


def test_auto_takes_the_graph_where_too_many_are_alike(people):
    groups = cluster_faces(people.vectors, limits=ClusteringLimits(max_exact_pairs=100))
    assert groups.method == "graph"
    assert bcubed(people.identities, groups.labels).f == 1


def test_average_refuses_what_memory_does_not_hold(people):
    with pytest.raises(ValueError, match=r"more than 100 pairs of faces.*use the method graph"):
        cluster_faces(people.vectors, method="average", limits=ClusteringLimits(max_exact_pairs=100))


@pytest.mark.parametrize("method", ["average", "dbscan", "hdbscan"])
def test_refuses_large_tables(people, method):
    with pytest.raises(ValueError, match=rf"`method` {method} compares every pair .* got 120; use graph"):
        cluster_faces(people.vectors, method=method, limits=ClusteringLimits(**{f"max_{method}": 119}))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"method": "kmeans"}, "`method` must be one of auto, average, graph, dbscan, hdbscan, got 'kmeans'"),
        ({"threshold": 5}, "`threshold` must be a similarity"),
        ({"threshold": float("nan")}, "`threshold` must be a similarity"),
        ({"embeddings": [[np.nan, 1.0]]}, "`embeddings` must be finite"),
        ({"embeddings": [1.0, 2.0]}, r"`embeddings` must have shape \(n, d\)"),
        ({"must_link": np.zeros(120, int), "cannot_links": CannotLinks(np.array([[0, 1]]))}, "must not contradict"),
    ],
)
def test_refuses(people, change, message):
    with pytest.raises(ValueError, match=message):
        cluster_faces(**{"embeddings": people.vectors, **change})


def test_numbers_go_by_size():
    people = make_people(3, 4, length=128, spread=0.3)
    rows = np.array([0, 4, 5, 8, 9, 10, 11])
    assert cluster_faces(people.vectors[rows]).labels.tolist() == [2, 1, 1, 0, 0, 0, 0]


def test_lengths_do_not_matter(people):
    scaled = people.vectors * np.linspace(0.5, 3, len(people.vectors))[:, None]
    assert (cluster_faces(scaled).labels == cluster_faces(people.vectors).labels).all()


def test_scores_are_cosines_with_the_others():
    unit = np.float32([[1, 0], [0, 1], [0.6, 0.8], [1, 0]])
    scores = group_scores(unit, np.array([0, 0, 0, 1]))
    others = np.array([[0.6, 1.8], [1.6, 0.8], [1, 1]])
    assert scores[:3] == pytest.approx([unit[i] @ others[i] / np.linalg.norm(others[i]) for i in range(3)])
    assert scores[3] == 1


def test_scores_of_a_group_that_spans_blocks():
    unit = make_people(6, 5, length=16).vectors
    labels = np.random.default_rng(0).permutation(np.repeat(np.arange(6), 5))
    at_once = group_scores(unit, labels)
    np.testing.assert_allclose(group_scores(unit, labels, block_size=4), at_once, atol=1e-6)
    others = unit[labels == labels[0]].sum(axis=0) - unit[0]
    assert at_once[0] == pytest.approx(others @ unit[0] / np.linalg.norm(others), abs=1e-6)


@pytest.mark.parametrize("curve", [COSINE_CURVE, NORMALIZED_CURVE])
def test_threshold_grows_with_the_number_of_people(curve):
    thresholds = [default_threshold(n, curve) for n in (0, 1, 20, 300, 3000, 100_000)]
    assert thresholds == sorted(thresholds)
    assert thresholds[0] == curve[0][1]
    assert curve[-1][1] < thresholds[-1] < 1
    assert [default_threshold(*point_and_curve) for point_and_curve in ((n, curve) for n, _ in curve)] == pytest.approx(
        [threshold for _, threshold in curve]
    )


class FakeBackground:
    """Centres on (1, 1, 0, ...), and says that a face is as alike to others as its first coordinate says."""

    def center(self, units):
        rows = units - np.eye(units.shape[1], dtype=np.float32)[:2].sum(axis=0)
        return rows / np.linalg.norm(rows, axis=1, keepdims=True)

    def level(self, centred):
        return centred[:, 0].astype(float)


class TestNormalizedSpace:
    def test_by_hand(self):
        space = normalized_space([[2.0, 0.0], [0.0, 1.0], [-1.0, 0.0]], FakeBackground())
        root = np.sqrt(0.2)
        assert space.vectors == pytest.approx(np.array([[0, -1], [-1, 0], [-2 * root, -root]]))
        assert space.offsets == pytest.approx([0, -0.5, -root])
        assert space.curve == NORMALIZED_CURVE

    def test_its_similarities_decide(self):
        space = SimilaritySpace(np.float32([[1, 0], [0.8, 0.6], [0.6, 0.8]]), np.float32([0, 0.3, 0]), COSINE_CURVE)
        # 0-1: 0.8 - 0.3, 1-2: 0.96 - 0.3, 0-2: 0.6
        assert cluster_faces(np.eye(3), space=space, threshold=0.58).labels.tolist() == [1, 0, 0]
        assert cluster_faces(np.eye(3), space=space, threshold=0.7).labels.tolist() == [0, 1, 2]

    def test_no_face(self):
        assert normalized_space(np.empty((0, 3)), FakeBackground()).vectors.shape == (0, 3)

    def test_refuses_nan(self):
        with pytest.raises(ValueError, match="`embeddings` must be finite"):
            normalized_space([[np.nan, 0.0]], FakeBackground())


@pytest.mark.parametrize("method", ["average", "graph"])
def test_progress_never_goes_back_and_ends(method):
    seen = []
    people = make_people(20, 10)
    cluster_faces(people.vectors, method=method, progress=seen.append)
    assert seen == sorted(seen)
    assert 0 < seen[0] <= seen[-1] == 1


class TestPoorFaces:
    people = make_people(6, 10, length=64, spread=0.5)

    def clustered(self, poor, **constraints):
        return cluster_faces(self.people.vectors, poor=poor, **constraints)

    def test_a_group_of_poor_faces_alone_is_none(self):
        poor = np.arange(60) >= 50
        groups = self.clustered(poor)
        assert (groups.labels[poor] == POOR).all()
        assert sorted(np.bincount(groups.labels[~poor])) == [10] * 5
        assert (groups.scores[poor] == 0).all()
        assert (groups.scores[~poor] > 0.5).all()

    def test_poor_faces_change_nothing_for_the_others(self):
        poor = np.arange(60) % 10 == 3
        labels = self.clustered(poor).labels
        assert (labels[poor] == POOR).all()
        assert labels[~poor].tolist() == cluster_faces(self.people.vectors[~poor]).labels.tolist()

    def test_what_has_a_name_or_a_must_link_is_good(self):
        poor = np.ones(60, bool)
        names = np.full(60, -1)
        names[7] = 0
        must_link = np.arange(60)
        must_link[11] = must_link[14]
        labels = self.clustered(poor, cannot_links=CannotLinks(names=names), must_link=must_link).labels
        assert labels[7] >= 0
        assert labels[11] == labels[14] >= 0

    @pytest.mark.parametrize("method", ["average", "graph", "dbscan", "hdbscan"])
    def test_nothing_but_poor_faces(self, method):
        groups = cluster_faces(self.people.vectors, poor=np.ones(60, bool), method=method)
        assert set(groups.labels.tolist()) == {POOR}
