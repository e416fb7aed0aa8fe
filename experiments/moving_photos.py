"""Clips of a person in front of a camera, made from photos of that person.

Each photo is cut out around the head and moved through a blurred room: it comes nearer or goes away, sways, tilts, gets
darker or lighter, is out of focus now and then, and is smeared along its way. Noise and JPEG compression come last, as
in a camera. Between two photos the room is empty for a moment.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import cv2
import numpy as np

from recognition.sources.video_file import Frame

FRAMES_PER_SECOND = 25.0
SIZE_HW = (240, 320)

GAP_S = 0.4
"""How long the room is empty before each photo."""

FADE_S = 0.2
"""How long a photo takes to appear and to vanish: a sudden one would be a cut."""

# Half axes of the ellipse that is cut out, in widths and heights of the face's box: head, hair and neck.
_CUT_OUT = np.array([0.85, 0.85])
_SOFT_EDGE = 0.08

_FACE_HEIGHTS = (45.0, 115.0)
_ZOOM = (0.75, 1.35)
_SWAY = 0.06
_TILT_DEGREES = 8.0
_LIGHT = (0.6, 1.25)
_DEFOCUS_PIXELS = 1.4
_NOISE = (2.0, 7.0)
_JPEG_QUALITY = (55, 90)
_EXPOSURE = 0.5
"""Share of a frame's time during which light falls in, and the face moves."""


@dataclass(frozen=True)
class FacePhoto:
    """A photo and the box of the face on it.

    Attributes
    ----------
    image : numpy.ndarray
        uint8 (h, w, 3), RGB.
    box : numpy.ndarray
        (4,), pixels.
    """

    image: np.ndarray
    box: np.ndarray


def clip_of(photos: Sequence[FacePhoto], rng: np.random.Generator, *, seconds: float = 3.0) -> Iterator[Frame]:
    """Yield the frames of a clip that shows each of `photos` for `seconds`, the same for the same state of `rng`."""
    n_gap, n_shown = round(GAP_S * FRAMES_PER_SECOND), round(seconds * FRAMES_PER_SECOND)
    room, camera = _make_room(rng), _Camera(rng)
    index = 0
    for photo in photos:
        walk = _Walk(photo, rng, FADE_S / seconds)
        for number in range(-n_gap, n_shown):
            picture = room if number < 0 else walk.draw(room, number / (n_shown - 1))
            yield Frame(camera.record(picture, rng), index, index / FRAMES_PER_SECOND, 0.0)
            index += 1


def is_shown(index: int, *, seconds: float = 3.0) -> bool:
    """Return whether frame `index` of such a clip shows a face, be it half faded in or out."""
    gap, shown = round(GAP_S * FRAMES_PER_SECOND), round(seconds * FRAMES_PER_SECOND)
    return index % (gap + shown) >= gap


