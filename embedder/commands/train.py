"""The command ``python -m embedder train``: flags to settings, and a run's end to an exit code.

Nothing heavy is imported before the command runs.
"""

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, Any

from embedder.training.settings import (
    CENTER_UPDATES,
    CLASS_STARTS,
    DECAYS,
    LOSSES,
    OPTIMIZERS,
    PRECISIONS,
    STAGES,
    STANDARDIZATIONS,
    STRATEGIES,
    WEIGHTS_FILES,
    TrainingSettings,
    default_learning_rate,
)
from foundation.command_line import EXIT_DONE, EXIT_INTERRUPTED, EXIT_SOME_INPUTS_FAILED, write_json
from foundation.errors import InputError
from foundation.formats import check_inputs
from foundation.text import pluralize

if TYPE_CHECKING:
    from embedder.training.model.checkpoints import Checkpoint
    from embedder.training.run.runner import RunSummary

_ROTATE_DEGREES = 10.0
_BRIGHTNESS = 0.2


def add_train_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the flags of ``train``; those left out keep the defaults of `TrainingSettings`."""
    parser.add_argument("folder", type=Path, metavar="FOLDER", help="aligned faces, one sub-folder a person")
    parser.add_argument(
        "-o",
        "--out",
        type=Path,
        required=True,
        metavar="RUN",
        help="the run's folder, afterwards a preset; a run that was stopped goes on",
    )
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the last figures as JSON")
    _add_run_arguments(parser.add_argument_group("life of the run"))
    _add_loss_arguments(parser.add_argument_group("losses"))
    _add_optimizer_arguments(parser.add_argument_group("optimizer"))
    _add_input_arguments(parser.add_argument_group("faces"))
    _add_network_arguments(parser.add_argument_group("network"))


def run_train(arguments: argparse.Namespace) -> int:
    """Train, print what came of it, and return the exit code."""
    check_inputs(arguments.folder, arguments.lfw_dir, arguments.lfw_pairs)
    if arguments.pretrained is not None:
        from embedder.training.model.checkpoints import check_source

        check_source(arguments.pretrained)
    from embedder.training.framework import load_framework

    load_framework()
    from embedder.training.model.checkpoints import read_checkpoint
    from embedder.training.run.evaluation import read_pairs_source
    from embedder.training.run.runner import configure_threads, train

    checkpoint = None if arguments.pretrained is None else read_checkpoint(arguments.pretrained)
    settings = settings_of(arguments, checkpoint)
    if (arguments.lfw_dir is None) != (arguments.lfw_pairs is None):
        raise InputError(
            "`lfw_dir` and `lfw_pairs` go together, got only one; give both --lfw-dir DIR and --lfw-pairs FILE"
        )
    pairs = None if arguments.lfw_dir is None else read_pairs_source(arguments.lfw_dir, arguments.lfw_pairs)
    configure_threads()
    summary = train(
        arguments.folder,
        arguments.out,
        settings,
        checkpoint=checkpoint,
        pairs=pairs,
        logs_dir=arguments.logs_dir,
        progress=True,
    )
    _report(summary, arguments.json)
    if summary.interrupted:
        print("stopped before its end; run the same command to go on")
        return EXIT_INTERRUPTED
    print(f"use it: facetable embed PHOTOS -o faces.h5 --preset {summary.path}")
    return EXIT_SOME_INPUTS_FAILED if summary.n_left_out else EXIT_DONE


def _report(summary: "RunSummary", json: Path | None) -> None:
    figures = {**summary.metrics, **summary.evaluation}
    named = ("loss", "accuracy", "validation_auc", "lfw_accuracy", "lfw_auc")
    text = "".join(f", {name} {figures[name]:.4f}" for name in named if name in figures)
    print(f"{summary.path}: {pluralize(summary.steps, 'step')}, {pluralize(summary.epochs, 'epoch')}{text}")
    if json is not None:
        counts = {name: getattr(summary, name) for name in ("steps", "epochs", "interrupted", "n_left_out")}
        write_json(json, {"run": str(summary.path), **counts, **figures})


def settings_of(arguments: argparse.Namespace, checkpoint: "Checkpoint | None") -> TrainingSettings:
    """Return the settings that flags and the checkpoint to start from make together.

    Raises
    ------
    ValueError
        If a flag is out of its range, or two do not go together.
    """
    names = TrainingSettings.__dataclass_fields__
    given: dict[str, Any] = {
        name: value for name, value in vars(arguments).items() if name in names and value is not None
    }
    if checkpoint is not None:
        found = {
            "embedding_size": checkpoint.embedding_size,
            "width": checkpoint.width,
            "freeze_batch_norm": True,
            "standardization": checkpoint.standardization,
            "image_size": checkpoint.input_size,
            "pretrained_sha256": checkpoint.sha256,
        }
        given = {name: value for name, value in found.items() if value is not None} | given
    rate, file = arguments.learning_rate, arguments.learning_rate_schedule_file
    if rate == -1 and file is None:
        raise InputError("`learning_rate` -1 reads the rates from a file; name it with --learning-rate-schedule-file")
    if file is not None:
        if rate not in (-1, None):
            raise InputError(
                f"`learning_rate` must be -1 beside --learning-rate-schedule-file, got {rate}; leave one out"
            )
        from embedder.training.model.schedules import parse_schedule, read_schedule_text

        given["schedule_text"] = read_schedule_text(file)
        parse_schedule(given["schedule_text"], str(file))
    if rate in (-1, None):
        given["learning_rate"] = default_learning_rate(given.get("optimizer", TrainingSettings.optimizer))
    return TrainingSettings(**given)


def _add_run_arguments(group: Any) -> None:
    _number(group, "--epochs", int, "epochs in all")
    _number(group, "--epoch-size", int, "batches in an epoch; 0: one pass over the folder")
    _number(group, "--batch-size", int, "faces in a batch")
    _number(group, "--seed", int, "decides everything random")
    _number(group, "--checkpoint-every", int, "steps between checkpoints; 0: ten minutes")
    _number(group, "--evaluate-every", int, "epochs between verifications")
    group.add_argument("--lfw-dir", type=Path, metavar="DIR", help="aligned faces of LFW-style pairs to verify on")
    group.add_argument("--lfw-pairs", type=Path, metavar="FILE", help="the pairs, laid out like LFW's pairs.txt")
    group.add_argument("--logs-dir", type=Path, metavar="DIR", help="TensorBoard files (default: RUN/logs)")
    group.add_argument(
        "--strategy",
        choices=STRATEGIES,
        help="single (default); mirrored: all devices of this machine; multi-worker: those of TF_CONFIG",
    )
    _switch(group, "--sync-batch-norm", "batch norm over all replicas (default: on)")
    group.add_argument("--precision", choices=PRECISIONS, help="arithmetic of the layers (default: float32)")


def _add_loss_arguments(group: Any) -> None:
    group.add_argument("--loss", choices=LOSSES, help="what identities are learned with (default: softmax)")
    _number(group, "--center-loss-factor", float, "of the center loss", default="1e-2 with softmax, else 0")
    _number(group, "--center-loss-alfa", float, "0 moves centers fast, near 1 slowly")
    group.add_argument("--center-update", choices=CENTER_UPDATES, help="how centers move (default: paper)")
    _number(group, "--prelogits-norm-factor", float, "of the sum of absolute prelogits")
    _number(group, "--triplet-margin", float, "between squared distances")
    _number(group, "--images-per-person", int, "faces of each person in a batch of the triplet loss")
    _number(group, "--arcface-scale", float, "of the cosines")
    _number(group, "--arcface-margin", float, "added angle in radians")


def _add_optimizer_arguments(group: Any) -> None:
    group.add_argument("--optimizer", choices=OPTIMIZERS, help=f"(default: {TrainingSettings.optimizer})")
    _number(
        group,
        "--learning-rate",
        float,
        "-1 reads --learning-rate-schedule-file",
        default="; ".join(f"{name} {default_learning_rate(name)}" for name in OPTIMIZERS),
    )
    group.add_argument(
        "--learning-rate-schedule-file",
        type=Path,
        metavar="FILE",
        help="lines 'epoch: rate', -1 stops, such as data/learning_rate_schedule_casia.txt",
    )
    group.add_argument("--decay", choices=DECAYS, help="how the rate falls over the epochs (default: constant)")
    _number(group, "--warmup-epochs", float, "epochs over which the rate rises")
    _number(group, "--clip-norm", float, "largest norm of the whole gradient")
    _number(group, "--weight-decay", float, "of kernels")


def _add_input_arguments(group: Any) -> None:
    _number(group, "--image-size", int, "height and width the network sees, cut out of 182/160 of it")
    _switch(group, "--random-crop", "cut out at a random place rather than the middle (default: on)")
    _switch(group, "--random-flip", "mirror half of the faces (default: on)")
    group.add_argument(
        "--random-rotate",
        type=float,
        nargs="?",
        const=_ROTATE_DEGREES,
        metavar="DEGREES",
        help=f"turn by at most so much (default: off; {_ROTATE_DEGREES:g} if no number is given)",
    )
    group.add_argument(
        "--random-brightness",
        type=float,
        nargs="?",
        const=_BRIGHTNESS,
        metavar="SHARE",
        help=f"brighten or darken by at most this share (default: off; {_BRIGHTNESS:g} if none is given)",
    )
    group.add_argument(
        "--standardization",
        choices=STANDARDIZATIONS,
        help="how pixels are scaled (default: that of --pretrained, else fixed)",
    )
    _number(group, "--min-images", int, "people with fewer faces are dropped")
    _number(
        group,
        "--validation-split",
        float,
        "share of the people held back to verify on",
        default="0.05, and 0 under 100 people",
    )


def _add_network_arguments(group: Any) -> None:
    _number(group, "--embedding-size", int, "length of the vectors")
    _number(group, "--width", float, "multiplies every layer's number of channels")
    _number(group, "--keep-probability", float, "dropout keeps so much before the bottleneck")
    _number(group, "--batch-norm-momentum", float, "of the running means")
    group.add_argument(
        "--pretrained",
        metavar="PRESET|RUN|FILE",
        help=f"start from these weights; a file is {WEIGHTS_FILES}",
    )
    group.add_argument("--train-from", choices=STAGES, help="freeze what lies before this part (default: stem)")
    _switch(group, "--freeze-batch-norm", "keep batch norm's statistics (default: on with --pretrained)")
    _switch(group, "--cache-features", "compute the frozen part once for every face (default: off)")
    group.add_argument(
        "--class-start",
        choices=CLASS_STARTS,
        help="class weights and centers at the means of the classes' embeddings, or random (default)",
    )


def _number(group: Any, flag: str, kind: type, text: str, *, default: str | None = None) -> None:
    if default is None:
        default = f"{getattr(TrainingSettings, flag[2:].replace('-', '_')):g}"
    group.add_argument(flag, type=kind, metavar="N" if kind is int else "X", help=f"{text} (default: {default})")


def _switch(group: Any, flag: str, text: str) -> None:
    group.add_argument(flag, action=argparse.BooleanOptionalAction, default=None, help=text)
