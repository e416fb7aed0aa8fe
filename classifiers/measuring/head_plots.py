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
from foundation.drawing.share_plots import draw_interval, label_logarithmic_shares, label_shares, plot_format
from foundation.text import percent, pluralize

if TYPE_CHECKING:
    from matplotlib.figure import Figure
    from numpy.typing import NDArray

_ONE_FPIR = "0.01"


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

    suffix = plot_format(path)
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
        for fpir, estimate in figures["tpir_at_fpir"].items():
            draw_interval(det_axes, float(fpir), **estimate, colour=line.get_color())
        rank_axes.plot(np.arange(1, MAX_RANK + 1), cmc(ranks, MAX_RANK), style, label=label)
    det_axes.set(xscale="log", title="Open set", xlabel="FPIR: strangers named", ylabel="TPIR: enrolled people found")
    fewest = min(len(scores.stranger_scores) for _, _, scores, _ in curves)
    label_logarithmic_shares(det_axes.xaxis, lowest=1 / fewest)
    rank_axes.set(title="Closed set (CMC)", xlabel="rank", ylabel="probes whose person is among the first")
    rank_axes.set_xticks([1, 5, 10, 15, 20])
    for axes in (det_axes, rank_axes):
        label_shares(axes.yaxis)
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
