"""Draw a line of text with whatever fonts it needs, and shorten it to a width without cutting a letter in two."""

import numpy as np
from PIL import Image, ImageDraw

from foundation.drawing.characters import split_characters
from foundation.drawing.fonts import LoadedFont, font_runs, kept_until_fonts_change, open_font
from foundation.text import sanitize_for_terminal

Color = tuple[int, int, int]

WHITE: Color = (255, 255, 255)
ELLIPSIS = "…"
# Plates of letters up to this size, pixels, are kept: those of frames, which come again and again. One of 300 by 50
# pixels takes 45 KB.
_LARGEST_KEPT = 32


def text_plate(text: str, size: int, color: Color, text_color: Color = WHITE) -> np.ndarray:
    """Return one line of text on a plate: uint8 (height, width, 3), letters `size` pixels tall, read-only.

    Small plates are drawn once and kept.

    Parameters
    ----------
    text : str
        What would end the line becomes a space.
    size : int
        Pixels.
    color, text_color : (red, green, blue)
        0 to 255 each, of the plate and of the text.
    """
    return (_kept_plate if size <= _LARGEST_KEPT else _draw_plate)(text, size, color, text_color)


def label_plate(text: str, detail: str, *, size: int, max_width: int, color: Color) -> np.ndarray:
    """Return a plate of `text`, shortened to leave room for `detail` behind it: uint8 (height, width, 3), read-only.

    Text and detail are two plates side by side: a score that changes does not draw the name anew.

    Parameters
    ----------
    text, detail : str
        The detail is never shortened, and left out where it is empty.
    size : int
        Height of the letters, pixels.
    max_width : int
        Pixels; a plate is wider where one character and the detail are.
    color : (red, green, blue)
    """
    if not detail:
        return text_plate(shorten(text, size, max_width), size, color)
    return (_kept_label if size <= _LARGEST_KEPT else _draw_label)(text, detail, size, max_width, color)


def _draw_label(text: str, detail: str, size: int, max_width: int, color: Color) -> np.ndarray:
    """See `label_plate`."""
    end = text_plate(detail, size, color)
    label = np.hstack([text_plate(shorten(text, size, max_width - end.shape[1]), size, color), end])
    label.flags.writeable = False
    return label


def _draw_plate(text: str, size: int, color: Color, text_color: Color) -> np.ndarray:
    """See `text_plate`."""
    parts = [(open_font(font, size), part) for font, part in font_runs(sanitize_for_terminal(text))]
    widths = [_width(font, part, size) for font, part in parts]
    padding = _padding(size)
    plate = Image.new("RGB", (round(sum(widths)) + 2 * padding, plate_height(size)), color)
    left = float(padding)
    for (font, part), width in zip(parts, widths, strict=True):
        _draw_part(plate, part, (left, size + padding // 2), font=font, size=size, text_color=text_color)
        left += width
    pixels = np.asarray(plate)
    pixels.flags.writeable = False
    return pixels


_kept_plate = kept_until_fonts_change(512)(_draw_plate)
_kept_label = kept_until_fonts_change(256)(_draw_label)


def _padding(size: int) -> int:
    return max(2, size // 5)


def plate_height(size: int) -> int:
    """Return the height of a plate with letters of `size` pixels, in pixels."""
    return round(size * 1.3) + _padding(size)


@kept_until_fonts_change(4096)
def plate_width(text: str, size: int) -> int:
    """Return the width of the plate of `text`, in pixels, without drawing it."""
    parts = font_runs(sanitize_for_terminal(text))
    return round(sum(_width(open_font(font, size), part, size) for font, part in parts)) + 2 * _padding(size)


@kept_until_fonts_change(1024)
def shorten(text: str, size: int, max_width: int) -> str:
    """Return `text` as one line whose plate is at most `max_width` pixels wide, with "…" for what is cut.

    Whole characters as people see them go: a letter keeps its marks, an emoji its parts. At least one is left, however
    narrow the plate.

    Parameters
    ----------
    text : str
    size : int
        Height of the letters, pixels.
    max_width : int
        Pixels.
    """
    if plate_width(text, size) <= max_width:
        return text
    characters = split_characters(text)
    low, high = 1, max(1, len(characters) - 1)
    while low < high:
        middle = (low + high + 1) // 2
        fits = plate_width(_cut(characters, middle), size) <= max_width
        low, high = (middle, high) if fits else (low, middle - 1)
    return _cut(characters, low) if len(characters) > 1 else text


def _cut(characters: list[str], n: int) -> str:
    return "".join(characters[:n]).rstrip() + ELLIPSIS


# Laying a line out takes as long as drawing it, and it is laid out to be shortened, to be placed and to be drawn.
@kept_until_fonts_change(4096)
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
