"""The command ``python -m embedder verify``: the LFW pairs protocol on photos or on a table."""

import argparse
import hashlib
import json
import logging
import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from foundation.command_line import EXIT_DONE, EXIT_SOME_INPUTS_FAILED, Command, write_json
from foundation.errors import InputError
from foundation.text import pluralize

if TYPE_CHECKING:
    from embedder.networks.presets import Preset
    from embedder.tables.table import EmbeddingTable
    from embedder.verification.lfw import Pairs, Verification

logger = logging.getLogger(__name__)

N_STANDARDIZATION_PAIRS = 200
"""Genuine pairs on whose photos the other standardization is tried."""

_CLEARLY_BETTER = 0.975
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
    parser.add_argument(
        "--preset",
        metavar="NAME|RUN",
        help="network to use (default: facenet-casia-20180408), or a training run's folder",
    )
    parser.add_argument("--weights", type=Path, metavar="FILE", help="the preset's weights, if no package brings them")
    parser.add_argument(
        "--precision", choices=["fp32", "int8"], default="fp32", help="arithmetic of the network (default: fp32)"
    )
    parser.add_argument(
        "--metric",
        choices=["cosine", "euclidean"],
        default="cosine",
        help="how two embeddings are compared (default: cosine)",
    )
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
    parser.add_argument("--jobs", type=int, default=1, metavar="N", help="worker processes (default: 1)")
    parser.add_argument("--plot", type=Path, metavar="FILE", help="draw ROC and DET curves")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures as JSON")


def embed_pairs(
    images: Path,
    pairs: "Pairs",
    preset: "Preset",
    *,
    weights: Path | None = None,
    precision: str = "fp32",
    crop: dict[str, Any] | None = None,
    n_jobs: int = 1,
) -> "EmbeddingTable":
    """Return a table of the photos of `pairs`, embeddings followed by those of the mirrored crops.

    It is kept in the cache folder: what is in it already is not embedded again.

    Parameters
    ----------
    images : Path
        Folder of the photos.
    crop : dict, optional
        `margin`, `margin_mode` and `alignment`, if they are not the defaults.

    Raises
    ------
    ValueError
        If none of the photos is there, or as `embedder.FaceEmbedder` does.
    OSError
        If `images` cannot be read or the cache not be written.
    """
    from embedder.networks.face_embedder import FaceEmbedder
    from embedder.networks.mirrored import MirroredEmbedder
    from embedder.pipeline.runner import expected_fingerprint, update_table
    from embedder.pipeline.settings import EmbedSettings
    from embedder.tables.table import EmbeddingTable
    from embedder.verification.lfw import find_photos

    photos = find_photos(images, pairs)
    embedder = MirroredEmbedder(FaceEmbedder(preset, weights=weights, precision=precision))
    settings = EmbedSettings(faces="one", min_face_size="auto", **(crop or {}))
    fingerprint = expected_fingerprint(settings, embedder=embedder)
    # A later version that detects otherwise keeps a table of its own, one that does not goes on with this one.
    fingerprint["provenance"].pop("versions")
    key = json.dumps([str(images.resolve()), fingerprint], sort_keys=True)
    out = _cache_folder() / f"{hashlib.sha256(key.encode()).hexdigest()[:24]}.h5"
    update_table(images, out, settings, n_jobs=n_jobs, progress=True, embedder=embedder, only=set(photos.values()))
    return EmbeddingTable.read(out)


