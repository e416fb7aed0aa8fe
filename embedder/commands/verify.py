"""The command ``python -m embedder verify``: the LFW pairs protocol on photos or on a table."""

import argparse
import logging
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from embedder.commands.arguments import add_network_arguments, add_precision_argument
from embedder.verification.pair_tables import embed_pairs, standardization_warning
from foundation.command_line import EXIT_DONE, EXIT_SOME_INPUTS_FAILED, Command, write_json
from foundation.errors import InputError
from foundation.text import pluralize

if TYPE_CHECKING:
    from embedder.networks.joined import JoinedPreset
    from embedder.networks.preset import Preset
    from embedder.tables.table import EmbeddingTable
    from embedder.verification.lfw import Pairs, Verification

logger = logging.getLogger(__name__)


# A photo without a face, or a failed match of names, is the protocol's business; what could not be read is the user's.
_READ_STATUSES = ("no_face", "ok")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of ``verify``."""
    parser.add_argument(
        "--pairs",
        type=Path,
        required=True,
        metavar="FILE",
        help="pairs in the layout of LFW's pairs.txt or pairsDevTrain.txt",
    )
    parser.add_argument("--images", type=Path, metavar="DIR", help="photos, as DIR/NAME/NAME_0001.jpg")
    parser.add_argument(
        "--table",
        type=Path,
        metavar="FILE",
        help="embedding table of the photos, in place of --images: nothing is embedded",
    )
    add_network_arguments(parser)
    add_precision_argument(parser)
    parser.add_argument(
        "--metric",
        choices=["cosine", "euclidean"],
        default="cosine",
        help="how two embeddings are compared (default: cosine)",
    )
    _add_protocol_arguments(parser)
    parser.add_argument("--jobs", type=int, default=1, metavar="N", help="worker processes (default: 1)")
    parser.add_argument(
        "--no-cache",
        dest="keep",
        action="store_false",
        help="keep no embeddings (default: they and the photos' paths are kept in the cache folder, without names)",
    )
    parser.add_argument("--plot", type=Path, metavar="FILE", help="draw ROC and DET curves")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures as JSON")


def _add_protocol_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--no-flip",
        dest="flip",
        action="store_false",
        help="compare embeddings of the crops alone (default: with those of their mirror images)",
    )
    parser.add_argument(
        "--no-mean",
        dest="subtract_mean",
        action="store_false",
        help="compare embeddings as they are (default: less the mean of the other folds)",
    )
    parser.add_argument(
        "--no-standardization-check",
        dest="check",
        action="store_false",
        help="do not try the other standardization on a sample of the pairs",
    )


def result_lines(result: "Verification") -> list[str]:
    """Return the figures as lines of text."""
    figures = result.to_json()
    n_impostors = figures["n_pairs"] - figures["n_genuine"]
    return [
        f"{pluralize(figures['n_pairs'], 'pair')}, {figures['n_genuine']:,} genuine; "
        f"{pluralize(figures['n_failures_to_enrol'], 'failure')} to enrol; pairs with such a photo, taken as errors: "
        f"{int(result.failed_pairs.sum()):,}",
        f"accuracy {figures['accuracy_mean']:.4f} ± {figures['accuracy_std']:.4f} over "
        f"{pluralize(len(result.accuracies), 'fold')}",
        f"AUC {figures['auc']:.4f}, EER {figures['eer']:.4f}",
        *(
            f"TAR {estimate.value:.4f} [{estimate.low:.4f}, {estimate.high:.4f}] at FAR {far:g}"
            f"{_unseen(far, n_impostors)}"
            for far, estimate in result.tar_at_far.items()
        ),
    ]


def _unseen(far: float, n_impostors: int) -> str:
    """Return, as it follows a rate, that so few impostor pairs cannot show it."""
    if far * n_impostors >= 1:
        return ""
    pairs = pluralize(n_impostors, "impostor pair")
    return f" (of {pairs} none passes: a rate below {1 / n_impostors:.2g} cannot be seen)"


def _run(arguments: argparse.Namespace) -> int:
    from embedder.networks.joined import find_preset
    from embedder.networks.presets import DEFAULT_PRESET
    from embedder.tables.table import EmbeddingTable
    from embedder.verification.lfw import read_pairs, verify
    from foundation.formats import check_output

    _check_outputs(arguments.plot, arguments.json)
    check_output(
        arguments.plot,
        "--plot",
        kind="picture",
        inputs=[path for path in (arguments.pairs, arguments.table) if path is not None],
    )
    pairs = read_pairs(arguments.pairs)
    preset = find_preset(DEFAULT_PRESET if arguments.preset is None else arguments.preset)
    if arguments.table is not None:
        table = EmbeddingTable.read(arguments.table)
        if arguments.flip and not table.fingerprint.space.get("mirrored_copy"):
            logger.info("%s holds no embeddings of mirrored crops: scored without", arguments.table)
    elif arguments.images is not None:
        table = embed_pairs(
            arguments.images,
            pairs,
            preset,
            weights=arguments.weights,
            precision=arguments.precision,
            n_jobs=arguments.jobs,
            keep=arguments.keep,
        )
    else:
        raise InputError("`--images` or `--table` is needed, got neither; give the folder of the pairs' photos")
    result = verify(pairs, table, flip=arguments.flip, subtract_mean=arguments.subtract_mean, metric=arguments.metric)
    for photo, why in result.failures.items():
        print(f"{photo}: failure to enrol, {why}", file=sys.stderr)
    print("\n".join(result_lines(result)))
    _write(result, arguments, label=table.fingerprint.preset or preset.name)
    if arguments.check:
        _check_standardization(arguments, pairs, table, preset=preset)
    all_read = all(why.split(":")[0] in _READ_STATUSES for why in result.failures.values())
    return EXIT_DONE if all_read else EXIT_SOME_INPUTS_FAILED


def _check_outputs(plot: Path | None, figures: Path | None) -> None:
    """Find out now, not after minutes of embedding, that a result cannot be written."""
    for path in (plot, figures):
        if path is not None and not path.resolve().parent.is_dir():
            raise InputError(f"{path}: expected a folder that exists, {path.resolve().parent} does not; make it first")
    if plot is not None:
        from embedder.verification.plots import plot_format

        plot_format(plot)


def _write(result: "Verification", arguments: argparse.Namespace, *, label: str) -> None:
    if arguments.json is not None:
        write_json(arguments.json, result.to_json())
    if arguments.plot is not None:
        from embedder.verification.plots import plot_verifications

        plot_verifications({label: result}, arguments.plot)


def _check_standardization(
    arguments: argparse.Namespace, pairs: "Pairs", table: "EmbeddingTable", *, preset: "Preset | JoinedPreset"
) -> None:
    from embedder.networks.preset import Preset

    space = table.fingerprint.space
    if not isinstance(preset, Preset):
        logger.info("the standardization was not checked: %s are several networks", preset.name)
    elif arguments.images is None:
        logger.info("the standardization was not checked: that needs --images")
    elif space["weights_sha256"] != preset.weights_sha256:
        logger.info(
            "the standardization was not checked: %s was made with other weights than the preset %s; name its "
            "own with --preset",
            arguments.table,
            preset.name,
        )
    else:
        warning = standardization_warning(
            arguments.images, pairs, table, preset=preset, weights=arguments.weights, keep=arguments.keep
        )
        if warning is not None:
            print(f"warning: {warning}", file=sys.stderr)


VERIFY = Command("verify", "Measure on pairs of photos how well the network tells people apart.", add_arguments, _run)
