"""Draw ROC and DET curves of several presets or tables on the LFW pairs in one figure.

``python -m experiments.lfw_roc --pairs pairs.txt --images DIR --preset facenet-casia-20180408
--preset facenet-ms1m-keras=data/models/facenet_keras.h5 --table mine.h5 -o out/lfw_roc.png``
"""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from embedder.commands.verify import result_lines
from embedder.networks.presets import get_preset
from embedder.tables.table import EmbeddingTable
from embedder.verification.lfw import Verification, read_pairs, verify
from embedder.verification.pair_tables import embed_pairs
from embedder.verification.plots import plot_format, plot_verifications
from foundation.command_line import EXIT_DONE, run_script, write_json
from foundation.errors import InputError


def verify_all(
    pairs_file: Path, *, images: Path | None = None, presets: Sequence[str] = (), tables: Sequence[Path] = ()
) -> dict[str, Verification]:
    """Return the outcome of the LFW protocol by preset or table.

    Parameters
    ----------
    pairs_file : Path
    images : Path, optional
        The photos; needed for `presets`.
    presets : sequence of str
        Each a preset's name or a training run's folder; ``NAME=FILE`` gives the weights file with it.
    tables : sequence of Path

    Raises
    ------
    ValueError
        If there is nothing to compare, or presets without photos, or as `embedder.verification.lfw.verify` does.
    """
    if not presets and not tables:
        raise InputError("`--preset` or `--table` is needed at least once, got neither")
    pairs = read_pairs(pairs_file)
    results = {}
    for text in presets:
        if images is None:
            raise InputError("`--images` is needed with `--preset`, got none; give the folder of the pairs' photos")
        name, _, weights = text.partition("=")
        table = embed_pairs(images, pairs, get_preset(name), weights=Path(weights) if weights else None)
        results[name] = verify(pairs, table)
    for path in tables:
        results[path.stem] = verify(pairs, EmbeddingTable.read(path))
    return results


def _add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--pairs", type=Path, required=True, metavar="FILE", help="LFW's pairs.txt")
    parser.add_argument("--images", type=Path, metavar="DIR", help="photos, as DIR/NAME/NAME_0001.jpg")
    parser.add_argument("--preset", action="append", default=[], metavar="NAME[=WEIGHTS]", help="may be repeated")
    parser.add_argument("--table", action="append", default=[], type=Path, metavar="FILE", help="may be repeated")
    parser.add_argument("-o", "--out", type=Path, required=True, metavar="FILE", help="figure to write")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures as JSON")


def _run(arguments: argparse.Namespace) -> int:
    plot_format(arguments.out)
    results = verify_all(arguments.pairs, images=arguments.images, presets=arguments.preset, tables=arguments.table)
    for label, result in results.items():
        print("\n".join([label, *(f"  {line}" for line in result_lines(result))]))
    arguments.out.parent.mkdir(parents=True, exist_ok=True)
    plot_verifications(results, arguments.out)
    if arguments.json is not None:
        write_json(arguments.json, {label: result.to_json() for label, result in results.items()})
    return EXIT_DONE


def main(argv: Sequence[str] | None = None) -> int:
    """Run ``python -m experiments.lfw_roc`` with `argv` and return the exit code."""
    return run_script(
        "python -m experiments.lfw_roc",
        "ROC and DET curves of several presets or tables on LFW pairs.",
        _add_arguments,
        _run,
        argv=argv,
    )


if __name__ == "__main__":
    sys.exit(main())
