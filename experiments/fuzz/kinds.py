"""Kinds of files: how whole ones are made, how they are damaged, which commands read them, what none may break."""

import contextlib
import io
import random
import runpy
import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np

from experiments.fuzz import damage, seeds

_PROJECT = Path(__file__).resolve().parents[2]

# Runs commands on a damaged file in a folder of its own; the second path is the folder of whole files.
Run = Callable[[Path, Path], int]


@dataclass(frozen=True)
class Kind:
    """One kind of file.

    Attributes
    ----------
    n_files : int
        How many damaged ones the whole study tries.
    make_seeds : callable
        Writes whole files into a folder and returns them; a run is a folder.
    damages : tuple of callable
        Ways to damage one, see `experiments.fuzz.damage`.
    run : callable
        Runs the commands that read it and returns the exit code.
    broken_rule : callable
        Says which of the format's rules an accepted file breaks, ``""`` if none.
    """

    n_files: int
    make_seeds: Callable[[Path], list[Path]]
    damages: tuple[damage.Damage, ...]
    run: Run
    broken_rule: Callable[[Path], str]


def write_damaged(kind: Kind, whole: Sequence[Path], folder: Path, chance: random.Random) -> Path:
    """Write one damaged copy of a whole file into `folder` and return it; of a run's folder, one file is damaged."""
    source = chance.choice(whole)
    target = folder / source.name
    if source.is_dir():
        shutil.copytree(source, target)
        inside = chance.choice([path for path in sorted(target.rglob("*")) if path.is_file()])
        others = [path.read_bytes() for path in sorted(source.rglob("*")) if path.is_file()]
        way = damage.damage_json if inside.suffix == ".json" else damage.damage_bytes
        inside.write_bytes(way(inside.read_bytes(), others, chance))
        return target
    folder.mkdir(parents=True, exist_ok=True)
    others = [path.read_bytes() for path in whole]
    target.write_bytes(chance.choice(kind.damages)(source.read_bytes(), others, chance))
    return target


def _info(path: Path, _: Path) -> int:
    from embedder.commands.main import main

    return main(["info", str(path)])


@cache
def _script(name: str) -> Callable[[Sequence[str]], int]:
    """Return `main` of a script, which nobody imports."""
    main: Callable[[Sequence[str]], int] = runpy.run_path(str(_PROJECT / f"{name}.py"))["main"]
    return main


def _run_head(path: Path, whole: Path) -> int:
    from classifiers.commands.main import main

    code = _info(path, whole)
    audited = main(["audit", str(path), "--name", "Ada"])
    if audited:
        # Networks load after the head, and so only where it is whole.
        photo = str(whole / "photos" / "a.jpg")
        audited = max(
            _script("recognize")([photo, "--head", str(path)]),
            main(["explain", str(path), photo]),
            main(["forget", str(path), "--name", "Ada"]),
            code,
        )
    if path.stat().st_ino % 8 == 0:
        copy = path.with_name("replaced") / path.name  # under its own name, which the message must hold
        copy.parent.mkdir(exist_ok=True)
        shutil.copy(path, copy)
        _script("train_classifier")([str(whole / "tables" / "faces.h5"), "-o", str(copy), "--threshold", "0.5"])
    return audited


def _rule_of_heads(path: Path) -> str:
    from classifiers import load_head

    head = load_head(path)
    if not (np.isfinite(head.threshold) and head.threshold >= -2):
        return f"threshold {head.threshold}"
    if any(not name.strip() or name.strip() == "unknown" for name in head.labels):
        return f"names {head.labels}"
    names, scores = head.identify(np.eye(head.gallery.vectors.shape[1], dtype=np.float32)[:20])
    if not np.isfinite(scores).all():
        return "scores that are not finite"
    return "" if set(names) <= {*head.labels, "unknown"} else f"names {sorted(set(names))}"