def standardization_warning(
    images: Path, pairs: "Pairs", table: "EmbeddingTable", *, preset: "Preset", weights: Path | None = None
) -> str | None:
    """Return a warning if the other standardization tells people clearly better apart than that of `table`.

    It is tried on the photos of a sample of the pairs, all of them compared with each other.

    Parameters
    ----------
    preset : Preset
        The checkpoint the table was made with, whatever its standardization.

    Raises
    ------
    ValueError
        As `embed_pairs` does.
    """
    from embedder.networks.presets import STANDARDIZATIONS
    from embedder.verification.lfw import compare_tables, sample_genuine

    space = table.fingerprint["space"]
    used = space["standardization"]
    other = next(name for name in STANDARDIZATIONS if name != used)
    sample = sample_genuine(pairs, N_STANDARDIZATION_PAIRS)
    crop = {"margin": space["margin"]["value"], "margin_mode": space["margin"]["mode"], "alignment": space["alignment"]}
    tried = embed_pairs(images, sample, replace(preset, standardization=other), weights=weights, crop=crop)
    result = compare_tables(sample, table, tried)
    logger.info(
        "standardization %s separates people by %.2f spreads, %s by %.2f, on a sample of the pairs",
        used,
        result.first,
        other,
        result.second,
    )
    if result.second_better < _CLEARLY_BETTER:
        return None
    return (
        f"the standardization {used!r} looks wrong for these weights: on a sample of the pairs {other!r} separates "
        f"people by {result.second:.2f} spreads, {used!r} by {result.first:.2f}; set it in the preset"
    )


def result_lines(result: "Verification") -> list[str]:
    """Return the figures as lines of text."""
    figures = result.to_json()
    return [
        f"{pluralize(figures['n_pairs'], 'pair')}, {figures['n_genuine']:,} genuine; "
        f"{pluralize(figures['n_failures_to_enrol'], 'failure')} to enrol; pairs with such a photo, taken as errors: "
        f"{int(result.failed_pairs.sum()):,}",
        f"accuracy {figures['accuracy_mean']:.4f} ± {figures['accuracy_std']:.4f} over "
        f"{pluralize(len(result.accuracies), 'fold')}",
        f"AUC {figures['auc']:.4f}, EER {figures['eer']:.4f}",
        *(
            f"TAR {estimate.value:.4f} [{estimate.low:.4f}, {estimate.high:.4f}] at FAR {far:g}"
            for far, estimate in result.tar_at_far.items()
        ),
    ]


def _run(arguments: argparse.Namespace) -> int:
    from embedder.networks.presets import DEFAULT_PRESET, get_preset
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
    preset = get_preset(DEFAULT_PRESET if arguments.preset is None else arguments.preset)
    if arguments.table is not None:
        table = EmbeddingTable.read(arguments.table)
        if arguments.flip and not table.fingerprint["space"].get("mirrored_copy"):
            logger.info("%s holds no embeddings of mirrored crops: scored without", arguments.table)
    elif arguments.images is not None:
        table = embed_pairs(
            arguments.images,
            pairs,
            preset,
            weights=arguments.weights,
            precision=arguments.precision,
            n_jobs=arguments.jobs,
        )
    else:
        raise InputError("`--images` or `--table` is needed, got neither; give the folder of the pairs' photos")
    result = verify(pairs, table, flip=arguments.flip, subtract_mean=arguments.subtract_mean, metric=arguments.metric)
    for photo, why in result.failures.items():
        print(f"{photo}: failure to enrol, {why}", file=sys.stderr)
    print("\n".join(result_lines(result)))
    _write(result, arguments, label=table.fingerprint["provenance"].get("preset", preset.name))
    if arguments.check:
        _check_standardization(arguments, pairs, table, preset=preset)
    all_read = all(why.split(":")[0] in _READ_STATUSES for why in result.failures.values())
    return EXIT_DONE if all_read else EXIT_SOME_INPUTS_FAILED


def _cache_folder() -> Path:
    from embedder.runtime.cache import cache_folder

    return cache_folder() / "verification"


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
    arguments: argparse.Namespace, pairs: "Pairs", table: "EmbeddingTable", *, preset: "Preset"
) -> None:
    space = table.fingerprint["space"]
    if arguments.images is None:
        logger.info("the standardization was not checked: that needs --images")
    elif space["weights_sha256"] != preset.weights_sha256:
        logger.info(
            "the standardization was not checked: %s was made with other weights than the preset %s; name its "
            "own with --preset",
            arguments.table,
            preset.name,
        )
    else:
        warning = standardization_warning(arguments.images, pairs, table, preset=preset, weights=arguments.weights)
        if warning is not None:
            print(f"warning: {warning}", file=sys.stderr)


VERIFY = Command("verify", "Measure on pairs of photos how well the network tells people apart.", add_arguments, _run)
