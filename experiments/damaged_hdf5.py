"""Damage tables, part files and weights, and see what becomes of whoever reads them.

``python -m experiments.damaged_hdf5 --table faces.h5 -n 300 --json out/damaged.json``

Each damaged file must end in one line that names it, or in content that breaks no rule. What else happens is listed
with the number that makes the same file again.
"""

import argparse
import contextlib
import io
import resource
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path

import numpy as np

from embedder.commands.main import main as embedder_main
from embedder.errors import TableError, WeightsError
from embedder.hdf5.examination import examine_all
from embedder.runtime.weights import read_h5
from embedder.tables.assembly import read_entries, without_damaged
from embedder.tables.table import EmbeddingTable
from experiments.damage import damage
from foundation.command_line import EXIT_COULD_NOT_RUN, EXIT_DONE, EXIT_SOME_INPUTS_FAILED, run_script, write_json

MOST_SECONDS = 20.0
"""Longer is a hang."""

MOST_MIB = 2048
"""More memory is a swelling."""

_UNTIL_REMEMBERED_S = 2.2

Reader = Callable[[Path], None]
"""Reads a file; raises ValueError in one line that names it, or AssertionError where it accepts what breaks a rule."""


@dataclass
class Outcome:
    """What became of damaged files.

    Attributes
    ----------
    n_files, n_refused, n_accepted : int
    by_damage : dict
        Kind of damage -> files.
    slowest_s : float
        The longest that one file took.
    peak_mib : float
        The most memory that this process or one of its children took.
    faults : list of str
        Number of the damage, and what was wrong with what the reader did.
    """

    n_files: int = 0
    n_refused: int = 0
    n_accepted: int = 0
    by_damage: Counter[str] = field(default_factory=Counter)
    slowest_s: float = 0.0
    peak_mib: float = 0.0
    faults: list[str] = field(default_factory=list)


def read_table(path: Path) -> None:
    """Read a table as ``info`` does, and look at what was accepted."""
    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        code = embedder_main(["info", str(path)])
    if code == EXIT_DONE:
        if out.getvalue().startswith("kind: table"):
            check_rules(EmbeddingTable.read(path))
        return
    text = err.getvalue()
    assert code == EXIT_COULD_NOT_RUN and text.count("\n") == 1 and "unexpected" not in text, (
        f"exit code {code}: {text}"
    )
    raise TableError(text)


def read_part(path: Path) -> None:
    """Read a part file as a run does that goes on with it."""
    without_damaged(path, read_entries(path)[1])


def read_weights(path: Path) -> None:
    """Read the weights of a network, and look at what was accepted."""
    for array in read_h5(path).values():
        assert np.isfinite(array).all(), "weights that are not finite"


def check_rules(table: EmbeddingTable) -> None:
    """Assert the rules of the format, written down a second time."""
    assert np.abs(np.linalg.norm(table.embeddings, axis=1) - 1).max(initial=0) < 0.01
    for values in (table.boxes, table.landmarks, table.detection_scores):
        assert np.isfinite(values).all()
    assert (table.boxes[:, :2] <= table.boxes[:, 2:]).all()
    assert ((table.detection_scores >= 0) & (table.detection_scores <= 1)).all()
    assert (table.face_indices >= 0).all()
    assert len(set(zip(table.paths, table.face_indices.tolist(), strict=True))) == len(table)
    assert all(sha256 == "" or len(bytes.fromhex(sha256)) == 32 for sha256 in table.image_sha256)
    assert min(table.images.width.min(initial=0), table.images.height.min(initial=0)) >= 0


