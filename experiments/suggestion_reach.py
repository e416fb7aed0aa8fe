"""Which people are proposed for a group of unnamed faces: how often the right one is, and how many others.

    python -m experiments.suggestion_reach TABLE [--people 400] [--draws 8] [--reach R …] [--json FILE]

People of TABLE with four photos and more, and as many with one, are drawn and grouped as `cluster` does. Each group
that is the largest of somebody has that person's name, a quarter of them but for the last question. Asked is

- a smaller group of somebody who has a name: grouping did not find them alike, so these are the hardest;
- half of a person's photos, the other half having the name;
- the group of somebody who has no name: nobody should be proposed.

The nine people whose means are nearest are proposed as far as they lie within reach (`people.suggestions.reach`).
"""

import argparse
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from classifiers.groups.clustering import cluster_faces
from classifiers.groups.similarity import SimilaritySpace, similarity_space
from classifiers.scores.normalization import find_background
from foundation.command_line import EXIT_DONE, run_script, write_json
from people.suggestions.likely import PeopleMeans
from people.suggestions.reach import REACH, PeopleWithinReach

if TYPE_CHECKING:
    from embedder.tables.table import EmbeddingTable

_FEWEST_PHOTOS = 4
_MOST_PHOTOS = 12
"""Of a person, in the question about halves."""

_UNNAMED_SHARE = 0.25

Rows = NDArray[np.int64]
Question = tuple[Rows, str | None]
"""Rows of a group, and whose it is; None where that person has no name."""


class Proposals:
    """What would be proposed among some named people, by the code of the page.

    Parameters
    ----------
    table : EmbeddingTable
    named : dict of str to numpy.ndarray
        The rows of each person.
    n_sets : int
        Groups, people and single faces.
    reaches : sequence of float
    """

    def __init__(self, table: "EmbeddingTable", named: dict[str, Rows], n_sets: int, reaches: Sequence[float]) -> None:
        self._vectors, self._n_sets = table.embeddings, n_sets
        self._names = list(named)
        self._rows = {person: rows.tolist() for person, rows in enumerate(named.values())}
        self._means = PeopleMeans(self._vectors_of)
        self._means.update(self._rows)
        self._within = [PeopleWithinReach(self._vectors_of, space_of(table), reach) for reach in reaches]

    def _vectors_of(self, rows: Sequence[int]) -> NDArray[np.float32]:
        return self._vectors[list(rows)]

    def ask(self, group: Rows) -> tuple[list[str], list[set[str]]]:
        """Return the nearest people to a group, and which of them lie within each reach."""
        vectors = self._vectors[group]
        nearest = {person: self._rows[person] for person, _ in self._means.nearest(vectors)}
        kept = [within.keep(vectors, nearest, n_sets=self._n_sets) for within in self._within]
        return [self._names[person] for person in nearest], [{self._names[one] for one in some} for some in kept]


def space_of(table: "EmbeddingTable") -> Callable[[NDArray[np.float32]], SimilaritySpace]:
    """Return what compares vectors (n, d) of a table as grouping does."""
    background = find_background(table.fingerprint)

    def compare(vectors: NDArray[np.float32]) -> SimilaritySpace:
        return similarity_space(vectors, background, table.fingerprint)

    return compare


def name_groups(identities: NDArray[np.str_], labels: NDArray[np.int64]) -> tuple[dict[str, Rows], list[Question]]:
    """Return the largest group of each person, and the smaller ones of the same people; both of two faces and more."""
    groups = [np.flatnonzero(labels == label) for label in range(labels.max(initial=-1) + 1)]
    named: dict[str, Rows] = {}
    smaller: list[Question] = []
    for rows in sorted((rows for rows in groups if len(rows) > 1), key=len, reverse=True):
        people, counts = np.unique(identities[rows], return_counts=True)
        person = str(people[counts.argmax()])
        if person in named:
            smaller.append((rows, person))
        else:
            named[person] = rows
    return named, smaller


def draw_people(identities: NDArray[np.str_], n_people: int, rng: np.random.Generator) -> NDArray[np.bool_]:
    """Return which rows are of people with `_FEWEST_PHOTOS` photos and more, and of as many people with one."""
    names, counts = np.unique(identities[identities != ""], return_counts=True)
    chosen = [
        rng.choice(some, min(n_people, len(some)), replace=False)
        for some in (names[counts >= _FEWEST_PHOTOS], names[counts == 1])
    ]
    return np.isin(identities, np.concatenate(chosen))


