"""The picture at the end of the demo: every photo with its true name and what each head says."""

import io
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import IO

import cv2
import numpy as np
from PIL import Image, ImageDraw

from embedder.images.reading import read_image
from foundation.atomic import write_atomically
from foundation.drawing.rendered_text import shorten, text_plate

TILE = 220
LINE = 20
TEXT_SIZE = 14
COLUMNS = 5
GAP = 12

_BACKGROUND = (250, 250, 250)
_TEXT = (40, 40, 40)
_RIGHT, _NOT_ACCEPTED, _WRONG = (20, 130, 50), (190, 120, 0), (200, 30, 30)


@dataclass(frozen=True)
class Choice:
    """What a head says about a face: the identity before the threshold, its score, whether the threshold accepts it."""

    identity: str
    score: float
    accepted: bool


@dataclass(frozen=True)
class Answer:
    """A photo (relative path), who is on it, the box of the main face if one was found, and each head's choice."""

    path: str
    truth: str
    box: np.ndarray | None
    choices: dict[str, Choice]


def draw_sheet(answers: Sequence[Answer], photo_root: Path, out: Path) -> None:
    """Write the contact sheet of `answers` as PNG.

    Green: right and accepted. Amber: right, but the threshold says unknown. Red: wrong.

    Raises
    ------
    OSError
        If a photo cannot be read or the picture cannot be written.
    """
    n_heads = max((len(answer.choices) for answer in answers), default=0)
    tile_height = TILE + LINE * (1 + max(n_heads, 1)) + GAP
    n_rows = max(1, -(-len(answers) // COLUMNS))
    legend = LINE + GAP
    sheet = Image.new("RGB", (COLUMNS * (TILE + GAP) + GAP, legend + n_rows * tile_height + GAP), _BACKGROUND)
    x = GAP
    for text, colour in (
        ("right and accepted", _RIGHT),
        ("right, but below the threshold: unknown", _NOT_ACCEPTED),
        ("wrong", _WRONG),
    ):
        x += _write(sheet, text, (x, GAP // 2), colour) + 3 * GAP
    for i, answer in enumerate(answers):
        corner = (GAP + (i % COLUMNS) * (TILE + GAP), legend + (i // COLUMNS) * tile_height + GAP)
        sheet.paste(_thumbnail(read_image(photo_root / answer.path), answer.box), corner)
        for line, (text, colour) in enumerate(_lines(answer)):
            _write(sheet, text, (corner[0], corner[1] + TILE + line * LINE), colour)
    write_atomically(out, partial(_save_png, sheet))


def _write(sheet: Image.Image, text: str, corner: tuple[int, int], colour: tuple[int, int, int]) -> int:
    """Write one line, shortened to a tile's width unless it is the legend, and return its width in pixels."""
    shown = text if corner[1] < LINE else shorten(text, TEXT_SIZE, TILE + GAP)
    plate = Image.fromarray(text_plate(shown, TEXT_SIZE, _BACKGROUND, colour))
    sheet.paste(plate, corner)
    return plate.width


def _lines(answer: Answer) -> list[tuple[str, tuple[int, int, int]]]:
    lines = [(answer.truth, _TEXT)]
    if not answer.choices:
        lines.append(("no face found", _WRONG))
    for head, choice in answer.choices.items():
        if choice.identity != answer.truth:
            colour = _WRONG
        else:
            colour = _RIGHT if choice.accepted else _NOT_ACCEPTED
        verdict = "" if choice.accepted else " (unknown)"
        lines.append((f"{head}: {choice.identity} {choice.score:.2f}{verdict}", colour))
    return lines


def _thumbnail(image: np.ndarray, box: np.ndarray | None) -> Image.Image:
    """Return the photo on a square tile, whole, with the face framed."""
    height, width = image.shape[:2]
    scale = TILE / max(height, width)
    size_wh = (max(1, round(width * scale)), max(1, round(height * scale)))
    small = cv2.resize(image, size_wh, interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC)
    tile = Image.new("RGB", (TILE, TILE), _BACKGROUND)
    corner = ((TILE - size_wh[0]) // 2, (TILE - size_wh[1]) // 2)
    tile.paste(Image.fromarray(small), corner)
    if box is not None:
        x_min, y_min, x_max, y_max = (float(side) * scale for side in box)
        frame = (corner[0] + x_min, corner[1] + y_min, corner[0] + x_max, corner[1] + y_max)
        ImageDraw.Draw(tile).rectangle(frame, outline=(255, 255, 255), width=2)
    return tile


def _save_png(sheet: Image.Image, stream: IO[bytes]) -> None:
    encoded = io.BytesIO()
    sheet.save(encoded, "PNG")
    stream.write(encoded.getbuffer())
