"""What score normalization gains: ``python -m experiments.score_normalization TABLE [--json r.json]``.

Five times the people are split at random into two halves. One half fits the background (or is the cohort), the other
is enrolled with one photo each or plays strangers, as ``python -m classifiers evaluate`` does it. Compared are plain
cosine, the population mean subtracted, adaptive symmetric score normalization (Matejka et al., Interspeech 2017)
against the other half's faces and against draws from its mixture, and the scores of `classifiers.scores.normalization`,
with one of the other half's faces each in place of the mixture and with the mixture itself.
"""

import argparse
import sys
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from classifiers.presets.mixture import fit_background, one_photo_each
from classifiers.scores.gallery import Gallery
from classifiers.scores.normalization import Background
from classifiers.training.evaluation import FPIRS, Split, split_people
from classifiers.training.metrics import threshold_at_fpir
from experiments.fit_background import gallery_of
from foundation.command_line import EXIT_DONE, run_script, write_json

N_HALVES = 5

# The adaptive cohort as a share of 2,019 faces, and of 20,000 draws: what found most when tried on these halves.
_COHORT_SHARE_OF_FACES = 0.05
_COHORT_SHARE_OF_DRAWS = 0.01
_N_DRAWS = 20_000

Scores = NDArray[np.floating]
Method = Callable[[NDArray[np.float32], NDArray[np.float32]], Scores]


def draw_faces(background: Background, n_draws: int, rng: np.random.Generator) -> NDArray[np.float32]:
    """Return unit vectors drawn from a background's mixture, its residual variance added back."""
    parts = rng.choice(len(background.weights), size=n_draws, p=background.weights / background.weights.sum())
    noise = rng.normal(size=(n_draws, background.means.shape[1]))
    inside = background.means[parts] + noise * np.sqrt(background.variances[parts])
    around = rng.normal(size=(n_draws, background.components.shape[1])) * np.sqrt(background.residual_variance)
    around -= around @ background.components.T @ background.components
    draws = inside @ background.components + around
    return (draws / np.linalg.norm(draws, axis=1, keepdims=True)).astype(np.float32)


def symmetric_norm(cohort: NDArray[np.float32], share: float) -> Method:
    """Return adaptive symmetric score normalization against the most similar `share` of a cohort."""
    n_top = max(10, int(share * len(cohort)))

    def statistics(rows: NDArray[np.float32]) -> tuple[Scores, Scores]:
        top = -np.partition(-(rows @ cohort.T), n_top, axis=1)[:, :n_top]
        return top.mean(axis=1), top.std(axis=1)

    def score(probes: NDArray[np.float32], exemplars: NDArray[np.float32]) -> Scores:
        cosines = probes @ exemplars.T
        (probe_mean, probe_spread), (mean, spread) = statistics(probes), statistics(exemplars)
        by_probe = (cosines - probe_mean[:, None]) / probe_spread[:, None]
        return 0.5 * (by_probe + (cosines - mean) / spread)

    return score


def soft_maximum(level: Callable[[NDArray[np.float32]], NDArray[Any]]) -> Method:
    """Return the centred cosine less half of both levels."""
    return lambda probes, exemplars: (
        probes @ exemplars.T - 0.5 * level(probes)[:, None] - 0.5 * level(exemplars)[None, :]
    )


def level_of_faces(cohort: NDArray[np.float32], temperature: float) -> Callable[[NDArray[np.float32]], NDArray[Any]]:
    """Return the soft maximum over the faces of a cohort themselves."""
    return lambda rows: temperature * np.log(np.mean(np.exp(rows @ cohort.T / temperature), axis=1))


def find_rates(scores: Scores, gallery: Gallery, split: Split) -> dict[str, float]:
    """Return rank-1 and TPIR at FPIR of scores whose rows are the split's mated probes, then its strangers."""
    names = gallery.identities[split.enrolled]
    best, n_mated = scores.argmax(axis=1)[: len(split.mated)], len(split.mated)
    correct = names[best] == gallery.identities[split.mated]
    top = scores.max(axis=1)
    found = {
        f"tpir_at_fpir_{fpir:g}": float(np.mean(correct & (top[:n_mated] >= threshold_at_fpir(top[n_mated:], fpir))))
        for fpir in FPIRS
    }
    return {"rank1": float(correct.mean()), **found}


def compare_on_half(gallery: Gallery, *, seed: int) -> dict[str, dict[str, float]]:
    """Return the rates of every method on one random half of the people."""
    people = np.random.default_rng(seed).permutation(len(gallery.labels))
    fitted = np.isin(gallery.codes, people[: len(people) // 2])
    others, tested = gallery.selected(fitted), gallery.selected(~fitted)
    one_each = others.vectors[one_photo_each(others)]
    background = fit_background(one_each)
    faces = background.center(one_each)
    draws = draw_faces(background, _N_DRAWS, np.random.default_rng(seed))
    split = split_people(tested, 1)
    probes = tested.vectors[np.concatenate([split.mated, split.strangers])]
    exemplars = tested.vectors[split.enrolled]
    methods: dict[str, Method] = {
        "mean subtracted": lambda left, right: left @ right.T,
        "adaptive s-norm, real faces": symmetric_norm(faces, _COHORT_SHARE_OF_FACES),
        "adaptive s-norm, 20,000 draws": symmetric_norm(draws, _COHORT_SHARE_OF_DRAWS),
        "soft maximum, real faces": soft_maximum(level_of_faces(faces, background.temperature)),
        "soft maximum, mixture (shipped)": soft_maximum(background.level),
    }
    centred = background.center(probes), background.center(exemplars)
    rates = {"cosine": find_rates(probes @ exemplars.T, tested, split)}
    return rates | {name: find_rates(method(*centred), tested, split) for name, method in methods.items()}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of the script."""
    parser.add_argument("table", metavar="TABLE", help="embedding table of many people")
    parser.add_argument("--json", metavar="FILE", help="write the figures of all halves to FILE")


def run(arguments: argparse.Namespace) -> int:
    """Compare the methods on five halves and print the means."""
    from embedder.tables.table import EmbeddingTable

    gallery = gallery_of(EmbeddingTable.read(arguments.table))
    halves = [compare_on_half(gallery, seed=seed) for seed in range(N_HALVES)]
    print("| score | rank 1 | TPIR at FPIR 1 % | TPIR at FPIR 10 % | at FPIR 1 %, each half |")
    print("| --- | --- | --- | --- | --- |")
    for name in halves[0]:
        means = [np.mean([half[name][key] for half in halves]) for key in halves[0][name]]
        each = " ".join(f"{half[name]['tpir_at_fpir_0.01']:.1%}" for half in halves)
        print(f"| {name} | " + " | ".join(f"{mean:.1%}" for mean in means) + f" | {each} |")
    if arguments.json is not None:
        write_json(arguments.json, halves)
    return EXIT_DONE


def main(argv: Sequence[str] | None = None) -> int:
    """Run the script and return the exit code."""
    return run_script(
        "python -m experiments.score_normalization", "What score normalization gains.", add_arguments, run, argv=argv
    )


if __name__ == "__main__":
    sys.exit(main())
