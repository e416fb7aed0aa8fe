"""Do heads find people with few photos beside people with hundreds? ``python -m experiments.unbalanced_photos TABLE``.

Ten random sets of each kind: people with 1 to 300 photos each; one person with hundreds beside a hundred with one;
balanced sets; balanced sets in which a tenth of the photos bear another person's name. Up to ten further photos of
everybody are looked for. Found are those that get the right name at the threshold that 1 % of strangers reach in a
gallery. People with a single photo, who are in no set, fit the background model (one half) and play the strangers (the
other). `knn` and `svm` as they were before they were balanced stand beside them.
"""

import argparse
import sys
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

from classifiers.heads.decision_rules import DecisionRule, VotingRule
from classifiers.heads.head import Head
from classifiers.heads.open_set import fit_decision_rule
from classifiers.heads.registry import make_head
from classifiers.presets.mixture import fit_background
from classifiers.scores.gallery import Gallery
from classifiers.scores.matcher import Matcher
from classifiers.scores.normalization import Background
from experiments.fit_background import gallery_of
from foundation.command_line import EXIT_DONE, run_script, write_json
from foundation.errors import InputError

N_SETS = 10

# People of a set of mixed numbers, how many of them have very many photos, and from where on that is.
_N_PEOPLE = 60
_N_CROWDS = 6
_CROWD = 40
_MOST_PHOTOS = 300
_MOST_OF_OTHERS = 10

_N_BALANCED = 93
_N_WITH_ONE = 100
_MOST_PROBES = 10
_SHARE_WRONG = 0.1
_FPIR = 0.01

Rows = NDArray[np.int64]
DrawSet = Callable[[Gallery, np.random.Generator], tuple[Rows, Rows]]
"""Draws a set from a gallery: rows that are enrolled, rows that are looked for."""

RULES: dict[str, Callable[[Matcher], DecisionRule]] = {
    "gallery": lambda matcher: fit_decision_rule(make_head("gallery"), matcher),
    "knn": lambda matcher: fit_decision_rule(make_head("knn"), matcher),
    "knn before": lambda _: VotingRule(5),
    "svm": lambda matcher: fit_decision_rule(make_head("svm"), matcher),
    "svm before": lambda matcher: fit_decision_rule(make_head("sklearn.svm.SVC", {"kernel": "linear"}), matcher),
}


def draw_mixed(gallery: Gallery, rng: np.random.Generator) -> tuple[Rows, Rows]:
    """Return a set of people with 1 to 300 photos: a few with all but the ones looked for, the others with 1 to 10."""
    counts = np.bincount(gallery.codes)
    crowds = rng.permutation(np.flatnonzero(counts >= _CROWD))[:_N_CROWDS]
    others = rng.permutation(np.setdiff1d(np.flatnonzero(counts >= 2), crowds))[: _N_PEOPLE - len(crowds)]
    n_enrolled = np.minimum(counts - 1, _MOST_PHOTOS)
    few = np.exp(rng.uniform(0.0, np.log(_MOST_OF_OTHERS + 1), len(others))).astype(np.int64)
    n_enrolled[others] = np.minimum(counts[others] - 1, few)
    return _take(gallery, np.concatenate([crowds, others]), n_enrolled, rng=rng)


def draw_crowd(gallery: Gallery, rng: np.random.Generator) -> tuple[Rows, Rows]:
    """Return a set of one person with up to 300 photos and a hundred people with one."""
    counts = np.bincount(gallery.codes)
    crowd = rng.choice(np.flatnonzero(counts >= min(100, counts.max())))
    others = rng.permutation(np.setdiff1d(np.flatnonzero(counts >= 2), [crowd]))[:_N_WITH_ONE]
    n_enrolled = np.ones(len(counts), np.int64)
    n_enrolled[crowd] = min(counts[crowd] - 1, _MOST_PHOTOS)
    return _take(gallery, np.append(others, crowd), n_enrolled, rng=rng)


def draw_balanced(gallery: Gallery, rng: np.random.Generator, *, per_person: int) -> tuple[Rows, Rows]:
    """Return a set of up to 93 people with `per_person` photos each."""
    counts = np.bincount(gallery.codes)
    people = rng.permutation(np.flatnonzero(counts > per_person))[:_N_BALANCED]
    return _take(gallery, people, np.full(len(counts), per_person), rng=rng)


