"""Draw a line of text with whatever fonts it needs, and shorten it to a width without cutting a letter in two."""

from functools import lru_cache

import numpy as np
from PIL import Image, ImageDraw

from foundation.drawing.characters import split_characters
from foundation.drawing.fonts import LoadedFont, font_runs, open_font
from foundation.text import sanitize_for_terminal

Color = tuple[int, int, int]

WHITE: Color = (255, 255, 255)
ELLIPSIS = "…"


@lru_cache(maxsize=512)
def text_plate(text: str, size: int, color: Color, text_color: Color = WHITE) -> np.ndarray:
    """Return one line of text on a plate: uint8 (height, width, 3), letters `size` pixels tall, read-only.

    Parameters
    ----------
    text : str
        What would end the line becomes a space.
    size : int
        Pixels.
    color, text_color : (red, green, blue)
        0 to 255 each, of the plate and of the text.
    """
    parts = [(open_font(font, size), part) for font, part in font_runs(sanitize_for_terminal(text))]
    widths = [_width(font, part, size) for font, part in parts]
    padding = max(2, size // 5)
    plate = Image.new("RGB", (round(sum(widths)) + 2 * padding, plate_height(size)), color)
    left = float(padding)
    for (font, part), width in zip(parts, widths, strict=True):
        _draw_part(plate, part, (left, size + padding // 2), font=font, size=size, text_color=text_color)
        left += width
    pixels = np.asarray(plate)
    pixels.flags.writeable = False
    return pixels


def plate_height(size: int) -> int:
    """Return the height of a plate with letters of `size` pixels, in pixels."""
    return round(size * 1.3) + max(2, size // 5)


def plate_width(text: str, size: int) -> int:
    """Return the width of the plate of `text`, in pixels, without drawing it."""
    parts = font_runs(sanitize_for_terminal(text))
    return round(sum(_width(open_font(font, size), part, size) for font, part in parts)) + 2 * max(2, size // 5)


@lru_cache(maxsize=1024)
def shorten(text: str, size: int, max_width: int, ending: str = "") -> str:
    """Return `text` and `ending` as one line whose plate is at most `max_width` pixels wide, with "…" for what is cut.

    Whole characters as people see them go: a letter keeps its marks, an emoji its parts. The ending stays; of the text
    at least one character is left, however narrow the plate.

    Parameters
    ----------
    text, ending : str
    size : int
        Height of the letters, pixels.
    max_width : int
        Pixels.
    """
    tail = f" {ending}" if ending and text else ending
    if not text or plate_width(text + tail, size) <= max_width:
        return text + tail
    characters = split_characters(text)
    low, high = 1, max(1, len(characters) - 1)
    while low < high:
        middle = (low + high + 1) // 2
        fits = plate_width(_cut(characters, middle) + tail, size) <= max_width
        low, high = (middle, high) if fits else (low, middle - 1)
    return _cut(characters, low) + tail if len(characters) > 1 else text + tail


def _cut(characters: list[str], n: int) -> str:
    return "".join(characters[:n]).rstrip() + ELLIPSIS


def _width(font: LoadedFont, part: str, size: int) -> float:
    return font.font.getlength(part) * (1.0 if font.strike is None else size / font.strike)


def _draw_part(
    plate: Image.Image, part: str, at: tuple[float, float], *, font: LoadedFont, size: int, text_color: Color
) -> None:
    """Draw text onto a plate, its base line beginning `at`; pictures of a bitmap font are scaled to `size`."""
    if font.strike is None:
        ImageDraw.Draw(plate).text(at, part, font=font.font, fill=text_color, anchor="ls")
        return
    width = max(1, round(font.font.getlength(part)))
    canvas = Image.new("RGBA", (width, round(1.3 * font.strike)), (0, 0, 0, 0))
    ImageDraw.Draw(canvas).text(
        (0, font.strike), part, font=font.font, fill=text_color, anchor="ls", embedded_color=True
    )
    scale = size / font.strike
    small = canvas.resize((max(1, round(width * scale)), max(1, round(canvas.height * scale))), Image.Resampling.BOX)
    plate.paste(small, (round(at[0]), round(at[1] - size)), small)
