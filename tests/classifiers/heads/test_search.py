"""The nearest exemplars of a head as a frame, exactly and approximately."""

import numpy as np
import pytest

from classifiers import OpenSetClassifier
from tests.classifiers.people import make_background, make_people

PEOPLE = make_people(60, 10, spread=1.0)
PROBES = make_people(60, 1, spread=1.0, seed=0).vectors

pandas = pytest.importorskip("pandas")


@pytest.mark.parametrize("background", [None, make_background()])
def test_the_best_first_with_who_and_where(background):
    paths = [f"{row}.jpg" for row in range(len(PEOPLE.vectors))]
    classifier = OpenSetClassifier(threshold=0.5, background=background)
    head = classifier.fit(PEOPLE.vectors, PEOPLE.identities, paths=paths).head_
    frame = head.search(PROBES[:2], 3)
    assert frame.columns.tolist() == ["probe", "rank", "row", "similarity", "identity", "path"]
    assert frame["probe"].tolist() == [0, 0, 0, 1, 1, 1]
    assert frame["rank"].tolist() == [1, 2, 3] * 2
    scores = head.matcher.scores(head.matcher.prepare(PROBES[:2]))
    order = np.argsort(-scores, axis=1)[:, :3]
    np.testing.assert_array_equal(frame["row"], order.ravel())
    np.testing.assert_allclose(frame["similarity"], np.take_along_axis(scores, order, 1).ravel(), atol=1e-6)
    assert frame["identity"].tolist() == PEOPLE.identities[order.ravel()].tolist()
    assert frame["path"].tolist() == [f"{row}.jpg" for row in order.ravel()]
    approximate = head.search(PROBES, 3, approximate=True)
    found = approximate["row"].to_numpy() == head.search(PROBES, 3)["row"].to_numpy()
    assert found.mean() > 0.95
    pandas.testing.assert_frame_equal(head.search(PROBES[0], 3), frame[:3])


def test_all_where_there_are_fewer_and_no_fewer_than_one():
    head = OpenSetClassifier(threshold=0.5).fit(np.eye(3), ["Ada", "Bo", "Cy"]).head_
    assert len(head.search([1.0, 0.0, 0.0], 9)) == len(head.search([1.0, 0.0, 0.0], 9, approximate=True)) == 3
    with pytest.raises(ValueError, match="must be at least 1, got 0"):
        head.search(np.eye(3), 0)
    with pytest.raises(ValueError, match="must hold vectors of length 3, got 2"):
        head.search([1.0, 0.0])
    with pytest.raises(ValueError, match="must be finite"):
        head.search([np.nan, 0.0, 0.0])
