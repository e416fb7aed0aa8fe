"""Distances between the faces of photos, as numbers, text, JSON and a picture."""

import json
import subprocess
import sys

import numpy as np
import pytest
from PIL import Image
from sklearn.metrics.pairwise import euclidean_distances

from embedder.verification import comparison as comparison_module
from embedder.verification.comparison import (
    ComparedFace,
    Comparison,
    compare_photos,
    measure_distances,
    save_heat_map,
)
from tests.embedder.fakes import NO_FACE, THREE_FACES, FakeEmbedder, make_encoder, write_photo


def compare(photos, **options):
    return compare_photos(photos, make_encoder(), **options)


def comparison_of(distances, threshold=1.0):
    distances = np.array(distances, float)
    crop = np.full((160, 160, 3), 100, np.uint8)
    faces = tuple(
        ComparedFace(f"{name}.jpg", np.array([1, 2, 3, 4], np.float32), n_faces, crop)
        for name, n_faces in zip("abcdefgh", [1, 3, 1, 1, 1, 1, 1, 1], strict=True)
    )
    return Comparison(faces[: len(distances)], distances, threshold, ("d.jpg",), (("e.jpg", "expected an image"),))


TWO_ALIKE = [[0, 0.5, 1.2], [0.5, 0, 1.0], [1.2, 1.0, 0]]


