import numpy as np
import pytest

from embedder.detection.faces import Faces
from embedder.finding.quarter_turns import turn_back, turn_image

HEIGHT, WIDTH = 40, 60
MARK = (50, 5, 56, 12)
"""x_min, y_min, x_max, y_max of a bright patch at the top right."""


def marked() -> np.ndarray:
    image = np.zeros((HEIGHT, WIDTH, 3), np.uint8)
    x_min, y_min, x_max, y_max = MARK
    image[y_min:y_max, x_min:x_max] = 255
    return image


@pytest.mark.parametrize(
    ("degrees", "shape", "corner_yx"),
    [(0, (40, 60, 3), (5, 50)), (90, (60, 40, 3), (50, 28)), (180, (40, 60, 3), (28, 4)), (270, (60, 40, 3), (4, 5))],
)
def test_images_turn_clockwise(degrees: int, shape: tuple[int, ...], corner_yx: tuple[int, int]) -> None:
    turned = turn_image(marked(), degrees)
    assert turned.shape == shape and turned.flags.c_contiguous
    assert tuple(np.argwhere(turned[..., 0])[0]) == corner_yx


@pytest.mark.parametrize("degrees", [0, 90, 180, 270])
def test_faces_go_back_to_where_they_are(degrees: int) -> None:
    ys, xs = np.nonzero(turn_image(marked(), degrees)[..., 0])
    box = [xs.min(), ys.min(), xs.max() + 1, ys.max() + 1]
    landmarks = np.tile(np.float32([box[0], box[1]]), (1, 5, 1))
    back = turn_back(Faces(np.array([box]), landmarks, np.array([0.9])), degrees, (HEIGHT, WIDTH))
    assert back.boxes.tolist() == [list(MARK)]
    # The corner that is the top left one on the turned image is another one of the box on the image as it was.
    x_min, y_min, x_max, y_max = MARK
    assert (
        back.landmarks[0, 0].tolist()
        == {
            0: [x_min, y_min],
            90: [x_min, y_max],
            180: [x_max, y_max],
            270: [x_max, y_min],
        }[degrees]
    )


def test_no_faces_go_back_to_none() -> None:
    assert len(turn_back(Faces.empty(), 90, (HEIGHT, WIDTH))) == 0