def _run_table(path: Path, whole: Path) -> int:
    from classifiers.commands.main import main

    return max(_info(path, whole), main(["cluster", str(path), "-o", str(path.with_suffix(".csv")), "--dry-run"]))


def _rule_of_tables(path: Path) -> str:
    from embedder.tables.table import EmbeddingTable

    table = EmbeddingTable.read(path)
    numbers = (table.embeddings, table.boxes, table.landmarks, table.detection_scores)
    if not all(np.isfinite(column).all() for column in numbers):
        return "numbers that are not finite"
    if np.any(table.face_indices < 0) or np.any(table.images.n_faces < 0):
        return "face indices or counts below 0"
    return "" if np.all(np.isin(table.paths, table.images.path)) else "faces of photos that are not in it"


def _run_weights(path: Path, whole: Path) -> int:
    from embedder.training.model.checkpoints import read_checkpoint
    from foundation.command_line import run_script

    code = _info(path, whole)

    def run(_: object) -> int:
        read_checkpoint(path)  # what `train --pretrained` begins with
        return 0

    return max(code, run_script("train", "read weights", lambda parser: None, run, argv=[]))


def _rule_of_weights(path: Path) -> str:
    from embedder.training.model.checkpoints import read_checkpoint

    arrays = read_checkpoint(path).arrays
    return "" if all(np.isfinite(array).all() for array in arrays.values()) else "weights that are not finite"


def _run_csv(path: Path, whole: Path) -> int:
    from classifiers.commands.main import main as classify
    from embedder.commands.main import main as embed

    table = str(whole / "tables" / "faces.h5")
    if path.name == "pairs.txt":
        return embed(["verify", "--pairs", str(path), "--table", table])
    flag = "--names" if path.name == "people.csv" else "--constraints"
    code = classify(["cluster", table, "-o", str(path.with_name("out.csv")), flag, str(path)])
    if path.name == "people.csv":
        head = str(path.with_name("h.skops"))
        code = max(code, _script("train_classifier")([table, "--names", str(path), "-o", head, "--threshold", "0.5"]))
    return code


def _rule_of_csvs(path: Path) -> str:
    head = path.with_name("h.skops")
    return _rule_of_heads(head) if head.is_file() else ""


def _run_photo(path: Path, _: Path) -> int:
    from embedder.commands.main import main

    return main(["convert", str(path.parent), str(path.parent.parent / "out"), "--format", "png"])


def _rule_of_photos(path: Path) -> str:
    from embedder.images.reading import read_image

    image = read_image(path)
    return "" if image.dtype == np.uint8 and image.ndim == 3 and image.shape[2] == 3 and image.size else "no pixels"


def _nothing(_: Path) -> str:
    return ""


KINDS = {
    "tables": Kind(2000, seeds.make_tables, (damage.damage_bytes,), _run_table, _rule_of_tables),
    "heads": Kind(2000, seeds.make_heads, (damage.damage_bytes, damage.damage_entry), _run_head, _rule_of_heads),
    "weights": Kind(2000, seeds.make_weights, (damage.damage_bytes,), _run_weights, _rule_of_weights),
    "csvs": Kind(1000, seeds.make_csvs, (damage.damage_bytes, damage.damage_list), _run_csv, _rule_of_csvs),
    "runs": Kind(1000, seeds.make_runs, (damage.damage_bytes,), _info, _nothing),
    "photos": Kind(3000, seeds.make_photos, (damage.damage_photo,), _run_photo, _rule_of_photos),
}


def run_quietly(kind: Kind, path: Path, whole: Path) -> tuple[int, str, str]:
    """Run a kind's commands on a file; return the exit code, what went to standard error, and a rule that is broken."""
    errors, output = io.StringIO(), io.StringIO()
    with contextlib.redirect_stderr(errors), contextlib.redirect_stdout(output):
        code = kind.run(path, whole)
        broken = kind.broken_rule(path) if code == 0 else ""
    return code, errors.getvalue(), broken