def test_distances_are_those_of_scikit_learn():
    vectors = np.random.default_rng(0).normal(size=(20, 512)).astype(np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    distances = measure_distances(vectors)
    np.testing.assert_allclose(distances, euclidean_distances(vectors.astype(np.float64)), atol=1e-7)
    np.testing.assert_array_equal(distances, distances.T)
    assert (np.diag(distances) == 0).all()


@pytest.mark.parametrize("n", [0, 1])
def test_distances_of_none_and_one(n):
    assert measure_distances(np.ones((n, 4), np.float32)).shape == (n, n)


def test_main_face_of_each_photo_is_compared(tmp_path):
    photos = [
        write_photo(tmp_path / "a.png"),
        write_photo(tmp_path / "b.png", THREE_FACES),
        write_photo(tmp_path / "again.png"),
    ]
    comparison = compare(photos, threshold=0.1)
    assert [face.path for face in comparison.faces] == [str(photo) for photo in photos]
    assert [face.n_faces for face in comparison.faces] == [1, 3, 1]
    np.testing.assert_array_equal(comparison.faces[1].box, [20, 10, 35, 30])  # the largest, not the first
    assert comparison.faces[0].crop.shape == (16, 16, 3)
    assert comparison.distances[0, 2] == 0
    expected = FakeEmbedder().embed(np.stack([face.crop for face in comparison.faces]))
    np.testing.assert_allclose(comparison.distances[0, 1], np.linalg.norm(expected[0] - expected[1]), rtol=1e-6)


def test_photos_without_face_and_failures_are_listed_and_the_others_compared(tmp_path):
    good, empty = write_photo(tmp_path / "a.png"), write_photo(tmp_path / "b.png", NO_FACE)
    (tmp_path / "text.jpg").write_text("text")
    comparison = compare([good, empty, tmp_path / "text.jpg", tmp_path / "gone.jpg", tmp_path, good])
    assert len(comparison.faces) == 2
    assert comparison.distances.shape == (2, 2)
    assert comparison.without_face == (str(empty),)
    assert [path for path, _ in comparison.failures] == [
        str(tmp_path / "text.jpg"),
        str(tmp_path / "gone.jpg"),
        str(tmp_path),
    ]
    messages = [message for _, message in comparison.failures]
    assert messages[0].startswith("expected an image (JPEG, ")
    assert messages[1] == "expected an image file, found nothing; check the path"
    assert messages[2] == "expected an image file, found a folder; name a file in it"


def test_no_face_at_all(tmp_path):
    comparison = compare([write_photo(tmp_path / "b.png", NO_FACE)])
    assert comparison.distances.shape == (0, 0)
    assert comparison.to_text() == f"{tmp_path}/b.png: no face"
    assert comparison.to_json()["distances"] == []


def test_too_large_photo_is_a_failure(tmp_path):
    ((_, message),) = compare([write_photo(tmp_path / "a.png")], max_pixels=1999).failures
    assert message.startswith("expected at most 1,999 pixels, found 50 x 40")


@pytest.mark.parametrize(
    ("photos", "options", "message"),
    [
        ([], {}, "`photos` must name at least one photo, got none"),
        (["a.jpg"], {"max_pixels": 0}, "`max_pixels` must be at least 1, got 0"),
    ],
)
def test_bad_arguments(photos, options, message):
    with pytest.raises(ValueError, match=message):
        compare(photos, **options)


def test_verdict_is_same_only_below_the_threshold():
    assert list(comparison_of(TWO_ALIKE).pairs()) == [(0, 1, 0.5, True), (0, 2, 1.2, False), (1, 2, 1.0, False)]
    assert {same for *_, same in comparison_of(TWO_ALIKE, None).pairs()} == {None}


def test_text():
    assert comparison_of(TWO_ALIKE).to_text().splitlines() == [
        "1  a.jpg",
        "2  b.jpg  (the main one of 3 faces)",
        "3  c.jpg",
        "d.jpg: no face",
        "",
        "        1       2       3",
        "1   0.000   0.500   1.200",
        "2   0.500   0.000   1.000",
        "3   1.200   1.000   0.000",
        "",
        "distances of unit vectors, same person below 1.000:",
        "1 - 2  0.500  same person",
        "1 - 3  1.200  different people",
        "2 - 3  1.000  different people",
    ]


def test_one_face_alone_is_no_table_of_distances():
    face = comparison_of(TWO_ALIKE).faces[0]
    assert Comparison((face,), np.zeros((1, 1)), 1.0).to_text().splitlines() == [
        "1  a.jpg",
        "",
        "one face alone; name a second photo to compare it with",
    ]


def test_text_without_a_threshold():
    lines = comparison_of(TWO_ALIKE, None).to_text().splitlines()
    assert lines[-4] == "distances of unit vectors, no threshold was ever measured for these weights:"
    assert lines[-1] == "2 - 3  1.000"


def test_json():
    result = json.loads(json.dumps(comparison_of(TWO_ALIKE).to_json(), allow_nan=False))
    assert result["threshold"] == 1.0
    assert result["faces"][1] == {"path": "b.jpg", "box": [1, 2, 3, 4], "n_faces": 3}
    assert result["distances"] == TWO_ALIKE
    assert result["pairs"][0] == {"a": "a.jpg", "b": "b.jpg", "distance": 0.5, "same": True}
    assert result["without_face"] == ["d.jpg"]
    assert result["failures"] == [{"path": "e.jpg", "message": "expected an image"}]


# --- heat map ---


@pytest.mark.parametrize("n", [1, 3])
@pytest.mark.parametrize(("name", "file_format"), [("h.png", "PNG"), ("new folder/h.jpg", "JPEG"), ("h", "PNG")])
@pytest.mark.usefixtures("drawing")
def test_heat_map(tmp_path, n, name, file_format):
    save_heat_map(comparison_of(np.array(TWO_ALIKE)[:n, :n]), tmp_path / name)
    with Image.open(tmp_path / name) as picture:
        assert picture.format == file_format
        pixels = np.asarray(picture.convert("RGB")).astype(int)
    is_crop = (np.abs(pixels - 100) <= 3).all(axis=2)
    assert is_crop.any(axis=0).mean() > 0.4  # crops stand above most columns
    is_frame = (pixels[:, :, 0] > 230) & (pixels[:, :, 1:] < 60).all(axis=2)
    assert is_frame.any() == (n > 1)
    assert [path.name for path in tmp_path.iterdir() if path.name.startswith(".")] == []


@pytest.mark.usefixtures("drawing")
def test_heat_map_of_many_faces_stays_of_bounded_size_and_leaves_the_numbers_out(tmp_path, monkeypatch):
    monkeypatch.setattr(comparison_module, "_LARGEST_SIDE_INCHES", 5.0)
    monkeypatch.setattr(comparison_module, "_MOST_NUMBERS", 11)
    crop = np.full((16, 16, 3), 100, np.uint8)
    faces = tuple(ComparedFace(f"{i}.jpg", np.zeros(4, np.float32), 1, crop) for i in range(12))
    save_heat_map(Comparison(faces, np.zeros((12, 12)), None), tmp_path / "h.png")
    with Image.open(tmp_path / "h.png") as picture:
        assert max(picture.size) < 700
        pixels = np.asarray(picture.convert("RGB")).astype(int)
    cells = pixels[(np.abs(pixels - (68, 1, 84)).max(axis=2) <= 2).nonzero()]  # viridis at 0
    assert len(cells) > 0.3 * pixels.shape[0] * pixels.shape[1]


@pytest.mark.usefixtures("drawing")
def test_heat_map_needs_a_face_and_a_known_suffix(tmp_path):
    with pytest.raises(ValueError, match="`comparison` must hold at least one face to be drawn, got none"):
        save_heat_map(Comparison((), np.empty((0, 0)), None), tmp_path / "h.png")
    with pytest.raises(ValueError, match=r"`path` must end in \.png, \.jpg, \.pdf or \.svg, got .*h\.xyz"):
        save_heat_map(comparison_of(TWO_ALIKE), tmp_path / "h.xyz")
    assert list(tmp_path.iterdir()) == []


# --- command ---


def run(*arguments):
    return subprocess.run(
        [sys.executable, "-m", "embedder", "compare", *map(str, arguments)], capture_output=True, text=True, check=False
    )


@pytest.mark.realdata
@pytest.mark.usefixtures("drawing")
def test_command_on_real_photos(data, tmp_path):
    people = data / "people"
    photos = [
        people / "train" / "obama" / "obama.jpg",
        data / "groups" / "two_people.jpg",
        people / "train" / "biden" / "biden.jpg",
    ]
    Image.new("RGB", (200, 200), (90, 120, 90)).save(tmp_path / "nobody.png")
    done = run(*photos, tmp_path / "nobody.png", "--json", tmp_path / "r.json", "--plot", tmp_path / "h.png")
    assert done.returncode == 0, done.stderr
    assert f"{tmp_path}/nobody.png: no face" in done.stdout
    result = json.loads((tmp_path / "r.json").read_text())
    assert result["preset"] == "facenet-casia-20180408"
    assert [pair["same"] for pair in result["pairs"]] == [True, False, False]
    assert (tmp_path / "h.png").stat().st_size > 10_000


@pytest.mark.realdata
def test_command_lists_failures_and_exits_with_1(tmp_path):
    (tmp_path / "text.jpg").write_text("text")
    done = run(tmp_path / "text.jpg", "--plot", tmp_path / "h.png")
    assert done.returncode == 1
    first, last = done.stderr.splitlines()
    assert first.startswith(f"{tmp_path}/text.jpg: expected an image (JPEG, ")
    assert last == f"{tmp_path}/h.png: not drawn, no face was found"


def test_command_that_cannot_run_exits_with_2(tmp_path):
    done = run(tmp_path / "a.jpg", "--preset", "nonsense")
    assert done.returncode == 2
    (line,) = done.stderr.splitlines()
    assert line.startswith("python -m embedder compare: error: `preset` must be one of facenet-casia-20180408, ")
