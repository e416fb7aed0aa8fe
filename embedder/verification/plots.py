"""ROC and DET curves of one or several verification runs, side by side."""

import io
from collections.abc import Mapping
from pathlib import Path
from typing import IO, TYPE_CHECKING

import numpy as np

from embedder.verification.metrics import det
from foundation.atomic import write_atomically
from foundation.drawing.share_plots import draw_interval, label_logarithmic_shares, label_shares, plot_format
from foundation.text import percent, pluralize

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from embedder.verification.lfw import Verification


def plot_verifications(results: Mapping[str, "Verification"], path: str | Path) -> "Figure":
    """Draw the ROC and DET curves of `results`, by label, into an image file, and return the figure.

    The file's suffix is its format.

    The figure says how many people and pairs it is made of; bars are the 95 % intervals of the TAR.

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
    figure.suptitle(_describe(results), fontsize=10)
    roc_axes, det_axes = figure.subplots(1, 2)
    lowest_far = min(1 / max(1, int((~result.pairs.genuine).sum())) for result in results.values())
    lowest_miss = min(1 / max(1, int(result.pairs.genuine.sum())) for result in results.values())
    # Scales before curves: of a perfect network no point is positive, which is nothing to warn of.
    _prepare(roc_axes, "Receiver operating characteristic", "true accept rate (TAR)", lowest_far=lowest_far)
    _prepare(det_axes, "Detection error trade-off", "false reject rate (1 - TAR)", lowest_far=lowest_far)
    # What happens at the lowest rates is what tells good networks apart.
    lowest_tar = min(float(result.curve.tar[result.curve.far <= lowest_far].max()) for result in results.values())
    roc_axes.set_ylim(min(lowest_tar, 0.98) - 0.02, 1.002)
    label_shares(roc_axes.yaxis)
    det_axes.set_yscale("log")
    label_logarithmic_shares(det_axes.yaxis, lowest=lowest_miss)
    det_axes.set_ylim(lowest_miss / 2, 1)
    equal = np.geomspace(lowest_far, 1, 50)
    det_axes.plot(equal, equal, color="grey", linewidth=0.8, linestyle=":")
    for label, result in results.items():
        _draw_curves(roc_axes, det_axes, result, label=label)
    for axes in (roc_axes, det_axes):
        axes.legend(loc="best", fontsize=8)

    def fill(stream: IO[bytes]) -> None:
        picture = io.BytesIO()
        figure.savefig(picture, format=suffix, dpi=120)
        stream.write(picture.getvalue())

    write_atomically(Path(path).resolve(), fill)
    return figure


def _describe(results: Mapping[str, "Verification"]) -> str:
    """Return what the curves are made of."""
    texts = {}
    for label, result in results.items():
        n_pairs, n_genuine = len(result.pairs), int(result.pairs.genuine.sum())
        texts[label] = (
            f"{pluralize(result.n_people, 'person', 'people')}, {pluralize(n_pairs, 'pair')} ({n_genuine:,} of one "
            f"person), {pluralize(len(result.failures), 'photo')} without a usable face"
        )
    same = set(texts.values())
    lines = same if len(same) == 1 else [f"{label}: {text}" for label, text in texts.items()]
    return "\n".join([*lines, "bars and brackets: 95 % intervals, bootstrapped over people"])


def _roc_label(label: str, result: "Verification") -> str:
    text = f"{label}: AUC {result.auc:.4f}"
    for far, estimate in result.tar_at_far.items():
        text += f"\nTAR {estimate.value:.1%} [{estimate.low:.1%}, {estimate.high:.1%}] at FAR {percent(far)}"
    return text


def _draw_curves(roc_axes: "Axes", det_axes: "Axes", result: "Verification", *, label: str) -> None:
    (line,) = roc_axes.step(result.curve.far, result.curve.tar, where="post", label=_roc_label(label, result))
    for far, estimate in result.tar_at_far.items():
        bar = {"value": estimate.value, "low": estimate.low, "high": estimate.high}
        draw_interval(roc_axes, far, **bar, colour=line.get_color())
    trade_off = det(result.scores, result.pairs.genuine)
    shown = f"{label}: EER {result.eer:.4f}"
    det_axes.step(trade_off.far, trade_off.frr, where="post", color=line.get_color(), label=shown)


def _prepare(axes: "Axes", title: str, y_label: str, *, lowest_far: float) -> None:
    axes.set_title(title)
    axes.set_xlabel("false accept rate (FAR)")
    axes.set_ylabel(y_label)
    axes.set_xscale("log")
    label_logarithmic_shares(axes.xaxis, lowest=lowest_far)
    # Half a step below one accepted pair, so that the curve's first step is seen.
    axes.set_xlim(lowest_far / 2, 1)
    axes.grid(alpha=0.3, which="both")