def try_gallery(
    enrolled: Gallery, probes: Gallery, strangers: Gallery, *, background: Background | None
) -> dict[str, Any]:
    """Return for each rule ``{"rank1", "found"}``, shares of `probes` named rightly: at all, and at the threshold."""
    matcher = Matcher(enrolled, background)
    of_strangers = matcher.nearest(matcher.prepare(strangers.vectors)).similarities[:, 0]
    threshold = float(np.quantile(of_strangers, 1.0 - _FPIR))
    shares = {}
    for name, fit in RULES.items():
        match = Head(matcher, fit(matcher), threshold).match(probes.vectors)
        is_right = match.identities == probes.identities
        shares[name] = {
            "rank1": float(is_right.mean()),
            "found": float(np.mean(is_right & (match.scores >= threshold))),
        }
    return shares


def mislabel(enrolled: Gallery, rng: np.random.Generator) -> Gallery:
    """Return a gallery in which a tenth of the photos bear the name of another photo."""
    wrong = rng.random(len(enrolled)) < _SHARE_WRONG
    names = np.where(wrong, rng.permutation(enrolled.identities), enrolled.identities)
    return Gallery.build(enrolled.vectors, names)


def format_row(kind: str, rule: str, results: Sequence[dict[str, Any]]) -> str:
    """Return one row of the Markdown table: mean and spread over the sets, and the difference to the gallery."""
    cells = [kind, rule]
    for figure in ("rank1", "found"):
        values = np.array([result[rule][figure] for result in results])
        less = values - np.array([result["gallery"][figure] for result in results])
        cells += [f"{values.mean():.3f} ± {values.std():.3f}", f"{less.mean():+.4f} ({less.min():+.4f})"]
    return "| " + " | ".join(cells) + " |"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of the script."""
    parser.add_argument("table", metavar="TABLE", help="embedding table of many people, such as LFW's")
    parser.add_argument("--seed", type=int, default=0, help="of the sets")
    parser.add_argument("--json", metavar="FILE", help="write the figures to FILE")


def run(arguments: argparse.Namespace) -> int:
    """Draw the sets, try the rules, and print a table."""
    from embedder.tables.table import EmbeddingTable

    everybody = gallery_of(EmbeddingTable.read(arguments.table))
    alone = np.bincount(everybody.codes)[everybody.codes] == 1
    if not alone.any() or alone.all():
        raise InputError(f"{arguments.table}: expected people with one photo and people with more; use a larger table")
    lone, gallery = everybody.selected(alone), everybody.selected(~alone)
    fits = np.random.default_rng(arguments.seed).permutation(len(lone)) % 2 == 0
    background, strangers = fit_background(lone.vectors[fits]), lone.selected(~fits)
    kinds: dict[str, tuple[DrawSet, bool]] = {
        "1 to 300 photos": (draw_mixed, False),
        "one with hundreds, others with 1": (draw_crowd, False),
        **{f"{n} each": (partial(draw_balanced, per_person=n), False) for n in (1, 3, 10)},
        "10 each, a tenth mislabelled": (partial(draw_balanced, per_person=10), True),
    }
    print("| photos of a person | head | rank 1 | less the gallery's: mean (worst) | found | less the gallery's |")
    print("| --- | --- | --- | --- | --- | --- |")
    record: dict[str, Any] = {}
    for kind, (draw, wrong) in kinds.items():
        results = []
        for number in tqdm(range(N_SETS), desc=kind, unit="set", disable=None, leave=False):
            rng = np.random.default_rng([arguments.seed, number])
            rows, probes = draw(gallery, rng)
            enrolled = mislabel(gallery.selected(rows), rng) if wrong else gallery.selected(rows)
            results.append(try_gallery(enrolled, gallery.selected(probes), strangers, background=background))
        record[kind] = results
        print("\n".join(format_row(kind, rule, results) for rule in RULES))
    if arguments.json is not None:
        write_json(arguments.json, record)
    return EXIT_DONE


def main(argv: Sequence[str] | None = None) -> int:
    """Run the script and return the exit code."""
    return run_script(
        "python -m experiments.unbalanced_photos",
        "Do heads find people with few photos beside people with hundreds?",
        add_arguments,
        run,
        argv=argv,
    )


def _take(gallery: Gallery, people: Rows, n_enrolled: Rows, *, rng: np.random.Generator) -> tuple[Rows, Rows]:
    """Return random rows of `people` to enrol, `n_enrolled` (by code) of each, and up to ten others to look for."""
    enrolled, probes = [], []
    for person in people:
        rows = rng.permutation(np.flatnonzero(gallery.codes == person))
        enrolled.append(rows[: n_enrolled[person]])
        probes.append(rows[n_enrolled[person] :][:_MOST_PROBES])
    return np.concatenate(enrolled), np.concatenate(probes)


if __name__ == "__main__":
    sys.exit(main())
