from typing import Any

import numpy as np
import pytest

from embedder.errors import WeightsError
from embedder.finding.finder import in_batches
from embedder.images.photo import Photo
from embedder.pipeline.mapper import FaceMapper, PhotoResult
from embedder.pipeline.settings import EmbedSettings
from embedder.tables.table import is_unit
from tests.embedder.fakes import (
    DETECTOR_FAILS,
    EMBEDDER_FAILS,
    LENGTH,
    NOT_FINITE,
    NOT_UNIT,
    SIZE_HW,
    FakeDetector,
    make_encoder,
)


def photo(name: str, red: int, green: int = 0) -> Photo:
    image = np.full((*SIZE_HW, 3), (red, green, 7), np.uint8)
    return Photo(name, image, image_sha256=name, size=1, mtime_ns=2)


def results(photos: list[Photo], detector: Any = None, embedder: Any = None, **settings: Any) -> list[PhotoResult]:
    chosen = EmbedSettings(**settings)
    mapper = FaceMapper(make_encoder(detector, embedder, chosen), chosen)
    return mapper.embed(mapper.find(photos))


def test_nothing_gives_nothing() -> None:
    assert results([]) == []


def test_maps_photos_to_faces_and_vectors() -> None:
    one, three, none = results([photo("Ada/1", 1), photo("Ada/2", 3), photo("Bob/3", 0)])
    assert [len(result.faces) for result in (one, three, none)] == [1, 3, 0]
    assert [result.photo.status for result in (one, three, none)] == ["ok", "ok", "no_face"]
    assert [result.identities for result in (one, three, none)] == [["Ada"], ["", "Ada", ""], []]
    assert one.embeddings.shape == (1, LENGTH) and is_unit(three.embeddings).all()
    assert none.embeddings.shape == (0, LENGTH)
    assert one.size_hw == none.size_hw == SIZE_HW
    assert one.photo.image is None and one.photo.image_sha256 == "Ada/1"


def test_vectors_stay_with_their_photos_in_a_batch() -> None:
    photos = [photo("a", 2, 10), photo("b", 0), photo("c", 1, 90), photo("d", 3, 170)]
    for together, alone in zip(results(photos), [results([photo])[0] for photo in photos], strict=True):
        assert together.photo.path == alone.photo.path
        np.testing.assert_array_equal(together.embeddings, alone.embeddings)
        np.testing.assert_array_equal(together.faces.boxes, alone.faces.boxes)


def test_one_face_is_the_chosen_one() -> None:
    (result,) = results([photo("Ada/1", 3)], faces="one")
    assert result.faces.boxes.tolist() == [[20, 10, 35, 30]] and result.identities == ["Ada"]
    assert results([photo("Ada/1", 0)], faces="one")[0].photo.status == "no_face"


@pytest.mark.parametrize(
    ("red", "message"),
    [
        (DETECTOR_FAILS, "RuntimeError: this photo breaks the detector"),
        (EMBEDDER_FAILS, "RuntimeError: this crop breaks the embedder"),
        (NOT_FINITE, "ArithmeticError: expected 1 finite vectors of unit length"),
        (NOT_UNIT, "ArithmeticError: expected 1 finite vectors of unit length"),
    ],
)
def test_one_bad_photo_costs_no_other(red: int, message: str) -> None:
    good, bad, also_good = results([photo("a", 2), photo("b", red), photo("c", 1)])
    assert bad.photo.status == "error" and bad.photo.message.startswith(message)
    assert len(bad.faces) == 0 and bad.embeddings.shape == (0, LENGTH) and bad.identities == []
    assert [good.photo.status, also_good.photo.status] == ["ok", "ok"]
    np.testing.assert_array_equal(good.embeddings, results([photo("a", 2)])[0].embeddings)


def test_a_crop_that_fails_is_an_error_of_its_photo() -> None:
    class OutOfThePicture(FakeDetector):
        @staticmethod
        def _faces(red):
            faces = FakeDetector._faces(1)
            return type(faces)(faces.boxes + (1000 if red == 2 else 0), faces.landmarks, faces.scores)

    good, bad = results([photo("a", 1), photo("b", 2)], OutOfThePicture())
    assert (good.photo.status, bad.photo.status) == ("ok", "error")
    assert bad.photo.message.startswith("ValueError: `boxes` must overlap the image")


def test_unreadable_photos_pass_through() -> None:
    unreadable, good = results([Photo("a", None, "unreadable", "no image"), photo("b", 1)])
    assert (unreadable.photo.status, unreadable.photo.message, unreadable.size_hw) == ("unreadable", "no image", (0, 0))
    assert good.photo.status == "ok"


def test_a_detector_that_loses_photos_is_noticed() -> None:
    class Loses(FakeDetector):
        def detect_batch(self, images):
            return super().detect_batch(images)[:1]

    class LosesAll(FakeDetector):
        def detect_batch(self, images):
            return []

    assert [result.photo.status for result in results([photo("a", 1), photo("b", 1)], Loses())] == ["ok", "ok"]
    (lost,) = results([photo("a", 1)], LosesAll())
    assert lost.photo.message == "ValueError: expected 1 results of a batch, got 0"


def test_missing_weights_end_the_run() -> None:
    class NoWeights(FakeDetector):
        def detect_batch(self, images):
            raise WeightsError("no weights")

    with pytest.raises(WeightsError, match="no weights"):
        results([photo("a", 1), photo("b", 1)], NoWeights())


def test_batches_are_bounded_in_number_and_pixels(monkeypatch: pytest.MonkeyPatch) -> None:
    def sizes(photos: list[Photo]) -> list[int]:
        return [len(batch) for batch in in_batches(photos)]

    assert sizes([]) == []
    assert sizes([photo(str(i), 1) for i in range(70)]) == [32, 32, 6]
    monkeypatch.setattr("embedder.finding.finder.MAX_PIXELS_A_BATCH", 3 * SIZE_HW[0] * SIZE_HW[1])
    assert sizes([photo(str(i), 1) for i in range(7)]) == [3, 3, 1]
    assert sizes([Photo("a", None)] * 40) == [32, 8]
    monkeypatch.setattr("embedder.finding.finder.MAX_PIXELS_A_BATCH", 10)
    assert sizes([photo(str(i), 1) for i in range(3)]) == [1, 1, 1]
