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
of somebody to be named, or the first question of ``facetable people suggest``.
"""

import argparse
import sys
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from classifiers.groups.grouping import cluster_table, read_known_people, write_people_file
from classifiers.groups.similarity import normalized_space
from classifiers.scores.clarity import find_clarity
from classifiers.scores.normalization import Background
from embedder.tables.table import EmbeddingTable
from experiments.fit_background import fit_background, gallery_of, one_photo_each
from foundation.command_line import EXIT_DONE, run_script, write_json
from foundation.csv_rows import read_columns, read_rows, write_rows
from people.store.scanned import Links
from people.store.store import PeopleStore
from people.suggestions.answers import answer
from people.suggestions.questions import Suggestion, find_questions
from people.workspace.grouping import Decided, group_faces
from people.workspace.table_rows import read_names, record_table

RIGHT = 0.99
N_FAMILY, N_BYSTANDERS, MOST_PHOTOS = 12, 150, 5
_ROUND = 20
_REGROUP_AFTER = 100
_REMEMBERED = 20

Rows = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Archive:
    """Faces to be named.

    Attributes
    ----------
    table : EmbeddingTable
        Without identities.
    truth : (n,) str
        Who each face is.
    wanted : (n,) bool
        Whose faces are to get a name.
    background : Background
        Fitted on other people.
    of_each : bool
        Whether so many of each wanted person's faces must be right, not only of all faces.
    """

    table: EmbeddingTable
    truth: NDArray[np.object_]
    wanted: NDArray[np.bool_]
    background: Background
    of_each: bool = False

    def is_done(self, names: NDArray[np.object_]) -> bool:
        """Return whether so many faces as are wanted have their name, or need none and have no wrong one."""
        is_right = (names == self.truth) | (~self.wanted & (names == ""))
        parts = [np.ones(len(names), bool)]
        if self.of_each:
            parts = [self.truth == name for name in np.unique(self.truth[self.wanted])]
        return all(is_right[part].mean() >= RIGHT for part in parts)

    def groups(self) -> Iterator[Rows]:
        """Yield the groups of faces as found without any name, the largest first, single faces last."""
        n = len(self.table)
        decided = Decided(np.full(n, "", object), np.zeros(n, bool), Links([], [], []), {})
        yield from _sets(group_faces(self.table, decided, background=self.background))


@dataclass
class Effort:
    """What a user has said.

    Attributes
    ----------
    n_typed : int
        Names given to groups or faces.
    n_answers : int
        Questions answered.
    n_passed : int
        Groups looked at that were nobody to be named.
    log : list
        Of each question: kind, faces it would settle, similarity above the threshold, whether the answer was yes.
    """

    n_typed: int = 0
    n_answers: int = 0
    n_passed: int = 0
    log: list[tuple[str, int, float, bool]] = field(default_factory=list)

    @property
    def total(self) -> int:
        """All that was said."""
        return self.n_typed + self.n_answers + self.n_passed


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


def by_hand(archive: Archive, *, every: bool) -> Effort:
    """Name one group after the other, the largest first, until enough is right, or `every` group."""
    effort, names = Effort(), np.full(len(archive.table), "", object)
    for rows in archive.groups():
        if not every and archive.is_done(names):
            break
        _name_group(archive, names, rows, effort)
    return effort


def _name_group(archive: Archive, names: NDArray[np.object_], rows: Rows, effort: Effort) -> None:
    """Give a group the name of most of its faces, and those that are not theirs their own."""
    name = _majority(archive.truth[rows])
    is_wanted = bool(archive.wanted[rows[archive.truth[rows] == name]].any())
    names[rows] = name if is_wanted else ""
    effort.n_typed += is_wanted
    effort.n_passed += not is_wanted
    for row in rows[archive.truth[rows] != name].tolist():
        names[row] = archive.truth[row] if archive.wanted[row] else ""
        effort.n_typed += bool(archive.wanted[row]) or is_wanted


def by_csv(archive: Archive, folder: Path) -> Effort:
    """Name the groups of a people file, cluster again with the names so far, and go on."""
    effort, file = Effort(), folder / "people.csv"
    space = normalized_space(archive.table.embeddings, archive.background)
    clarity = find_clarity(archive.table.fingerprint)
    poor = None if clarity is None else clarity.are_poor(archive.table.embeddings)
    seen = np.zeros(len(archive.table), bool)
    least = 2
    while True:
        before = read_known_people(archive.table, names=file if file.exists() else None, out=file)
        groups = cluster_table(archive.table, before=before, space=space, poor=poor)
        write_people_file(file, archive.table, groups)
        names = groups.names.copy()
        todo = [rows for rows in _sets(groups.labels) if not names[rows[0]] and not seen[rows].all()]
        start = effort.total
        for rows in todo:
            if archive.is_done(names):
                return effort
            if len(rows) < least or (least == 1 and effort.total - start >= _REGROUP_AFTER):
                break
            _name_group(archive, names, rows, effort)
            seen[rows] = True
        if effort.total == start and least == 1:
            wrong = np.flatnonzero((names != archive.truth) & (archive.wanted | (names != "")))
            for row in wrong.tolist():
                if archive.is_done(names):
                    break
                names[row] = archive.truth[row] if archive.wanted[row] else ""
                effort.n_typed += 1
            return effort
        least = 1
        _edit(file, archive.table, names)


def _edit(file: Path, table: EmbeddingTable, names: NDArray[np.object_]) -> None:
    """Write names into the column `name` of a people file."""
    columns = read_columns(file)
    row_of = {key: row for row, key in enumerate(zip(table.paths, table.face_indices.tolist(), strict=True))}
    cells = [cells for _, cells in read_rows(file, columns)]
    for row in cells:
        row["name"] = str(names[row_of[row["path"], int(row["face_index"])]])
    write_rows(file, columns, ([row[column] for column in columns] for row in cells))


def by_questions(archive: Archive, folder: Path) -> Effort:
    """Name the largest group or answer the first questions, whichever settles more, until it is done."""
    with PeopleStore(folder / "people.sqlite", create=True) as store:
        record_table(store, archive.table)
        return _Session(archive, store).play()


class _Session:
    def __init__(self, archive: Archive, store: PeopleStore) -> None:
        self.archive, self.store, self.effort = archive, store, Effort()
        self.looked_at: list[bool] = []

    def play(self) -> Effort:
        self.regroup()
        said = 0
        while not self.is_done():
            if self.effort.total - said >= _REGROUP_AFTER:
                said = self.effort.total
                self.regroup()
            questions = find_questions(self.store, self.archive.table, limit=_ROUND, background=self.archive.background)
            groups = self.store.groups()
            worth = questions[0].n_settled * questions[0].chance if questions else 0.0
            if questions and (not groups or worth >= len(groups[0].faces) * self.chance_of_name()):
                for question in questions:
                    if not self.is_done():
                        self.answer(question)
            elif groups:
                self.name_group(np.array([face.row for face in groups[0].faces]))
            else:
                break
        return self.effort

    def is_done(self) -> bool:
        return self.archive.is_done(read_names(self.store, len(self.archive.table))[0])

    def regroup(self) -> None:
        names, settled = read_names(self.store, len(self.archive.table))
        people = {person.number: person.name for person in self.store.people()}
        decided = Decided(names, settled, self.store.links(), people)
        self.store.record_groups(group_faces(self.archive.table, decided, background=self.archive.background))

    def chance_of_name(self) -> float:
        """Return how likely the next group is of somebody to be named, as the newest groups looked at were."""
        newest = self.looked_at[-_REMEMBERED:]
        return (sum(newest) + 1) / (len(newest) + 1)

    def name_group(self, rows: Rows) -> None:
        names = np.full(len(self.archive.table), "", object)
        _name_group(self.archive, names, rows, self.effort)
        self.looked_at.append(bool((names[rows] != "").any()))
        for name in np.unique(names[rows]):
            faces = self.store.faces_of_rows(rows[names[rows] == name].tolist())
            if name:
                self.store.name(faces, name)
            else:
                self.store.mark_nobody(faces)

    def answer(self, question: Suggestion) -> None:
        """Answer as the truth is; faces that a yes would name wrongly get their own names, one by one."""
        rows = np.array([face.row for face in question.faces])
        others = np.array([face.row for face in question.others], np.int64)
        truth = self.archive.truth
        name = _majority(truth[rows])
        if question.kind == "same_person":
            is_so = name == _majority(truth[others])
        else:
            is_so = question.kind != "not_a_face" and name == self.store.person(question.person or 0).name
        answer(self.store, question, "yes" if is_so else "no")
        self.effort.n_answers += 1
        self.effort.log.append((question.kind, question.n_settled, question.similarity - question.threshold, is_so))
        if not is_so or question.kind == "same_person":
            return
        for row in rows[truth[rows] != name].tolist():
            faces = self.store.faces_of_rows([row])
            self.effort.n_typed += 1
            if self.archive.wanted[row]:
                self.store.name(faces, truth[row])
            else:
                self.store.mark_nobody(faces)


def _sets(labels: NDArray[np.integer]) -> Iterator[Rows]:
    """Yield the rows of each label, most first; rows without a group alone."""
    order = np.argsort(labels, kind="stable")
    grouped = order[labels[order] >= 0]
    sets = np.split(grouped, np.flatnonzero(np.diff(labels[grouped])) + 1) if len(grouped) else []
    sets += [np.array([row]) for row in np.flatnonzero(labels < 0)]
    yield from sorted(sets, key=lambda rows: (-len(rows), rows[0]))


def _majority(names: NDArray[np.object_]) -> str:
    return str(Counter(names).most_common(1)[0][0])


WAYS: dict[str, Callable[[Archive, Path], Effort]] = {
    "every group": lambda archive, _: by_hand(archive, every=True),
    "by hand": lambda archive, _: by_hand(archive, every=False),
    "CSV": by_csv,
    "questions": by_questions,
}


def measure(archive: Archive) -> dict[str, Effort]:
    """Return what each way takes."""
    found = {}
    for name, play in WAYS.items():
        with tempfile.TemporaryDirectory() as folder:
            found[name] = play(archive, Path(folder))
    return found


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of the script."""
    parser.add_argument("table", metavar="TABLE", help="embedding table of many people, folders as identities")
    parser.add_argument("--seeds", type=int, default=5, metavar="N", help="random draws (5)")
    parser.add_argument("--first-seed", type=int, default=0, metavar="N")
    parser.add_argument("--people", type=int, metavar="N", help="only so many people of each half (all)")
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
    for kind, draw in draws.items():
        for seed in range(arguments.first_seed, arguments.first_seed + arguments.seeds):
            archive = draw(seed)
            for way, effort in measure(archive).items():
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
        "total": effort.total,
        "log": effort.log,
    }


def _summary(rows: Sequence[dict[str, Any]]) -> Iterator[str]:
    totals = {way: np.array([row["total"] for row in rows if row["way"] == way]) for way in WAYS}
    for way, values in totals.items():
        parts = ", ".join(
            f"{part} {np.mean([row[part] for row in rows if row['way'] == way]):.0f}"
            for part in ("typed", "answers", "passed")
        )
        line = f"{way} {values.mean():.0f} [{values.min()}, {values.max()}] ({parts})"
        if way == "questions":
            for other in ("every group", "by hand", "CSV"):
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
