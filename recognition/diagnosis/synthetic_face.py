"""A face that is nobody's, drawn so that MTCNN takes it for one."""

import numpy as np

SIZE = 240
"""Side of the picture in pixels."""

_FINER = 4
"""The picture is drawn so many times as large, for smooth edges."""

_BACKGROUND, _HAIR, _CLOTHES = (150, 165, 180), (60, 42, 32), (70, 80, 120)
_SKIN, _SHADE, _NECK = (222, 180, 152), (190, 140, 118), (190, 145, 120)
_BROW, _WHITE, _IRIS, _BLACK, _LID = (80, 55, 42), (245, 242, 240), (70, 50, 40), (15, 10, 10), (70, 45, 38)
_NOSE, _NOSTRIL, _NOSE_SHADE = (205, 158, 132), (120, 75, 62), (180, 128, 106)
_LIP, _LOWER_LIP, _MOUTH = (178, 92, 88), (190, 104, 98), (120, 60, 58)

_EYES = (98, 142)

# Centre, half axes, colour; then, for arcs, first and last angle and the width of the line.
_SHAPES: list[tuple[tuple[float, ...], tuple[int, int, int]]] = [
    ((120, 105, 64, 78), _HAIR),
    ((120, 240, 95, 50), _CLOTHES),
    ((120, 192, 22, 26), _NECK),
    ((120, 125, 52, 68), _SKIN),
    ((120, 60, 50, 22), _HAIR),
    *(
        shape
        for x in _EYES
        for shape in (
            ((x, 103, 14, 4, 180, 360, 3), _BROW),
            ((x, 115, 11, 5.5), _SHADE),
            ((x, 116, 9.5, 4.5), _WHITE),
            ((x, 116, 4.4, 4.4), _IRIS),
            ((x, 116, 2, 2), _BLACK),
            ((x, 114, 10.5, 5, 190, 350, 1.3), _LID),
        )
    ),
    ((120, 140, 9, 7), _NOSE),
    ((114, 144, 2.6, 1.8), _NOSTRIL),
    ((126, 144, 2.6, 1.8), _NOSTRIL),
    ((120, 147, 9, 3, 10, 170, 1.2), _NOSE_SHADE),
    ((120, 163, 19, 4.2), _LIP),
    ((120, 166, 17, 5), _LOWER_LIP),
    ((120, 163, 18, 1), _MOUTH),
]

_BLUR = 1.2
_LIGHT = (1.06, 0.86)
"""How bright the left and the right edge are."""


def draw_face() -> np.ndarray:
    """Draw the face: uint8 ``(240, 240, 3)``, RGB, the same on every machine but for rounding."""
    import cv2

    image = np.full((SIZE * _FINER, SIZE * _FINER, 3), _BACKGROUND, np.uint8)
    for (x, y, width, height, *arc), color in _SHAPES:
        first, last, line = arc or (0, 360, 0)
        center, axes = (round(x * _FINER), round(y * _FINER)), (round(width * _FINER), round(height * _FINER))
        thickness = round(line * _FINER) if line else cv2.FILLED
        cv2.ellipse(image, center, axes, 0, first, last, color, thickness, cv2.LINE_AA)
    light = np.linspace(*_LIGHT, SIZE * _FINER)[None, :, None]
    lit = np.clip(cv2.GaussianBlur(image, (0, 0), _BLUR * _FINER) * light, 0, 255).astype(np.uint8)
    return np.asarray(cv2.resize(lit, (SIZE, SIZE), interpolation=cv2.INTER_AREA))
