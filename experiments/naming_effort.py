"""How much a person has to say until the faces of an archive have their names: questions, naming by hand, the CSV.

    python -m experiments.naming_effort lfw.h5 [--seeds 5] [--people N] [--json FILE]

A user who knows the truth plays all three ways on the same faces. *Half*: random halves of the table's people; those
with two photos or more are to be named, somebody's only photo is right as long as it has no wrong name. *Family*: the
twelve people with the most photos are to be named, 150 bystanders with one to five photos are not; *albums*: the same,
until 99 of 100 faces of each of the twelve are right, and not only of all faces. Each thing the user looks at and
answers counts as one: a group that gets a name or is said to be nobody's, a question, a face in a group that is not
whom the others are. It ends when 99 of 100 faces are right. The background model is fitted on people outside the
archive.

By hand, groups are named from the largest to single faces, until enough is right or, as nobody can know when that is,
every group. With the CSV the faces are also grouped again with the names so far, first after all groups of several
faces. With questions the user takes what probably settles most: the largest group, by how many of the last twenty were
of somebody to be named, or the first questions of ``facetable people suggest``, one after the other. With *pages* they
are answered together, as ``people WS answer ID ID ... yes`` takes them: each is set to its likelier answer, and what is
said is each that is not so, and once that all others are. Who is asked whether two sets without a name are one person
may say the name at once, which is the answer, too. How many questions were looked at is counted beside that.
"""

import argparse
import sys
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from embedder.tables.table import EmbeddingTable
from experiments.fit_background import fit_background, gallery_of, one_photo_each
from experiments.naming_user import WAYS, Archive, Effort
from foundation.command_line import EXIT_DONE, run_script, write_json

ARCHIVES = ("half", "family", "albums")
N_FAMILY, N_BYSTANDERS, MOST_PHOTOS = 12, 150, 5


def draw_half(table: EmbeddingTable, seed: int, n_people: int | None) -> Archive:
    """Return the faces of a random half of the people, of `n_people` of them where that is fewer."""
    people = np.unique(table.identities)
    chosen = np.random.default_rng(seed).permutation(people)[: len(people) // 2]
    rows = np.isin(table.identities, chosen if n_people is None else chosen[:n_people])
    counts = Counter(table.identities[rows])
    wanted = np.array([counts[name] > 1 for name in table.identities[rows]])
    return _archive(table, rows, wanted, outside=~np.isin(table.identities, chosen), seed=seed)


def draw_family(table: EmbeddingTable, seed: int) -> Archive:
    """Return all faces of the people with most photos, and some photos each of random others."""
    rng = np.random.default_rng(seed)
    counts = Counter(table.identities.tolist())
    family = [name for name, _ in counts.most_common(N_FAMILY)]
    rows = np.isin(table.identities, family)
    others = sorted(set(counts) - set(family))
    taken: set[str] = set()
    for n_photos in rng.integers(1, MOST_PHOTOS + 1, N_BYSTANDERS).tolist():
        name = str(rng.choice([one for one in others if counts[one] >= n_photos and one not in taken]))
        taken.add(name)
        rows[rng.choice(np.flatnonzero(table.identities == name), n_photos, replace=False)] = True
    wanted = np.isin(table.identities[rows], family)
    return _archive(table, rows, wanted, outside=~np.isin(table.identities, [*family, *taken]), seed=seed)


def _archive(
    table: EmbeddingTable, rows: NDArray[np.bool_], wanted: NDArray[np.bool_], *, outside: NDArray[np.bool_], seed: int
) -> Archive:
    others = gallery_of(table.select(outside))
    background = fit_background(others.vectors[one_photo_each(others)], seed=seed)
    chosen = table.select(rows)
    return Archive(replace(chosen, identities=np.full(len(chosen), "", object)), chosen.identities, wanted, background)


def measure(archive: Archive, ways: Sequence[str] = tuple(WAYS)) -> dict[str, Effort]:
    """Return what each of `ways` takes."""
    found = {}
    for name in ways:
        with tempfile.TemporaryDirectory() as folder:
            found[name] = WAYS[name](archive, Path(folder))
    return found


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of the script."""
    parser.add_argument("table", metavar="TABLE", help="embedding table of many people, folders as identities")
    parser.add_argument("--seeds", type=int, default=5, metavar="N", help="random draws (5)")
    parser.add_argument("--first-seed", type=int, default=0, metavar="N")
    parser.add_argument("--people", type=int, metavar="N", help="only so many people of each half (all)")
    parser.add_argument("--archives", nargs="+", choices=ARCHIVES, default=ARCHIVES, metavar="NAME")
    parser.add_argument("--ways", nargs="+", choices=tuple(WAYS), default=tuple(WAYS), metavar="NAME")
    parser.add_argument("--json", type=Path, metavar="FILE")


def run(arguments: argparse.Namespace) -> int:
    """Measure and print each way's effort and its share of the others'."""
    table = EmbeddingTable.read(arguments.table)
    rows: list[dict[str, Any]] = []
    draws: dict[str, Callable[[int], Archive]] = {
        "half": lambda seed: draw_half(table, seed, arguments.people),
        "family": lambda seed: draw_family(table, seed),
        "albums": lambda seed: replace(draw_family(table, seed), of_each=True),
    }
    for kind in arguments.archives:
        for seed in range(arguments.first_seed, arguments.first_seed + arguments.seeds):
            archive = draws[kind](seed)
            for way, effort in measure(archive, arguments.ways).items():
                rows.append({"archive": kind, "seed": seed, "way": way, **_figures(archive, effort)})
                print({key: value for key, value in rows[-1].items() if key != "log"}, file=sys.stderr)
        for line in _summary([row for row in rows if row["archive"] == kind]):
            print(f"{kind}: {line}")
    if arguments.json:
        write_json(arguments.json, rows)
    return EXIT_DONE


def _figures(archive: Archive, effort: Effort) -> dict[str, Any]:
    return {
        "n_faces": len(archive.table),
        "n_wanted": len(set(archive.truth[archive.wanted])),
        "typed": effort.n_typed,
        "answers": effort.n_answers,
        "passed": effort.n_passed,
        "pages": effort.n_pages,
        "seen": effort.n_seen,
        "total": effort.total,
        "log": effort.log,
    }


def _summary(rows: Sequence[dict[str, Any]]) -> Iterator[str]:
    ways = dict.fromkeys(row["way"] for row in rows)
    totals = {way: np.array([row["total"] for row in rows if row["way"] == way]) for way in ways}
    for way, values in totals.items():
        parts = ", ".join(
            f"{part} {np.mean([row[part] for row in rows if row['way'] == way]):.0f}"
            for part in ("typed", "answers", "passed")
        )
        line = f"{way} {values.mean():.0f} [{values.min()}, {values.max()}] ({parts})"
        if way in ("questions", "pages"):
            seen = np.mean([row["seen"] for row in rows if row["way"] == way])
            line += f", {seen:.0f} questions seen"
            for other in (other for other in ("every group", "by hand", "CSV") if other in totals):
                shares = values / totals[other]
                line += f"; {shares.mean():.2f} [{shares.min():.2f}, {shares.max():.2f}] of {other}"
        yield line


def main(argv: Sequence[str] | None = None) -> int:
    """Run the script and return the exit code."""
    return run_script(
        "python -m experiments.naming_effort", "Measure the effort of naming.", add_arguments, run, argv=argv
    )


if __name__ == "__main__":
    sys.exit(main())
