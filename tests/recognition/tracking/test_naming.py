import numpy as np

from recognition.tracking.naming import name_faces
from tests.recognition.fakes import ANN, STRANGER, FakeHead, fake_encoder, image_with


def test_a_face_is_named_and_a_stranger_is_not() -> None:
    encoder, head = fake_encoder(), FakeHead()
    image = image_with((ANN, (20, 30, 60, 70)), (STRANGER, (120, 40, 160, 80)))
    faces = encoder.detect(image)
    names = name_faces(head, encoder.embed(encoder.crop(image, faces)), encoder.fingerprint)  # type: ignore[arg-type]
    assert names.identities.tolist() == ["ann", "unknown"]
    assert names.accepted.tolist() == [True, False]
    assert names.scores[0] > 0.95 > names.scores[1]
    assert names.choices[0] == "ann"
    assert head.checked == [encoder.fingerprint]


def test_no_face_gives_no_names() -> None:
    names = name_faces(FakeHead(), np.empty((0, 3), np.float32))  # type: ignore[arg-type]
    assert [len(column) for column in names] == [0, 0, 0, 0]


def test_the_threshold_belongs_to_the_accepted() -> None:
    head = FakeHead(threshold=1.0)
    exactly = head._exemplars[:1]
    head.threshold = float(head.match(exactly).scores[0])
    assert name_faces(head, exactly).identities.tolist() == ["ann"]  # type: ignore[arg-type]
