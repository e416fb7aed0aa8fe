"""DET and CMC curves of heads: how many enrolled people are missed where few strangers are named."""

import io
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from classifiers.measuring.head_sheets import MAX_RANK
from classifiers.training.evaluation import ProbeScores
from classifiers.training.metrics import cmc, identification_det
from foundation.atomic import write_bytes_atomically
from foundation.errors import InputError
from foundation.text import percent, pluralize

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from numpy.typing import NDArray

_ONE_FPIR = "0.01"


def head_plot_format(path: Path) -> str:
    """Return the image format that a suffix names.

    Raises
    ------
    ValueError
        If it is none that can be drawn.
    """
    from matplotlib.figure import Figure

    suffix = path.suffix.lower().lstrip(".")
    if suffix not in Figure().canvas.get_supported_filetypes():
        raise InputError(f"{path}: expected a suffix such as .png, .pdf or .svg, got {suffix!r}")
    return suffix


def plot_heads(
    curves: Sequence[tuple[str, dict[str, Any], ProbeScores, "NDArray[np.int64]"]], path: Path, *, title: str
) -> "Figure":
    """Draw DET and CMC curves into an image file, and return the figure.

    Parameters
    ----------
    curves : sequence of tuples
        Label, figures (as `classifiers.training.evaluation.summarize_scores` gives them), scores and ranks of each.
    path : Path
        The file to write; its suffix (png, svg, pdf) is its format.
    title : str
        What the heads were tried on.

    Raises
    ------
    ValueError
        If the suffix is no format that can be drawn.
    OSError
        If the file cannot be written.
    """
    from matplotlib.figure import Figure
    from matplotlib.ticker import LogLocator, NullFormatter

    suffix = head_plot_format(path)
    figure = Figure(figsize=(12, 5.5), layout="constrained")
    figure.suptitle(f"{title}\nbars and brackets: 95 % intervals, bootstrapped over people", fontsize=10)
    det_axes, rank_axes = figure.subplots(1, 2)
    for label, figures, scores, ranks in curves:
        style = "--" if "cosine" in label else "-"
        curve = identification_det(scores.mated_scores, scores.mated_correct, scores.stranger_scores)
        tpir = figures["tpir_at_fpir"][_ONE_FPIR]
        value, low, high = (percent(round(tpir[key], 3)) for key in ("value", "low", "high"))
        said = f"{label}: TPIR {value} [{low}, {high}] at FPIR 1 %"
        seen = curve.fpir > 0
        (line,) = det_axes.plot(curve.fpir[seen], 1 - curve.fnir[seen], style, label=said, drawstyle="steps-post")
        _draw_intervals(det_axes, figures, colour=line.get_color())
        rank_axes.plot(np.arange(1, MAX_RANK + 1), cmc(ranks, MAX_RANK), style, label=label)
    det_axes.set(xscale="log", title="Open set", xlabel="FPIR: strangers named", ylabel="TPIR: enrolled people found")
    fewest = min(len(scores.stranger_scores) for _, _, scores, _ in curves)
    det_axes.xaxis.set_major_locator(LogLocator(subs=(1, 2, 5) if fewest < 1000 else (1,)))
    det_axes.xaxis.set_major_formatter(lambda share, _: percent(share))
    det_axes.xaxis.set_minor_formatter(NullFormatter())
    rank_axes.set(title="Closed set (CMC)", xlabel="rank", ylabel="probes whose person is among the first")
    rank_axes.set_xticks([1, 5, 10, 15, 20])
    for axes in (det_axes, rank_axes):
        axes.yaxis.set_major_formatter(lambda share, _: percent(round(share, 6)))
        axes.grid(visible=True, alpha=0.3)
        axes.legend(fontsize=7, loc="lower right")
    picture = io.BytesIO()
    figure.savefig(picture, format=suffix, dpi=120)
    path.resolve().parent.mkdir(parents=True, exist_ok=True)
    write_bytes_atomically(path.resolve(), picture.getvalue())
    return figure


def describe_probes(n_enrolled: int, scores: ProbeScores) -> str:
    """Return how many people and photos the curves of `scores` are made of."""
    n_strangers = len(np.unique(scores.stranger_identities))
    return (
        f"{pluralize(n_enrolled, 'person', 'people')} enrolled and "
        f"{pluralize(len(scores.mated_scores), 'photo')} of them, "
        f"{pluralize(n_strangers, 'stranger')} on {pluralize(len(scores.stranger_scores), 'photo')}"
    )


def _draw_intervals(axes: "Axes", figures: dict[str, Any], *, colour: Any) -> None:
    for fpir, estimate in figures["tpir_at_fpir"].items():
        below, above = estimate["value"] - estimate["low"], estimate["high"] - estimate["value"]
        axes.errorbar([float(fpir)], [estimate["value"]], [[below], [above]], color=colour, fmt="o", ms=3, capsize=3)
