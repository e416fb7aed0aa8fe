"""Read thousands of damaged files through the command line's own functions, and count what becomes of them.

    python -m experiments.fuzz [--kinds heads photos ...] [--share 1.0] [--seed 0] [--keep DIR] [--json FILE]

A file is fine that is read without breaking a rule of its format, or refused in one line that names it, within 20 s
and 2 GB. Exit code 1 if one is not.
"""

import argparse
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from experiments.fuzz.kinds import KINDS
from experiments.fuzz.study import FINE, run_study
from foundation.command_line import EXIT_DONE, EXIT_SOME_INPUTS_FAILED, run_script, write_json


def _add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--kinds", nargs="+", choices=[*KINDS], default=[*KINDS], help="default: all")
    parser.add_argument("--share", type=float, default=1.0, help="share of the files (default: 1, all 11,000)")
    parser.add_argument("--seed", type=int, default=0, help="default: 0")
    parser.add_argument("--keep", type=Path, metavar="DIR", help="keep the files that fail")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the counts as JSON")


def _run(arguments: argparse.Namespace) -> int:
    result, n_failed = {}, 0
    with tempfile.TemporaryDirectory() as folder:
        study = run_study(
            Path(folder), arguments.kinds, share=arguments.share, seed=arguments.seed, keep=arguments.keep
        )
        for name, counts in study:
            n_failed += len(counts.failures)
            print(f"{name}: {counts.outcomes.total():,} files, slowest {counts.slowest:.1f} s, ", end="")
            print(f"largest {counts.largest / 2**20:,.0f} MB")
            for outcome, n_files in counts.outcomes.most_common():
                print(f"  {outcome}: {n_files:,}{'' if outcome in FINE else ' <-'}", flush=True)
            for line in counts.failures[:20]:
                print(f"    {line[:400]}", file=sys.stderr)
            result[name] = {**counts.outcomes, "slowest_s": counts.slowest, "largest_bytes": counts.largest}
    if arguments.json is not None:
        write_json(arguments.json, result)
    return EXIT_SOME_INPUTS_FAILED if n_failed else EXIT_DONE


def main(argv: Sequence[str] | None = None) -> int:
    """Run the study and return the exit code."""
    return run_script("python -m experiments.fuzz", (__doc__ or "").splitlines()[0], _add_arguments, _run, argv=argv)


if __name__ == "__main__":
    sys.exit(main())
