"""A person's faces, the least alike first."""

import numpy as np
import pytest

from people.store.store import PeopleStore
from people.suggestions.likely import likeness_to_others
from tests.webapp.made import add_table


def doubts(client, person: int = 1, **query: object) -> list[dict]:
    answer = client.get(f"/api/v1/people/{person}/doubts", params=query)
    assert answer.status_code == 200, answer.text
    return answer.json()["faces"]


def test_the_face_that_is_not_like_the_rest_comes_first(client, workspace, photos):
    add_table(workspace, photos)
    with PeopleStore(workspace.store) as store:
        wrong = store.faces_in_table()[1]  # on the right, like Bob
        store.name([wrong.face], "Ada")
    found = doubts(client)
    assert found[0]["face"]["key"] == wrong.face.key and len(found) == 7
    alike = [one["alike"] for one in found]
    assert alike == sorted(alike) and alike[0] < 0.4 < alike[1]
    assert doubts(client, offset=1, limit=2) == found[1:3]
    with PeopleStore(workspace.store) as store:
        store.deny([wrong.face], 1)
    assert len(doubts(client)) == 6, "what was kept is not true any more"


def test_without_vectors_faces_are_in_the_order_of_their_photos(client):
    found = doubts(client)
    assert [one["alike"] for one in found] == [None] * 6
    assert [one["face"]["path"] for one in found] == [f"album <{i // 3}>/{i}.png" for i in range(6)]
    assert doubts(client, **{"from": "2019"}) == []
    assert client.get("/api/v1/people/99/doubts").status_code == 404


def test_likeness_to_all_others():
    vectors = np.array([[1, 0], [1, 0], [0, 1]], np.float32)
    assert likeness_to_others(vectors) == pytest.approx([0.5, 0.5, 0])
    assert likeness_to_others(vectors[:1]) == pytest.approx([-1])
