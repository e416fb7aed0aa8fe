"""The command ``python -m embedder verify``: the LFW pairs protocol on photos or tables, of one network or several."""

import argparse
import logging
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from embedder.commands.arguments import add_network_arguments, add_precision_argument
from embedder.verification.pair_tables import embed_pairs, standardization_warning
from foundation.command_line import EXIT_DONE, EXIT_SOME_INPUTS_FAILED, Command, write_json
from foundation.csv_rows import check_csv_folder, write_csv_folder
from foundation.errors import InputError
from foundation.formats import check_output
from foundation.paths import check_folder_of
from foundation.text import join_words, pluralize

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
        action="append",
        default=[],
        metavar="FILE",
        help="embedding table of the photos, in place of --images: nothing is embedded; may be repeated, to compare",
    )
    add_network_arguments(parser, several=True)
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
    parser.add_argument("--plot", type=Path, metavar="FILE", help="draw ROC and DET curves: PNG, SVG or PDF")
    parser.add_argument("--csv", type=Path, metavar="DIR", help="write pairs, rates and curves as CSV files")
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


@dataclass(frozen=True)
class _Network:
    """One of the networks that are measured: its table, the preset to check it against, where its weights are."""

    table: "EmbeddingTable"
    preset: "Preset | JoinedPreset"
    weights: Path | None


def _run(arguments: argparse.Namespace) -> int:
    from embedder.verification.lfw import read_pairs, verify

    _check_outputs(arguments)
    pairs = read_pairs(arguments.pairs)
    networks = _read_networks(arguments, pairs)
    results = {
        label: verify(
            pairs,
            network.table,
            flip=arguments.flip,
            subtract_mean=arguments.subtract_mean,
            metric=arguments.metric,
        )
        for label, network in networks.items()
    }
    for label, result in results.items():
        for photo, why in result.failures.items():
            print(f"{photo}: failure to enrol, {why}", file=sys.stderr)
        lines = result_lines(result)
        print("\n".join(lines if len(results) == 1 else [label, *(f"  {line}" for line in lines)]))
    _write(results, arguments)
    if arguments.check:
        for network in networks.values():
            _check_standardization(arguments, pairs, network)
    reasons = [why for result in results.values() for why in result.failures.values()]
    all_read = all(why.split(":")[0] in _READ_STATUSES for why in reasons)
    return EXIT_DONE if all_read else EXIT_SOME_INPUTS_FAILED


def _read_networks(arguments: argparse.Namespace, pairs: "Pairs") -> dict[str, _Network]:
    """Return what is to be measured, by label: the tables, or where there is none, the presets on the photos."""
    from embedder.networks.joined import find_preset
    from embedder.networks.presets import DEFAULT_PRESET
    from embedder.tables.table import EmbeddingTable

    asked = [_split_preset(text) for text in arguments.preset] or [(DEFAULT_PRESET, None)]
    presets = [(find_preset(name), weights or arguments.weights) for name, weights in asked]
    if len(presets) > 1 and arguments.weights is not None:
        raise InputError("`--weights` is of one preset, got several; give each its own: --preset NAME=WEIGHTS")
    if arguments.table and len(presets) > 1:
        raise InputError(
            "tables or several presets are measured, got `--table` and several `--preset`; measure the presets on "
            "--images alone, or give --table for each network"
        )
    networks = {}
    for path in arguments.table:
        table = EmbeddingTable.read(path)
        if arguments.flip and not table.fingerprint.space.get("mirrored_copy"):
            logger.info("%s holds no embeddings of mirrored crops: scored without", path)
        known = table.fingerprint.preset or presets[0][0].name
        label = known if len(arguments.table) == 1 else path.stem
        networks[str(path) if label in networks else label] = _Network(table, *presets[0])
    if not arguments.table:
        if arguments.images is None:
            raise InputError("`--images` or `--table` is needed, got neither; give the folder of the pairs' photos")
        for preset, weights in presets:
            table = embed_pairs(
                arguments.images,
                pairs,
                preset,
                weights=weights,
                precision=arguments.precision,
                n_jobs=arguments.jobs,
                keep=arguments.keep,
            )
            networks[table.fingerprint.preset or preset.name] = _Network(table, preset, weights)
    return networks


def _split_preset(text: str) -> tuple[str, Path | None]:
    """Return a preset and its weights file; a folder or file that is there may have ``=`` in its name."""
    name, _, weights = text.partition("=")
    return (text, None) if not weights or Path(text).exists() else (name, Path(weights))


def _check_outputs(arguments: argparse.Namespace) -> None:
    """Find out now, not after minutes of embedding, that a result cannot be written."""
    from embedder.verification.sheets import VERIFY_COLUMNS

    for path in (arguments.plot, arguments.json):
        if path is not None:
            check_folder_of(path)
    check_csv_folder(arguments.csv, VERIFY_COLUMNS)
    if arguments.plot is not None:
        from foundation.drawing.share_plots import plot_format

        plot_format(arguments.plot)
    check_output(arguments.plot, "--plot", kind="picture", inputs=[arguments.pairs, *arguments.table])


def _write(results: dict[str, "Verification"], arguments: argparse.Namespace) -> None:
    if arguments.json is not None:
        figures = {label: result.to_json() for label, result in results.items()}
        one, *others = figures.values()
        shared = {key: one[key] for key in ("n_pairs", "n_genuine")}
        write_json(arguments.json, {**shared, "networks": figures} if others else one)
    if arguments.csv is not None:
        from embedder.verification.sheets import VERIFY_COLUMNS, verification_rows

        write_csv_folder(arguments.csv, VERIFY_COLUMNS, verification_rows(results))
    if arguments.plot is not None:
        from embedder.verification.plots import plot_verifications

        plot_verifications(results, arguments.plot)


def _check_standardization(arguments: argparse.Namespace, pairs: "Pairs", network: _Network) -> None:
    from embedder.networks.preset import Preset

    table, preset = network.table, network.preset
    space = table.fingerprint.space
    if not isinstance(preset, Preset):
        logger.info("the standardization was not checked: %s are several networks", preset.name)
    elif arguments.images is None:
        logger.info("the standardization was not checked: that needs --images")
    elif space["weights_sha256"] != preset.weights_sha256:
        logger.info(
            "the standardization was not checked: %s was made with other weights than the preset %s; name its "
            "own with --preset",
            join_words([str(path) for path in arguments.table]),
            preset.name,
        )
    else:
        warning = standardization_warning(
            arguments.images, pairs, table, preset=preset, weights=network.weights, keep=arguments.keep
        )
        if warning is not None:
            print(f"warning: {warning}", file=sys.stderr)


VERIFY = Command("verify", "Measure on pairs of photos how well the network tells people apart.", add_arguments, _run)
