"""Curves of shares, such as DET and ROC: the format of their file, and axes in percent."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

from foundation.errors import InputError
from foundation.text import percent

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.axis import Axis


def plot_format(path: str | Path) -> str:
    """Return the image format that the suffix of `path` names.

    Raises
    ------
    InputError
        If it is none that can be drawn.
    """
    from matplotlib.figure import Figure

    suffix = Path(path).suffix.lower().lstrip(".")
    if suffix not in Figure().canvas.get_supported_filetypes():
        raise InputError(f"{path}: expected a suffix such as .png, .pdf or .svg, got {suffix!r}")
    return suffix


def label_logarithmic_shares(axis: "Axis", *, lowest: float) -> None:
    """Write 1 %, 10 %, 100 % at a logarithmic axis, 2 % and 5 % too where it is short.

    Parameters
    ----------
    axis : matplotlib.axis.Axis
    lowest : float
        The lowest share above 0 that the axis can show.
    """
    from matplotlib.ticker import LogLocator, NullFormatter

    axis.set_major_locator(LogLocator(subs=(1, 2, 5) if lowest > 1e-3 else (1,)))
    axis.set_major_formatter(lambda share, _: percent(share))
    axis.set_minor_formatter(NullFormatter())


def label_shares(axis: "Axis") -> None:
    """Write percent at a linear axis."""
    axis.set_major_formatter(lambda share, _: percent(round(share, 6)))


def draw_interval(axes: "Axes", at: float, *, value: float, low: float, high: float, colour: Any) -> None:
    """Draw a share with the bar of its interval."""
    axes.errorbar([at], [value], [[value - low], [high - value]], color=colour, fmt="o", ms=3, capsize=3)
