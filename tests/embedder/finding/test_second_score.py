"""What a second detector is shown, what it says, and what of that stands in tables."""

from typing import ClassVar

import h5py
import numpy as np
import pytest

from embedder.detection.faces import Faces
from embedder.errors import TableError, WeightsError
from embedder.finding.second_score import LEAST_SECOND_SCORE, SecondScorer, load_second_scorer
from embedder.pipeline import mapper
from embedder.pipeline.settings import EmbedSettings
from embedder.runtime.weights import fetched_file
from embedder.tables.table import EmbeddingTable
from foundation.errors import FingerprintError, InputError
from tests.embedder.fakes import make_table, write_photo
from tests.embedder.runs import embed
from tests.embedder.table_files import changed


class Seeing:
    """Finds a face of 32 pixels in the middle of what it is shown, with a score, and one beside it with another."""

    provenance: ClassVar[dict] = {}

    def __init__(self, score=0.7):
        self.shown, self.score = [], score

    def detect(self, image):
        self.shown.append(image.shape[:2])
        if self.score is None:
            return Faces.empty()
        middle = np.array([image.shape[1] / 2, image.shape[0] / 2] * 2) + np.array([-16, -16, 16, 16])
        boxes = np.array([middle, middle + 30], np.float32)
        return Faces(boxes, np.zeros((2, 5, 2), np.float32), np.array([self.score, 0.9], np.float32))


@pytest.mark.parametrize("side", [8, 32, 100])
def test_it_is_shown_what_is_around_a_face_always_as_large(side):
    detector, image = Seeing(), np.zeros((400, 500, 3), np.uint8)
    scores = SecondScorer(detector).scores(image, np.array([[200, 150, 200 + side, 150 + side]], np.float32))
    assert scores.tolist() == pytest.approx([0.7]) and scores.dtype == np.float32
    assert np.abs(np.array(detector.shown) - 96).max() <= 4  # pixels at the edges are shown whole


def test_what_it_finds_elsewhere_or_nowhere_is_no_witness():
    image = np.zeros((100, 100, 3), np.uint8)
    corner = np.array([[0, 0, 20, 20]], np.float32)  # what is around it ends at the photo's edges: not in the middle
    assert SecondScorer(Seeing()).scores(image, corner).tolist() == [0]
    assert SecondScorer(Seeing(None)).scores(image, corner + 40).tolist() == [0]
    nothing = np.array([[5, 5, 5, 5], [300, 300, 320, 320]], np.float32)
    assert SecondScorer(Seeing()).scores(image, nothing).tolist() == [0, 0]
    assert SecondScorer(Seeing()).scores(image, np.empty((0, 4))).shape == (0,)


def test_another_name_is_refused():
    for make in (load_second_scorer, lambda name: EmbedSettings(second_detector=name)):
        with pytest.raises(InputError, match="`second_detector` must be one of centerface or nothing, got 'mtcnn'"):
            make("mtcnn")


@pytest.fixture
def photos(tmp_path):
    for number, name in ((1, "Ada/1.png"), (3, "Ada/2.png"), (0, "none.png")):
        write_photo(tmp_path / "photos" / name, number, green=number)
    return tmp_path / "photos"


@pytest.fixture(autouse=True)
def scorer(monkeypatch):
    class Scores:
        def scores(self, image, boxes):
            return boxes[:, 0].astype(np.float32) / 100

    monkeypatch.setattr(mapper, "load_second_scorer", lambda name: Scores())


def test_the_column_is_there_where_a_second_detector_was_asked(photos, tmp_path):
    table = embed(photos, tmp_path / "t.h5", second_detector="centerface")
    assert table.second_scores.tolist() == pytest.approx((table.boxes[:, 0] / 100).tolist())
    assert table.fingerprint.provenance["second_detector"] == "centerface"
    embed(photos, tmp_path / "without.h5")
    with h5py.File(tmp_path / "t.h5") as made, h5py.File(tmp_path / "without.h5") as other:
        assert set(made) - set(other) == {"second_score"} and made["second_score"].dtype == np.float32
    assert np.isnan(EmbeddingTable.read(tmp_path / "without.h5").second_scores).all()
    write_photo(photos / "Ada/3.png", 2, green=9)
    again = embed(photos, tmp_path / "t.h5", second_detector="centerface")
    assert len(again) == 6 and not np.isnan(again.second_scores).any()


def test_a_table_begun_without_is_made_anew_from_its_faces(photos, tmp_path):
    embed(photos, tmp_path / "t.h5")
    with pytest.raises(FingerprintError, match="`second_detector` absent before, centerface now"):
        embed(photos, tmp_path / "t.h5", second_detector="centerface")
    table = embed(photos, tmp_path / "new.h5", second_detector="centerface", faces_from=tmp_path / "t.h5")
    assert table.second_scores.tolist() == pytest.approx((table.boxes[:, 0] / 100).tolist())


def test_a_table_in_memory_keeps_it_and_a_value_that_is_none_is_refused(tmp_path):
    table = make_table()
    scores = np.array([0.1, np.nan, 0.9], np.float32)
    object.__setattr__(table, "second_scores", scores)
    table.write(tmp_path / "t.h5")
    np.testing.assert_array_equal(EmbeddingTable.read(tmp_path / "t.h5").second_scores, scores)
    np.testing.assert_array_equal(table.select(np.array([True, False, True])).second_scores, scores[[0, 2]])
    with changed(tmp_path / "t.h5") as file:
        file["second_score"][1] = 1.5
    with pytest.raises(TableError, match=r"expected 0 to 1, or NaN in `second_score`, found 1.5 in row 1"):
        EmbeddingTable.read(tmp_path / "t.h5")
    with changed(tmp_path / "t.h5") as file:
        del file["second_score"]
        file["second_score"] = np.zeros(2, np.float32)
    with pytest.raises(TableError, match=r"expected columns of one length, found .* second_score 2"):
        EmbeddingTable.read(tmp_path / "t.h5")


@pytest.mark.realdata
@pytest.mark.skipif(fetched_file("centerface.onnx") is None, reason="needs python -m data.models centerface")
def test_a_face_is_told_from_a_place_where_none_is(data):
    from embedder import read_image

    image = read_image(data / "lfw" / "images" / "Ari_Fleischer" / "Ari_Fleischer_0001.jpg")
    face, corner = [85, 70, 165, 180], [0, 0, 60, 70]
    yes, no = load_second_scorer("centerface").scores(image, np.array([face, corner], np.float32))
    assert no < LEAST_SECOND_SCORE < 0.5 < yes


def test_its_file_is_asked_for_where_it_is_missing(photos, tmp_path, monkeypatch):
    def missing(name):
        raise WeightsError("the detector centerface: expected its network")

    monkeypatch.setattr(mapper, "load_second_scorer", missing)
    with pytest.raises(WeightsError, match="expected its network"):
        embed(photos, tmp_path / "t.h5", second_detector="centerface")
