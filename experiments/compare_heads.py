"""All heads on the same people: ``python -m experiments.compare_heads TABLE [--plot heads.png] [--json r.json]``.

A random half of the people fits the background model; the others are enrolled with 1, 3 or 10 photos each, or play
strangers, as ``python -m classifiers evaluate`` does it. Times are of one fit and of one probe among many, on this
machine.
"""

import argparse
import sys
import time
from collections.abc import Sequence
from typing import Any

import numpy as np

from classifiers.heads.head import Head
from classifiers.heads.open_set import fit_decision_rule
from classifiers.heads.registry import HEADS, make_head
from classifiers.presets.mixture import N_COMPONENTS, fit_background, one_photo_each
from classifiers.scores.gallery import Gallery
from classifiers.scores.matcher import Matcher
from classifiers.scores.normalization import Background
from classifiers.training.evaluation import ProbeScores, score_probes, split_people, summarize_scores
from classifiers.training.metrics import cmc, identification_det, mated_ranks
from experiments.fit_background import gallery_of
from foundation.command_line import EXIT_DONE, run_script, write_json

PHOTOS_PER_PERSON = (1, 3, 10)

_MAX_RANK = 20

Curves = dict[str, tuple[ProbeScores, np.ndarray]]


def try_head(
    name: str, gallery: Gallery, *, per_person: int, background: Background | None
) -> tuple[dict[str, Any], ProbeScores, Head]:
    """Return the figures of one head, what it said about every probe, and the head."""
    split = split_people(gallery, per_person)
    matcher = Matcher(gallery.selected(split.enrolled), background)
    start = time.perf_counter()
    decision_rule = fit_decision_rule(make_head(name), matcher)
    fitted = time.perf_counter()
    head = Head(matcher, decision_rule, 0.0, name=name)
    scores = score_probes(head, gallery, split)
    n_probes = len(split.mated) + len(split.strangers)
    figures = {
        "head": name,
        "per_person": per_person,
        "score": head.score_kind,
        "gallery_size": len(head.labels),
        **summarize_scores(scores),
        "fit_s": fitted - start,
        "query_ms": (time.perf_counter() - fitted) / n_probes * 1000,
    }
    return figures, scores, head


def compare(gallery: Gallery, background: Background) -> tuple[list[dict[str, Any]], Curves]:
    """Return the figures of every head, and the outcomes and ranks of both scores at one photo each."""
    results: list[dict[str, Any]] = []
    curves: Curves = {}
    for per_person in PHOTOS_PER_PERSON:
        figures, scores, head = try_head("gallery", gallery, per_person=per_person, background=None)
        results.append(figures)
        curves[f"cosine, {per_person} each"] = scores, ranks_of(head, gallery, per_person)
        for name in HEADS:
            figures, scores, head = try_head(name, gallery, per_person=per_person, background=background)
            results.append(figures)
            if name == "gallery":
                curves[f"normalized, {per_person} each"] = scores, ranks_of(head, gallery, per_person)
    return results, curves


def ranks_of(head: Head, gallery: Gallery, per_person: int) -> np.ndarray:
    """Return at which place, from 1, the right person comes for each mated probe."""
    mated = split_people(gallery, per_person).mated
    return mated_ranks(head.similarity(gallery.vectors[mated]), gallery.identities[mated], head.labels)


def format_row(figures: dict[str, Any]) -> str:
    """Return one row of the Markdown table."""

    def rate(estimate: dict[str, float]) -> str:
        return f"{estimate['value']:.3f} [{estimate['low']:.3f}, {estimate['high']:.3f}]"

    rates = [figures["rank1"], *figures["tpir_at_fpir"].values()]
    cells = [
        str(figures["per_person"]),
        figures["head"],
        figures["score"],
        *map(rate, rates),
        f"{figures['fit_s']:.2f}",
        f"{figures['query_ms']:.2f}",
    ]
    return "| " + " | ".join(cells) + " |"


def draw_curves(curves: Curves, path: str) -> None:
    """Draw DET and CMC curves of both scores at each number of photos."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(11, 4.5), layout="constrained")
    det, ranks = figure.subplots(1, 2)
    for label, (scores, places) in curves.items():
        style = "--" if label.startswith("cosine") else "-"
        curve = identification_det(scores.mated_scores, scores.mated_correct, scores.stranger_scores)
        seen = curve.fpir > 0
        det.plot(curve.fpir[seen], curve.fnir[seen], style, label=label)
        ranks.plot(np.arange(1, _MAX_RANK + 1), cmc(places, _MAX_RANK), style, label=label)
    det.set(xscale="log", yscale="log", title="DET", xlabel="FPIR: strangers named", ylabel="FNIR: enrolled not found")
    ranks.set(title="CMC", xlabel="rank", ylabel="share of probes whose person is among the first")
    for axes in (det, ranks):
        axes.grid(True, alpha=0.3)
        axes.legend(fontsize=8)
    figure.savefig(path, dpi=120)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of the script."""
    parser.add_argument("table", metavar="TABLE", help="embedding table of many people")
    parser.add_argument("--seed", type=int, default=0, help="of the half that fits the background model")
    parser.add_argument("--components", type=int, default=N_COMPONENTS, metavar="N", help="of the background model")
    parser.add_argument("--plot", metavar="FILE", help="draw DET and CMC curves")
    parser.add_argument("--json", metavar="FILE", help="write the figures to FILE")


def run(arguments: argparse.Namespace) -> int:
    """Compare all heads and print a table."""
    from embedder.tables.table import EmbeddingTable

    gallery = gallery_of(EmbeddingTable.read(arguments.table))
    people = np.random.default_rng(arguments.seed).permutation(len(gallery.labels))
    fitted = np.isin(gallery.codes, people[: len(people) // 2])
    others = gallery.selected(fitted)
    background = fit_background(others.vectors[one_photo_each(others)], n_components=arguments.components)
    results, curves = compare(gallery.selected(~fitted), background)
    print("| photos each | head | score | rank 1 | TPIR at FPIR 1 % | TPIR at FPIR 10 % | fit (s) | probe (ms) |")
    print("| --- | --- | --- | --- | --- | --- | --- | --- |")
    print("\n".join(map(format_row, results)))
    if arguments.plot is not None:
        draw_curves(curves, arguments.plot)
    if arguments.json is not None:
        write_json(arguments.json, results)
    return EXIT_DONE


def main(argv: Sequence[str] | None = None) -> int:
    """Run the script and return the exit code."""
    return run_script(
        "python -m experiments.compare_heads", "All heads on the same people.", add_arguments, run, argv=argv
    )


if __name__ == "__main__":
    sys.exit(main())
