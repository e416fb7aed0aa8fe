"""The map of a table: which faces, where, and what is drawn."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from experiments import embedding_map
from experiments.embedding_map import choose_faces, draw_map, lay_out


def _groups(n_groups: int, n_faces: int) -> np.ndarray:
    rng = np.random.default_rng(0)
    means = rng.normal(size=(n_groups, 16))
    vectors = np.repeat(means, n_faces, axis=0) + 0.05 * rng.normal(size=(n_groups * n_faces, 16))
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


def test_the_unnamed_come_last_and_nobody_takes_all_the_room() -> None:
    identities = ["", "", "ann", "bob", "bob", "bob", "cid", "cid"]
    assert np.flatnonzero(choose_faces(identities, 4, per_identity=2)).tolist() == [3, 4, 6, 7]
    assert np.flatnonzero(choose_faces(identities, 9, per_identity=1)).tolist() == [0, 2, 3, 6]
    assert choose_faces(identities, 99, per_identity=99).all()


@pytest.mark.parametrize("method", ["tsne", "pca"])
def test_like_faces_lie_near_each_other(method: str) -> None:
    places = lay_out(_groups(3, 8), method=method)
    assert places.min() == 0.0
    assert places.max() == pytest.approx(1.0)
    middles = places.reshape(3, 8, 2).mean(axis=1)
    inside = np.linalg.norm(places - np.repeat(middles, 8, axis=0), axis=1).mean()
    between = np.linalg.norm(middles[:, None] - middles[None], axis=2)[np.triu_indices(3, 1)].min()
    assert inside < between / 2


def test_three_faces_can_be_laid_out() -> None:
    assert lay_out(np.eye(3)).shape == (3, 2)


def test_thumbnails_lie_at_their_places_in_frames_of_their_identity(tmp_path: Path) -> None:
    thumbnails = [np.full((64, 64, 3), value, np.uint8) for value in (10, 20, 30)]
    draw_map(np.array([[0, 0], [1, 0], [1, 1]]), thumbnails, ["ann", "bob", ""], tmp_path / "map.png")
    picture = np.asarray(Image.open(tmp_path / "map.png"))
    side = len(picture)
    assert picture[36, 36].tolist() == [10, 10, 10]
    assert picture[36, side - 37].tolist() == [20, 20, 20]
    assert picture[side - 37, side - 37].tolist() == [30, 30, 30]
    assert picture[side - 2, side - 2].tolist() == [150, 150, 150]
    assert picture[1, 1].tolist() != picture[1, side - 2].tolist()
    assert picture[side // 2, side // 2].tolist() == [255, 255, 255]


def test_a_photo_that_is_gone_is_a_grey_tile(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    tile = embedding_map._thumbnail(tmp_path / "gone.jpg", np.array([0, 0, 10, 10]))
    assert (tile == 200).all()
    assert "gone.jpg" in caplog.text
