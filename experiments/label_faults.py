"""Are wrong labels found, and right ones left alone? ``python -m experiments.label_faults TABLE [--json r.json]``.

Three things are counted on a table whose labels are right, such as LFW's. How many wrong labels stand among the twenty
most suspicious ones, when ten photos of a set of 60 people are put under other names, one by one or two of a person
together (the mean of ten sets). How often training asks whether two people are one: among all people, and in a hundred
tables of 30 people. How often it asks when there is cause: 30 people, each split into two names with 1, 3 or 10 photos.
"""

import argparse
import sys
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from classifiers.scores.gallery import Gallery
from classifiers.scores.matcher import Matcher
from classifiers.scores.normalization import Background, choose_background
from classifiers.scores.thresholds import ThresholdCurve, curve_for
from classifiers.training.suspicious_labels import suspicious_labels
from classifiers.training.two_names import same_person_questions, two_name_pairs
from experiments.fit_background import gallery_of
from foundation.command_line import EXIT_DONE, run_script, write_json

N_SETS = 10
N_TABLES = 100
PHOTOS_PER_NAME = (1, 3, 10)

_N_PEOPLE = 60
_N_IN_FAMILY = 30
_N_WRONG = 10
_MOST_PHOTOS = 10


def some_people(gallery: Gallery, n_people: int, rng: np.random.Generator, *, at_least: int) -> Gallery:
    """Return up to ten random photos of each of `n_people` random people who have `at_least` so many."""
    most = max(at_least, _MOST_PHOTOS)
    people = rng.permutation(np.flatnonzero(np.bincount(gallery.codes) >= at_least))[:n_people]
    rows = [rng.permutation(np.flatnonzero(gallery.codes == person))[:most] for person in people]
    return gallery.selected(np.concatenate(rows))


def misfile(gallery: Gallery, rng: np.random.Generator, *, together: int) -> tuple[Gallery, NDArray[np.bool_]]:
    """Return a gallery in which ten photos bear other names, `together` of a person the same, and which they are."""
    names, wrong = gallery.identities.copy(), np.zeros(len(gallery), np.bool_)
    people = rng.permutation(len(gallery.labels))
    for person, other in zip(people[: _N_WRONG // together], people[::-1], strict=False):
        rows = rng.permutation(np.flatnonzero(gallery.codes == person))[:together]
        names[rows], wrong[rows] = gallery.labels[other], True
    hashes = [f"{row:064x}" for row in range(len(names))]
    return Gallery.build(gallery.vectors, names, paths=gallery.paths, image_sha256=hashes), wrong


def share_found(gallery: Gallery, background: Background | None, seed: int, *, together: int) -> float:
    """Return which share of the wrong labels of a set stands among the twenty most suspicious."""
    rng = np.random.default_rng([seed, together])
    misfiled, wrong = misfile(some_people(gallery, _N_PEOPLE, rng, at_least=5), rng, together=together)
    found = [label.row for label in suspicious_labels(Matcher(misfiled, background))]
    return float(wrong[found].sum() / wrong.sum())


def n_questions(gallery: Gallery, background: Background | None, curve: ThresholdCurve) -> int:
    """Return how many pairs of people training would ask about."""
    lines = same_person_questions(Matcher(gallery, background), curve.at(len(gallery)))
    return len(lines) if len(lines) <= 10 else 10 + int(lines[-1].split(" ")[0].replace(",", ""))


def share_asked(gallery: Gallery, background: Background | None, curve: ThresholdCurve, *, per_name: int) -> float:
    """Return which share of 30 people split into two names training asks about."""
    rng = np.random.default_rng(per_name)
    asked = []
    for person in rng.permutation(np.flatnonzero(np.bincount(gallery.codes) >= 2 * per_name))[:_N_IN_FAMILY]:
        rows = rng.permutation(np.flatnonzero(gallery.codes == person))[: 2 * per_name]
        halves = Gallery.build(gallery.vectors[rows], ["one"] * per_name + ["other"] * per_name)
        threshold = curve.at(_N_IN_FAMILY * 2 * per_name)
        asked.append(len(same_person_questions(Matcher(halves, background), threshold)))
    return float(np.mean(asked))


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of the script."""
    parser.add_argument("table", metavar="TABLE", help="embedding table of many people, such as LFW's")
    parser.add_argument("--no-background", action="store_true", help="plain cosine")
    parser.add_argument("--json", metavar="FILE", help="write the figures to FILE")


def run(arguments: argparse.Namespace) -> int:
    """Count and print."""
    from embedder.tables.table import EmbeddingTable

    table = EmbeddingTable.read(arguments.table)
    gallery = gallery_of(table)
    background = choose_background(table.fingerprint, none=arguments.no_background)
    curve = curve_for(table.fingerprint, background)
    pairs = two_name_pairs(gallery)
    record: dict[str, Any] = {"two_names": [[str(path) for path in gallery.paths[pair]] for pair in pairs]}
    print(f"faces with two names: {record['two_names']}")
    for together in (1, 2):
        shares = [share_found(gallery, background, seed, together=together) for seed in range(N_SETS)]
        record[f"found_{together}"] = shares
        print(f"wrong labels found, {together} together: {np.mean(shares):.3f} ± {np.std(shares):.3f}")
    if curve is not None:
        families = [
            n_questions(some_people(gallery, _N_IN_FAMILY, np.random.default_rng(seed), at_least=2), background, curve)
            for seed in range(N_TABLES)
        ]
        record |= {"questions": n_questions(gallery, background, curve), "questions_of_30": families}
        print(
            f"questions: {record['questions']} among {len(gallery.labels):,} people, {sum(families)} in {N_TABLES} "
            f"tables of {_N_IN_FAMILY} people"
        )
        for per_name in PHOTOS_PER_NAME:
            record[f"asked_{per_name}"] = share_asked(gallery, background, curve, per_name=per_name)
            print(f"one person under two names, {per_name} photos each: {record[f'asked_{per_name}']:.3f} asked about")
    if arguments.json is not None:
        write_json(arguments.json, record)
    return EXIT_DONE


def main(argv: Sequence[str] | None = None) -> int:
    """Run the script and return the exit code."""
    return run_script(
        "python -m experiments.label_faults",
        "Are wrong labels found, and right ones left alone?",
        add_arguments,
        run,
        argv=argv,
    )


if __name__ == "__main__":
    sys.exit(main())