def halve_people(identities: NDArray[np.str_], rng: np.random.Generator) -> tuple[dict[str, Rows], list[Question]]:
    """Return half of the rows of each person who has `_FEWEST_PHOTOS` and more, and the other half as a question."""
    named: dict[str, Rows] = {}
    asked: list[Question] = []
    names, counts = np.unique(identities, return_counts=True)
    for person in names[counts >= _FEWEST_PHOTOS].tolist():
        rows = rng.permutation(np.flatnonzero(identities == person))[:_MOST_PHOTOS]
        named[person] = rows[: len(rows) // 2]
        asked.append((rows[len(rows) // 2 :], person))
    return named, asked


def answer_all(
    table: "EmbeddingTable", named: dict[str, Rows], asked: Sequence[Question], n_sets: int, reaches: Sequence[float]
) -> list[NDArray[np.float64]]:
    """Return for each reach what is proposed to each question.

    Of somebody named, who is among the nearest people, whether that person is; of nobody named how many people are.
    """
    proposals, found = Proposals(table, named, n_sets, reaches), []
    for rows, person in asked:
        nearest, within = proposals.ask(rows)
        if person is None:
            found.append([len(some) for some in within])
        elif person in nearest:
            found.append([person in some for some in within])
    return list(np.array(found, np.float64).reshape(-1, len(reaches)).T)


def measure(
    table: "EmbeddingTable", n_people: int, reaches: Sequence[float], seed: int
) -> dict[str, list[NDArray[np.float64]]]:
    """Ask all three kinds of question about one draw."""
    rng = np.random.default_rng(seed)
    part = table.select(draw_people(np.asarray(table.identities).astype(str), n_people, rng))
    identities = np.asarray(part.identities).astype(str)
    labels = cluster_faces(part.embeddings, space=space_of(part)(part.embeddings)).labels
    named, smaller = name_groups(identities, labels)
    n_sets = len(named) + len(smaller) + int((labels < 0).sum())
    hidden = set(rng.permutation(list(named))[: int(_UNNAMED_SHARE * len(named))].tolist())
    others = {person: rows for person, rows in named.items() if person not in hidden}
    halves, asked_halves = halve_people(identities, rng)
    return {
        "smaller groups": answer_all(part, named, smaller, n_sets, reaches),
        "halves": answer_all(part, halves, asked_halves, n_sets, reaches),
        "nobody named": answer_all(part, others, [(named[person], None) for person in hidden], n_sets, reaches),
    }


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of the script."""
    parser.add_argument("table", metavar="TABLE", help="embedding table of many people")
    parser.add_argument("--people", type=int, default=400, metavar="N", help="people of each kind (400)")
    parser.add_argument("--draws", type=int, default=8, metavar="N", help="random draws (8)")
    parser.add_argument("--reach", type=float, nargs="+", default=[REACH], metavar="R", help=f"({REACH})")
    parser.add_argument("--json", type=Path, metavar="FILE")


def run(arguments: argparse.Namespace) -> int:
    """Measure and print."""
    from embedder.tables.table import EmbeddingTable

    table = EmbeddingTable.read(arguments.table)
    draws = [measure(table, arguments.people, arguments.reach, seed) for seed in range(arguments.draws)]
    report = []
    for place, reach in enumerate(arguments.reach):
        by_kind = {kind: np.concatenate([draw[kind][place] for draw in draws]) for kind in draws[0]}
        smaller, halves, nobody = by_kind.values()
        report.append(
            {
                "reach": reach,
                "n_smaller_groups": len(smaller),
                "smaller_groups_proposed": float(smaller.mean()) if len(smaller) else None,
                "n_halves": len(halves),
                "halves_proposed": float(halves.mean()),
                "n_nobody_named": len(nobody),
                "people_proposed_for_nobody": float(nobody.mean()),
            }
        )
        print(", ".join(f"{name} {value:.4g}" for name, value in report[-1].items() if value is not None))
    if arguments.json is not None:
        write_json(arguments.json, report)
    return EXIT_DONE


def main(argv: Sequence[str] | None = None) -> int:
    """Run the script and return the exit code."""
    return run_script("python -m experiments.suggestion_reach", "Who is proposed.", add_arguments, run, argv=argv)


if __name__ == "__main__":
    sys.exit(main())
