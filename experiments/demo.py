"""The whole path on real photos, with the commands a user types: ``make demo``.

    python -m experiments.demo [--out DIR] [--archive FILE]

Photos of five people become an embedding table; two heads are trained on it and name the same people on photos that
they have not seen; the faces are also grouped without any names. Figures are printed and kept in ``summary.json``, and
``summary.png`` shows them.
"""

import argparse
import shlex
import subprocess
import sys
import time
from collections.abc import Sequence
from contextlib import nullcontext
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from data.samples import DATA
from foundation.command_line import EXIT_DONE, EXIT_SOME_INPUTS_FAILED, run_script, write_json
from foundation.errors import FacetableError

if TYPE_CHECKING:
    from embedder.tables.table import EmbeddingTable
    from experiments.demo_sheet import Answer

PROJECT = Path(__file__).resolve().parents[1]
HEADS = ("knn", "svm")


class StepError(FacetableError, ValueError):
    """A command of the demo could not run; it has said why itself."""


@dataclass
class Steps:
    """Runs commands one after the other, shown as a user would type them, and keeps the time each took.

    Attributes
    ----------
    seconds : dict
        Title of a step to its wall-clock time.
    """

    seconds: dict[str, float] = field(default_factory=dict)

    def run(self, title: str, *arguments: str | Path, lines_to: Path | None = None) -> None:
        """Run Python with `arguments` in the project's folder.

        Parameters
        ----------
        lines_to : Path, optional
            File that gets what the command prints on standard output.

        Raises
        ------
        StepError
            If the command ends with an exit code other than 0 or 1 (some inputs failed and were listed).
        """
        typed = [_as_typed(argument) for argument in arguments]
        print(
            f"\n== {title}\n$ python {shlex.join(typed)}"
            + ("" if lines_to is None else f" > {shlex.quote(_as_typed(lines_to))}"),
            flush=True,
        )
        started = time.perf_counter()
        with nullcontext() if lines_to is None else lines_to.open("wb") as stdout:
            done = subprocess.run([sys.executable, *typed], cwd=PROJECT, stdout=stdout, check=False)
        self.seconds[title] = round(time.perf_counter() - started, 1)
        if done.returncode not in (EXIT_DONE, EXIT_SOME_INPUTS_FAILED):
            raise StepError(f"{title}: expected exit code 0 or 1, got {done.returncode}; its message stands above")


def run_steps(out: Path, archive: Path | None) -> Steps:
    """Run all commands, from the sample photos to annotated copies in `out`.

    Raises
    ------
    StepError
        If one of them could not run.
    """
    steps = Steps()
    photos = DATA / "samples"
    steps.run("sample photos", "-m", "data.samples", *(() if archive is None else ("--archive", archive)))
    steps.run("table of the training photos", "-m", "embedder", "embed", photos / "train", "-o", out / "train.h5")
    for head in HEADS:
        steps.run(f"train {head}", "train_classifier.py", out / "train.h5", "--head", head, "-o", out / f"{head}.skops")
    for head in HEADS:
        steps.run(
            f"recognize with {head}",
            "recognize.py",
            photos / "val",
            "--head",
            out / f"{head}.skops",
            "--save",
            out / head,
            "--events",
            out / f"{head}.jsonl",
            lines_to=out / f"{head}.txt",
        )
    steps.run(
        "group faces without names",
        "-m",
        "classifiers",
        "cluster",
        out / "train.h5",
        "-o",
        out / "people.csv",
        "--html",
        out / "people.html",
    )
    steps.run("table of the validation photos", "-m", "embedder", "embed", photos / "val", "-o", out / "val.h5")
    return steps


def answers_on(table: "EmbeddingTable", heads: dict[str, Any]) -> "list[Answer]":
    """Return what each head says about the main face of each photo of `table`, whose folders are the true names."""
    from experiments.demo_sheet import Answer, Choice

    main_face = {table.paths[row]: row for row in range(len(table)) if table.identities[row]}
    rows = list(main_face.values())
    matches = {name: head.match(table.embeddings[rows]) for name, head in heads.items()}
    answers = []
    for path in table.images.path:
        choices: dict[str, Choice] = {}
        box = None
        if path in main_face:
            box, i = table.boxes[main_face[path]], rows.index(main_face[path])
            for name, match in matches.items():
                score = float(match.scores[i])
                choices[name] = Choice(str(match.identities[i]), score, score >= heads[name].threshold)
        answers.append(Answer(path, path.partition("/")[0], box, choices))
    return answers