def try_files(content: bytes, read: Reader, *, numbers: Sequence[int], others: Sequence[bytes] = ()) -> Outcome:
    """Damage `content` once for each of `numbers` and let `read` read the file.

    Parameters
    ----------
    content : bytes
        Of a whole file.
    read : callable
        One of `read_table`, `read_part`, `read_weights`.
    numbers : sequence of int
    others : sequence of bytes
        Files of which pieces may get in.
    """
    outcome = Outcome()
    with tempfile.TemporaryDirectory() as folder:
        paths: dict[int, Path] = {}
        for number in numbers:
            kind, damaged = damage(content, number, others=others)
            outcome.by_damage[kind] += 1
            paths[number] = Path(folder, f"{number}.h5")
            paths[number].write_bytes(damaged)
        peaks_before = _peaks_kib()
        time.sleep(_UNTIL_REMEMBERED_S)  # so that one process examines them all, and each but once
        begun = time.monotonic()
        examine_all(list(paths.values()))
        examining_s = time.monotonic() - begun
        for number, path in paths.items():
            begun = time.monotonic()
            _try(path, read, number, outcome)
            outcome.slowest_s = max(outcome.slowest_s, time.monotonic() - begun)
    outcome.n_files = len(paths)
    outcome.slowest_s = max(outcome.slowest_s, examining_s / max(outcome.n_files, 1))
    # What this process and its children had held before is not these files' doing.
    peaks = [after for after, before in zip(_peaks_kib(), peaks_before, strict=True) if after > before]
    outcome.peak_mib = max(peaks, default=0) / 1024
    if outcome.slowest_s > MOST_SECONDS:
        outcome.faults.append(f"a file took {outcome.slowest_s:.0f} s")
    if outcome.peak_mib > MOST_MIB:
        outcome.faults.append(f"a file took {outcome.peak_mib:.0f} MiB")
    return outcome


def _peaks_kib() -> list[int]:
    return [resource.getrusage(who).ru_maxrss for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]


def _try(path: Path, read: Reader, number: int, outcome: Outcome) -> None:
    try:
        read(path)
        outcome.n_accepted += 1
    except (TableError, WeightsError) as error:
        outcome.n_refused += 1
        if str(path) not in str(error) or "\n" in str(error).strip():
            outcome.faults.append(f"{number}: a line that does not name the file: {error}")
    except Exception as error:  # noqa: BLE001 - whatever it is, it is what this study looks for
        outcome.faults.append(f"{number}: {type(error).__name__}: {error}")


def made_weights(*, seed: int = 0) -> bytes:
    """Return a small file as Keras writes weights."""
    import h5py

    generator, stream = np.random.default_rng(seed), io.BytesIO()
    with h5py.File(stream, "w") as file:
        for layer in ("Conv2d_1a_3x3", "Block35_1_Branch_0", "Bottleneck"):
            group = file.create_group(f"model_weights/{layer}")
            group.attrs["weight_names"] = [f"{layer}/kernel:0".encode(), f"{layer}/bias:0".encode()]
            group[f"{layer}/kernel:0"] = generator.normal(size=(3, 3, 8, 16)).astype(np.float32)
            group[f"{layer}/bias:0"] = generator.normal(size=16).astype(np.float32)
    return stream.getvalue()


def _add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--table", action="append", type=Path, default=[], metavar="FILE", help="a small table to damage"
    )
    parser.add_argument("-n", type=int, default=300, metavar="N", help="damaged files of each kind (default: 300)")
    parser.add_argument("--seed", type=int, default=0, metavar="N", help="number of the first (default: 0)")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write everything as JSON")


def _run(arguments: argparse.Namespace) -> int:
    numbers = range(arguments.seed, arguments.seed + arguments.n)
    tables = {path: path.read_bytes() for path in arguments.table}
    outcomes = {"weights": try_files(made_weights(), read_weights, numbers=numbers)}
    for path, content in tables.items():
        outcomes[f"table {path.name}"] = try_files(content, read_table, numbers=numbers, others=[*tables.values()])
        outcomes[f"part {path.name}"] = try_files(content, read_part, numbers=numbers, others=[*tables.values()])
    for name, outcome in outcomes.items():
        print(
            f"{name}: {outcome.n_files} files, {outcome.n_refused} refused, {outcome.n_accepted} accepted, "
            f"{len(outcome.faults)} faults; slowest {outcome.slowest_s:.1f} s, {outcome.peak_mib:.0f} MiB"
        )
        for fault in outcome.faults:
            print(f"  {fault}")
    if arguments.json is not None:
        write_json(arguments.json, {name: asdict(outcome) for name, outcome in outcomes.items()})
    return EXIT_SOME_INPUTS_FAILED if any(outcome.faults for outcome in outcomes.values()) else EXIT_DONE


def main(argv: Sequence[str] | None = None) -> int:
    """Run the study with `argv` (default: the process's arguments)."""
    return run_script(
        "python -m experiments.damaged_hdf5", "Damage tables, parts and weights.", _add_arguments, _run, argv=argv
    )


if __name__ == "__main__":
    sys.exit(main())
