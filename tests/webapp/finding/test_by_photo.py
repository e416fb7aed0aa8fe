"""Found by a picture from elsewhere: kept in memory for an hour, the most alike first, nothing written."""

import io

import numpy as np
import pytest
from PIL import Image

from embedder.detection.faces import Faces
from people.workspace.vectors import FaceVectors
from tests.webapp.conftest import READ_TOKEN
from tests.webapp.made import add_table
from webapp.errors import UnknownPictureError
from webapp.finding.by_photo import AskedPictures


class OneLikeBob:
    """Stands in for the networks: on every picture Bob's face and one that nobody has."""

    length = 16

    @property
    def fingerprint(self) -> dict:
        return {"space": {"embedding_length": self.length}, "provenance": {}}

    def encode(self, picture: np.ndarray) -> "OneLikeBob":
        self.embeddings = np.eye(16, dtype=np.float32)[[9, 1]]
        self.faces = Faces(np.array([[0, 0, 9, 9], [20, 10, 60, 50]]), np.zeros((2, 5, 2)), np.ones(2))
        return self

    def __len__(self) -> int:
        return 2


@pytest.fixture
def asked(client, workspace, photos) -> dict:
    """Return the answer to a picture."""
    add_table(workspace, photos)
    client.app.state.context.kept("encoder", OneLikeBob)
    content = io.BytesIO()
    Image.new("RGB", (80, 60)).save(content, "PNG")
    before = set(workspace.folder.rglob("*"))
    headers = {"Content-Type": "image/png", "Authorization": f"Bearer {READ_TOKEN}"}
    answer = client.post("/api/v1/find/by-photo", content=content.getvalue(), headers=headers)
    assert answer.status_code == 200, answer.text
    assert set(workspace.folder.rglob("*")) == before
    return answer.json()


def test_photos_are_found_the_most_alike_first(client, asked):
    assert (asked["width"], asked["height"], asked["main"]) == (80, 60, 1)
    assert asked["faces"][1]["box"] == [20, 10, 60, 50]
    found = client.get("/api/v1/find", params={"like": asked["faces"][1]["like"]}).json()
    assert found["total"] == 9, "the right face of each photo is like Bob's"
    alike = [photo["alike"] for photo in found["photos"]]
    assert alike == sorted(alike, reverse=True) and alike[-1] > 0.5
    of_bob = client.get("/api/v1/find", params={"like": asked["faces"][1]["like"], "with": 2, "limit": 2}).json()
    assert of_bob["total"] == 3 and len(of_bob["photos"]) == 2
    second = found["photos"][1]["photo"]
    beside = client.get(f"/api/v1/photos/{second}/beside", params={"like": asked["faces"][1]["like"]}).json()
    assert (beside["index"], beside["previous"]) == (1, found["photos"][0]["photo"])


def test_what_is_not_kept_is_told(client, asked):
    word = asked["faces"][0]["like"].partition(".")[0]
    for like in (f"{word}.2", "A" * 16 + ".0"):
        answer = client.get("/api/v1/find", params={"like": like})
        assert (answer.status_code, answer.json()["error"]["kind"]) == (404, "unknown_picture")
    assert client.get("/api/v1/find", params={"like": "../../etc"}).status_code == 422
    empty = client.post("/api/v1/find/by-photo", content=b"no picture", headers={"Content-Type": "image/png"})
    assert empty.status_code == 400


def test_another_network_s_vectors_are_refused(client, asked, monkeypatch):
    monkeypatch.setattr(OneLikeBob, "length", 17)
    answer = client.get("/api/v1/find", params={"like": asked["faces"][0]["like"]})
    assert answer.status_code == 400 and "cannot be compared" in answer.json()["error"]["message"]


def test_pictures_are_dropped_after_an_hour_and_when_there_are_many(client, asked):
    now = 0.0
    pictures = AskedPictures(lambda: now)
    vectors = np.eye(16, dtype=np.float32)[:1]
    word = pictures.add(vectors)
    context = client.app.state.context
    assert pictures.like(context, f"{word}.0") is pictures.like(context, f"{word}.0"), "compared once"
    now = 3_601.0
    with pytest.raises(UnknownPictureError, match="asked for within an hour"):
        pictures.like(context, f"{word}.0")
    first = pictures.add(vectors)
    for _ in range(32):
        pictures.add(vectors)
    with pytest.raises(UnknownPictureError):
        pictures.like(context, f"{first}.0")


def test_all_vectors_come_in_blocks(workspace, photos, monkeypatch):
    add_table(workspace, photos)
    monkeypatch.setattr("people.workspace.vectors._BLOCK", 100)
    with FaceVectors(workspace) as vectors:
        blocks = list(vectors.blocks())
        assert [len(block) for block in blocks] == [100, 100, 78]
        assert np.array_equal(np.concatenate(blocks), vectors.of_rows(range(278)))
