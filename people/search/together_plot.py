"""Draw who is on photos with whom."""

import io
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from foundation.atomic import atomic_writer
from foundation.drawing.fonts import font_runs
from foundation.errors import InputError

MOST_PEOPLE = 30
"""Of more, those with most photos together are drawn."""

_INCHES_EACH = 0.42
_MOST_CHARACTERS = 22


def count_matrix(pairs: Sequence[tuple[str, str, int]]) -> tuple[list[str], NDArray[np.int64]]:
    """Return the people with most photos together and ``(n, n)`` int64 how many photos show both, symmetric.

    >>> count_matrix([("Ann", "Bob", 3), ("Bob", "Cy", 1)])
    (['Bob', 'Ann', 'Cy'], array([[0, 3, 1],
           [3, 0, 0],
           [1, 0, 0]]))
    """
    totals: dict[str, int] = {}
    for one, two, n in pairs:
        totals[one], totals[two] = totals.get(one, 0) + n, totals.get(two, 0) + n
    names = sorted(totals, key=lambda name: (-totals[name], name))[:MOST_PEOPLE]
    place = {name: number for number, name in enumerate(names)}
    counts = np.zeros((len(names), len(names)), np.int64)
    for one, two, n in pairs:
        if one in place and two in place:
            counts[place[one], place[two]] = counts[place[two], place[one]] = n
    return names, counts


def save_together(path: Path, pairs: Sequence[tuple[str, str, int]]) -> None:
    """Draw a square for each two people, the darker the more photos show both, with their number.

    Parameters
    ----------
    path : Path
        Its suffix decides the format: .png, .svg, .pdf, .jpg.
    pairs : sequence of (str, str, int)
        Two people, and how many photos show both.

    Raises
    ------
    ValueError
        If there is no pair to draw, or the suffix is no format that can be drawn.
    OSError
        If it cannot be written.
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    if not pairs:
        raise InputError("expected two named people on one photo to draw, found none; name more faces first")
    suffix = path.suffix.lstrip(".").lower() or "png"
    known = FigureCanvasAgg.get_supported_filetypes()
    if suffix not in known:
        raise InputError(f"{path}: expected a picture to draw, such as .png or .svg, got .{suffix}; give another name")
    names, counts = count_matrix(pairs)
    side = 2.2 + _INCHES_EACH * len(names)
    figure = Figure(figsize=(side, side), layout="constrained")
    axes = figure.subplots()
    axes.imshow(counts, cmap="Blues", vmin=0, vmax=counts.max())
    shown = [_shown(name) for name in names]
    fonts = _font_families("".join(shown))
    axes.set_xticks(range(len(names)), shown, rotation=60, ha="right", fontsize=8, fontfamily=fonts)
    axes.set_yticks(range(len(names)), shown, fontsize=8, fontfamily=fonts)
    for row, column in zip(*np.nonzero(counts), strict=True):
        is_dark = counts[row, column] > counts.max() / 2
        axes.text(
            column, row, str(counts[row, column]), ha="center", va="center", fontsize=7, color="w" if is_dark else "k"
        )
    axes.set_title("Photos that show both", fontsize=10)
    stream = io.BytesIO()
    figure.savefig(stream, format=suffix, dpi=150)
    with atomic_writer(path) as file:
        file.write(stream.getvalue())


def _shown(name: str) -> str:
    """Return a name for Matplotlib, which would read what stands between dollar signs as a formula."""
    short = name if len(name) <= _MOST_CHARACTERS else f"{name[: _MOST_CHARACTERS - 1]}…"
    return short.replace("$", r"\$")


def _font_families(text: str) -> list[str]:
    """Return the families, first choice first, in which Matplotlib finds the characters of `text`."""
    from matplotlib import font_manager, rcParams

    families = list(rcParams["font.family"])
    for run in font_runs(text):
        if run.font is None:
            continue
        try:
            font_manager.fontManager.addfont(run.font.path)
            families.append(font_manager.FontProperties(fname=run.font.path).get_name())
        except (OSError, RuntimeError):  # fonts of pictures, which Matplotlib cannot draw
            continue
    return list(dict.fromkeys(families))