class _Walk:
    """How one photo moves; times run from 0 to 1, of which it takes `fade` to appear and to vanish."""

    def __init__(self, photo: FacePhoto, rng: np.random.Generator, fade: float) -> None:
        self._fade = fade
        box = photo.box.astype(np.float64)
        self._size = box[2:] - box[:2]
        self._centre = (box[:2] + box[2:]) / 2
        self._layer = np.dstack([photo.image.astype(np.float32), _cut_out(photo.image.shape[:2], box)])
        height = rng.uniform(*_FACE_HEIGHTS)
        self._heights = (height, np.clip(height * rng.uniform(*_ZOOM), *_FACE_HEIGHTS))
        margin = 0.8 * max(self._heights)
        low, high = np.full(2, margin), np.array(SIZE_HW[::-1]) - margin
        self._places = rng.uniform(np.minimum(low, high), np.maximum(low, high), (2, 2))
        self._lights = rng.uniform(*_LIGHT, 2)
        self._defocus = rng.uniform(0, _DEFOCUS_PIXELS, 2)
        self._cycles, self._phases = rng.uniform(1, 4, 3), rng.uniform(0, 2 * np.pi, 3)

    def draw(self, room: np.ndarray, time: float) -> np.ndarray:
        """Return the room, float32 (h, w, 3), with the face in it."""
        matrix = self._matrix(time)
        layer = cv2.warpAffine(self._layer, matrix, SIZE_HW[::-1], flags=cv2.INTER_AREA)
        sigma = float(np.interp(time, (0, 1), self._defocus))
        if sigma > 0.3:
            layer = cv2.GaussianBlur(layer, (0, 0), sigma)
        layer = _smear(layer, self._position(time + 0.005) - self._position(time - 0.005))
        light = float(np.interp(time, (0, 1), self._lights)) * (1 + 0.05 * self._swing(time)[2])
        fade = np.interp(min(time, 1 - time), (0, self._fade), (0, 1))
        alpha = layer[:, :, 3:] * fade
        return room * (1 - alpha) + np.clip(layer[:, :, :3] * light, 0, 255) * alpha

    def _swing(self, time: float) -> np.ndarray:
        return np.sin(2 * np.pi * self._cycles * time + self._phases)

    def _position(self, time: float) -> np.ndarray:
        here = self._places[0] + time * (self._places[1] - self._places[0])
        return here + _SWAY * max(self._heights) * self._swing(time)[:2]

    def _matrix(self, time: float) -> np.ndarray:
        height = self._heights[0] * (self._heights[1] / self._heights[0]) ** time
        matrix = np.asarray(
            cv2.getRotationMatrix2D(tuple(self._centre), _TILT_DEGREES * self._swing(time)[2], height / self._size[1]),
            np.float64,
        )
        matrix[:, 2] += self._position(time) - self._centre
        return matrix


def _cut_out(size_hw: tuple[int, ...], box: np.ndarray) -> np.ndarray:
    """Return a mask, float32 (h, w), of an ellipse around the face with a soft edge."""
    rows, columns = np.mgrid[: size_hw[0], : size_hw[1]]
    half = _CUT_OUT * (box[2:] - box[:2])
    x, y = (box[:2] + box[2:]) / 2
    radius = np.hypot((columns - x) / half[0], (rows - y) / half[1])
    return np.clip((1 - radius) / _SOFT_EDGE, 0, 1).astype(np.float32)


def _smear(layer: np.ndarray, way: np.ndarray) -> np.ndarray:
    """Return `layer` averaged over the way in pixels that it moves while light falls in."""
    length = _EXPOSURE * float(np.hypot(*way))
    n_steps = min(15, 2 * int(np.ceil(length / 2)) + 1)
    if n_steps < 3:
        return layer
    kernel = np.zeros((n_steps, n_steps), np.float32)
    middle, direction = n_steps // 2, way / np.hypot(*way) * length / 2
    end = (round(middle + direction[0]), round(middle + direction[1]))
    cv2.line(kernel, (2 * middle - end[0], 2 * middle - end[1]), end, 1.0)
    return cv2.filter2D(layer, -1, kernel / kernel.sum())


def _make_room(rng: np.random.Generator) -> np.ndarray:
    """Return a background without detail, float32 (h, w, 3)."""
    coarse = (rng.uniform(40, 180, (4, 5, 1)) + rng.uniform(-20, 20, (4, 5, 3))).astype(np.float32)
    return np.clip(cv2.resize(coarse, SIZE_HW[::-1], interpolation=cv2.INTER_CUBIC), 0, 255)


class _Camera:
    """Noise, drawn once a clip and shifted about, and compression."""

    def __init__(self, rng: np.random.Generator) -> None:
        self._noise = rng.normal(0, rng.uniform(*_NOISE), (*SIZE_HW, 3)).astype(np.float32)
        self._quality = int(rng.integers(*_JPEG_QUALITY))

    def record(self, picture: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        """Return what the camera delivers of `picture`, float32 (h, w, 3): uint8, RGB."""
        noise = np.roll(self._noise, tuple(rng.integers(0, SIZE_HW)), axis=(0, 1))
        noisy = np.clip(picture + noise, 0, 255).astype(np.uint8)
        _, data = cv2.imencode(".jpg", noisy[:, :, ::-1], [cv2.IMWRITE_JPEG_QUALITY, self._quality])
        return cv2.cvtColor(np.asarray(cv2.imdecode(data, cv2.IMREAD_COLOR)), cv2.COLOR_BGR2RGB)