def count(answers: "Sequence[Answer]", head: str) -> dict[str, int]:
    """Return how many choices of `head` are right, and how many of these and of the wrong ones it accepts."""
    made = [(answer, answer.choices[head]) for answer in answers if head in answer.choices]
    right = [choice for answer, choice in made if choice.identity == answer.truth]
    wrong = [choice for answer, choice in made if choice.identity != answer.truth]
    return {
        "photos": len(answers),
        "right_before_threshold": len(right),
        "right_and_accepted": sum(choice.accepted for choice in right),
        "wrong_and_accepted": sum(choice.accepted for choice in wrong),
        "no_face": len(answers) - len(made),
    }


def figures_as_text(figures: dict[str, dict[str, Any]]) -> str:
    """Return one line a head."""
    lines = ["head   choice right   of these accepted   wrong and accepted   threshold"]
    for name, one in figures.items():
        right = f"{one['right_before_threshold']} of {one['photos']}"
        lines.append(
            f"{name:<6} {right:>12}   {one['right_and_accepted']:>17}   {one['wrong_and_accepted']:>18}   "
            f"{one['threshold']:>9.3f}"
        )
    return "\n".join(lines)


def what_next(out: Path) -> str:
    """Return what to try on the user's own photos."""
    launcher = Path(sys.executable).with_name("facetable")  # `make` writes it
    command = _as_typed(launcher) if launcher.exists() else f"{_as_typed(sys.executable)} facetable.py"
    return f"""
See {_as_typed(out / "summary.png")}, the annotated photos in {_as_typed(out / HEADS[0])}/ and the groups in \
{_as_typed(out / "people.html")}.

Next, with your own photos, one folder a person (photos/Anna/..., photos/Bob/...):
  {command} embed photos -o out/faces.h5
  {command} train out/faces.h5 -o out/family.skops
  {command} recognize party.jpg --head out/family.skops --save out/party.jpg
With nobody named yet, group the faces first and write the names into the file:
  {command} cluster out/faces.h5 -o out/people.csv --html out/people.html"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add this script's flags."""
    parser.add_argument(
        "--out",
        type=Path,
        default=PROJECT / "out" / "demo",
        metavar="DIR",
        help="folder for tables, heads and pictures (default: out/demo)",
    )
    parser.add_argument(
        "--archive",
        type=Path,
        metavar="FILE",
        help="take the sample photos from this archive instead of downloading it",
    )


def run(arguments: argparse.Namespace) -> int:
    """Run the demo."""
    from classifiers import load_head
    from embedder import EmbeddingTable
    from experiments.demo_sheet import draw_sheet

    out = arguments.out.resolve()
    out.mkdir(parents=True, exist_ok=True)
    started = time.perf_counter()
    steps = run_steps(out, None if arguments.archive is None else arguments.archive.resolve())
    table = EmbeddingTable.read(out / "val.h5")
    heads = {name: load_head(out / f"{name}.skops") for name in HEADS}
    answers = answers_on(table, heads)
    draw_sheet(answers, DATA / "samples" / "val", out / "summary.png")
    figures = {name: {**count(answers, name), "threshold": head.threshold} for name, head in heads.items()}
    seconds = {**steps.seconds, "all": round(time.perf_counter() - started, 1)}
    write_json(out / "summary.json", {"heads": figures, "seconds": seconds})
    print(f"\n== names on {len(answers)} photos the heads have not seen\n{figures_as_text(figures)}")
    print("\n== time\n" + "\n".join(f"{took:7.1f} s  {title}" for title, took in seconds.items()))
    print(what_next(out))
    return EXIT_DONE


def main(argv: Sequence[str] | None = None) -> int:
    """Run ``python -m experiments.demo`` and return the exit code."""
    description = "Embed, train, recognize and group the faces of real sample photos."
    return run_script("python -m experiments.demo", description, add_arguments, run, argv=argv)


def _as_typed(argument: str | Path) -> str:
    """Return an argument as it is typed in the project's folder."""
    path = Path(argument)
    return str(path.relative_to(PROJECT)) if path.is_relative_to(PROJECT) else str(argument)


if __name__ == "__main__":
    sys.exit(main())
