"""A training run from folder to preset, which can be stopped and started again at any moment."""

import logging
import math
import time
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from tqdm import tqdm

from embedder.training.data.batches import Batches, PeopleBatches, PermutedBatches, epoch_length
from embedder.training.data.dataset import TrainingFaces, read_faces_folder
from embedder.training.data.input_pipeline import FaceImageReader, feature_dataset, image_dataset, local_rows
from embedder.training.model.checkpoints import Checkpoint
from embedder.training.model.feature_cache import frozen_features
from embedder.training.model.imprinting import imprint_class_weights
from embedder.training.model.network import TrainingNetwork, load_pretrained
from embedder.training.model.optimizers import build_optimizer
from embedder.training.model.schedules import LearningRateSchedule, parse_schedule
from embedder.training.run.description import check_same_run, say_what_is_left_out, write_description
from embedder.training.run.distribution import Distribution, make_distribution
from embedder.training.run.evaluation import Evaluator, PairsSource
from embedder.training.run.export import export_run
from embedder.training.run.folder import CsvLog, RunFolder
from embedder.training.run.interruption import StopRequest
from embedder.training.run.state import read_state, write_state
from embedder.training.run.step import METRICS, TrainingStep
from embedder.training.settings import TrainingSettings
from foundation.errors import FacetableError
from foundation.text import pluralize
from foundation.threads import thread_count

logger = logging.getLogger(__name__)

CHECKPOINT_SECONDS = 600.0
"""Seconds between checkpoints where `checkpoint_every` is 0."""

_HISTORY = ("epoch", "learning_rate", *METRICS, "images_per_second")


class NotFiniteError(FacetableError, ValueError):
    """The loss is no longer a number."""


@dataclass(frozen=True)
class RunSummary:
    """What a run came to.

    Attributes
    ----------
    path : Path
        Its folder, a preset.
    steps, epochs : int
        Done in all, earlier starts included.
    interrupted : bool
        Whether it was asked to stop before its end.
    n_left_out : int
        Files that could not be read.
    metrics : dict
        Of the last step; empty when nothing was left to do.
    evaluation : dict
        Last verification figures; empty when there was nothing to verify on.
    """

    path: Path
    steps: int
    epochs: int
    interrupted: bool
    n_left_out: int = 0
    metrics: dict[str, float] = field(default_factory=dict)
    evaluation: dict[str, float] = field(default_factory=dict)


def configure_threads() -> None:
    """Let TensorFlow use `foundation.threads.thread_count` threads; call it before TensorFlow computes anything."""
    tf.config.threading.set_intra_op_parallelism_threads(thread_count())
    tf.config.threading.set_inter_op_parallelism_threads(thread_count())


def train(
    folder: Path,
    out: Path,
    settings: TrainingSettings,
    *,
    checkpoint: Checkpoint | None = None,
    pairs: PairsSource | None = None,
    logs_dir: Path | None = None,
    progress: bool = False,
) -> RunSummary:
    """Train on a folder of aligned faces, or go on with the run that `out` holds.

    Parameters
    ----------
    folder : Path
        Aligned faces, one sub-folder an identity.
    out : Path
        The run's folder; see `embedder.training.run.folder`.
    settings : TrainingSettings
    checkpoint : Checkpoint, optional
        Weights to start from; `settings.pretrained` is its name.
    pairs : PairsSource, optional
        LFW-style pairs to verify on after epochs.
    logs_dir : Path, optional
        Where TensorBoard files go; default: ``logs`` inside `out`.
    progress : bool
        Show progress bars on a terminal.

    Raises
    ------
    TrainingDataError, RunFolderError, RunLockedError, CheckpointError, NotFiniteError, ValueError, OSError
        Each with a message that names the file or setting and the remedy.
    """
    distribution = make_distribution(settings.strategy)
    distribution.replica_batch_size(settings.batch_size)
    with RunFolder(out, writes=distribution.is_chief) as run_folder:
        record = out / "faces.csv" if distribution.is_chief else None
        faces = read_faces_folder(
            folder,
            source_size=settings.source_size,
            min_images=settings.min_images,
            seed=settings.seed,
            validation_split=settings.validation_split,
            record=record,
            progress=progress,
        )
        say_what_is_left_out(faces, settings)
        config = run_folder.read_config()
        if config is not None:
            check_same_run(config, settings, faces, out)
        if distribution.is_chief:
            write_description(run_folder, settings, faces, config)
        run = _TrainingRun(run_folder, settings, faces, distribution, checkpoint=checkpoint, progress=progress)
        return run.train(pairs, out / "logs" if logs_dir is None else logs_dir)


class _TrainingRun:
    """The network, optimizer, data and counters of one run, and its loop."""

    def __init__(
        self,
        folder: RunFolder,
        settings: TrainingSettings,
        faces: TrainingFaces,
        distribution: Distribution,
        *,
        checkpoint: Checkpoint | None,
        progress: bool,
    ) -> None:
        self.folder, self.settings, self.faces = folder, settings, faces
        self.distribution, self.progress = distribution, progress
        self.schedule = _schedule_of(settings)
        self.epoch_size = epoch_length(len(faces.paths), batch_size=settings.batch_size, epoch_size=settings.epoch_size)
        keras.utils.set_random_seed(settings.seed % 2**32)
        with distribution.strategy.scope():
            synchronized = settings.sync_batch_norm and distribution.n_replicas > 1
            n_classes = 0 if settings.loss == "triplet" else len(faces.identities)
            self.network = TrainingNetwork(settings, n_classes=n_classes, synchronized=synchronized)
            if checkpoint is not None:
                logger.info("%s: %s", checkpoint.name, load_pretrained(self.network, checkpoint))
            self.optimizer = build_optimizer(settings)
            self.step = TrainingStep(self.network, self.optimizer, distribution.strategy)
        logger.info("%s", self.network.describe_start(settings.pretrained))
        self.done = 0
        self.best = -math.inf
        self.evaluation: dict[str, float] = {}
        self._restore()
        self.reader = FaceImageReader(faces.root, faces.paths, size=settings.source_size)
        self.batches = _batches_of(settings, faces)
        self.features = (
            frozen_features(self.network, self.reader, len(faces.paths), folder.path)
            if settings.cache_features
            else None
        )
        if settings.class_start == "means" and self.done == 0:
            imprint_class_weights(self.network, self.reader, faces.labels, self.features)

    @property
    def n_epochs(self) -> int:
        """Epochs of the whole run."""
        stop = self.schedule.stop_epoch
        return self.settings.epochs if stop is None else min(self.settings.epochs, stop - 1)

    def train(self, pairs: PairsSource | None, logs_dir: Path) -> RunSummary:
        """Train to the end, or until asked to stop."""
        evaluator = Evaluator(self.network, self.faces, pairs)
        logs = _Logs(self, evaluator, logs_dir) if self.distribution.is_chief else None
        metrics: dict[str, float] = {}
        total = self.n_epochs * self.epoch_size
        if self.done >= total:
            logger.info(
                "%s: nothing left to do, trained for %s; raise --epochs to go on",
                self.folder.path,
                pluralize(self.n_epochs, "epoch"),
            )
        shown = self.progress and logs is not None
        bar = tqdm(
            total=total, initial=min(self.done, total), desc="training", unit="step", disable=None if shown else True
        )
        with StopRequest() as stop, bar:
            self._last_save = time.monotonic()
            while self.done < total and not stop.requested:
                for metrics in self._steps_of_epoch(stop):
                    _show(bar, metrics)
                    if logs is not None:
                        logs.add_step(self.done - 1, metrics)
                        self._save_if_due()
                if logs is not None and self.done % self.epoch_size == 0 and metrics:
                    self._finish_epoch(evaluator, logs)
            if logs is not None:
                if metrics:
                    self._save(is_best=False)
                logs.close()
        return RunSummary(
            path=self.folder.path,
            steps=self.done,
            epochs=self.done // self.epoch_size,
            interrupted=self.done < total,
            n_left_out=self.faces.n_unreadable,
            metrics=metrics,
            evaluation=self.evaluation,
        )

    def _steps_of_epoch(self, stop: StopRequest) -> Any:
        """Train the rest of the current epoch; yield each step's metrics."""
        epoch = self.done // self.epoch_size + 1
        steps = range(self.done, epoch * self.epoch_size)
        dataset = self._dataset(steps)
        for batch in dataset:
            started = time.perf_counter()
            rate = self.schedule.rate(epoch, self.done % self.epoch_size, self.epoch_size)
            metrics = self.step(batch, rate)
            if not (math.isfinite(metrics["loss"]) and self._gradient_is_fine(metrics["gradient_norm"])):
                raise NotFiniteError(
                    f"{self.folder.path}: step {self.done} (epoch {epoch}): the loss is {metrics['loss']} "
                    f"and the gradient's norm {metrics['gradient_norm']}; "
                    f"the last good checkpoint is {self.folder.describe_last()}; "
                    "lower --learning-rate or --clip-norm and train into another -o"
                )
            self.done += 1
            seconds = time.perf_counter() - started
            yield {
                "epoch": epoch,
                "learning_rate": rate,
                **metrics,
                "images_per_second": self.settings.batch_size / seconds,
            }
            if stop.requested:
                return

    def _gradient_is_fine(self, norm: float) -> bool:
        # Float16 overflows now and then; the optimizer skips such a step and lowers its loss scale.
        return math.isfinite(norm) or self.settings.precision == "mixed_float16"

    def _dataset(self, steps: range) -> Any:
        settings, distribution = self.settings, self.distribution
        options: dict[str, Any] = {
            "steps": steps,
            "settings": settings,
            "replica_batch_size": distribution.replica_batch_size(settings.batch_size),
            "rows": local_rows(settings.batch_size, worker=distribution.worker_index, n_workers=distribution.n_workers),
        }

        def make(_: Any) -> tf.data.Dataset:
            if self.features is not None:
                return feature_dataset(self.features, self.faces.labels, self.batches, **options)
            return image_dataset(self.reader, self.faces.labels, self.batches, **options)

        return distribution.strategy.distribute_datasets_from_function(make)

    def _restore(self) -> None:
        found = self.folder.read_last_checkpoint()
        if found is None:
            return
        self.done, arrays = found
        self.best = float(arrays.pop("run/best"))
        write_state(self.network, self.optimizer, arrays, source=self.folder.describe_last())
        logger.info("going on after step %d (epoch %d)", self.done, self.done // self.epoch_size)

    def _save_if_due(self) -> None:
        every = self.settings.checkpoint_every
        if (every > 0 and self.done % every == 0) or (
            every == 0 and time.monotonic() - self._last_save > CHECKPOINT_SECONDS
        ):
            self._save(is_best=False)

    def _save(self, *, is_best: bool) -> None:
        """Write a checkpoint; the run's preset is the best network so far, and the last where nothing was verified."""
        arrays = read_state(self.network, self.optimizer) | {"run/best": np.array(self.best)}
        self.folder.save_checkpoint(arrays, step=self.done, is_best=is_best)
        if is_best or self.best == -math.inf:
            export_run(self.folder, self.network, figures=self.evaluation, step=self.done)
        self._last_save = time.monotonic()

    def _finish_epoch(self, evaluator: Evaluator, logs: "_Logs") -> None:
        epoch = self.done // self.epoch_size
        if not evaluator.has_pairs or (epoch % self.settings.evaluate_every and epoch != self.n_epochs):
            return
        self.evaluation = evaluator.evaluate()
        logs.add_evaluation(self.done - 1, self.evaluation)
        if evaluator.rank(self.evaluation) > self.best:
            self.best = evaluator.rank(self.evaluation)
            self._save(is_best=True)


def _show(bar: Any, metrics: dict[str, float]) -> None:
    bar.update()
    bar.set_postfix(
        epoch=metrics["epoch"], loss=f"{metrics['loss']:.3f}", accuracy=f"{metrics['accuracy']:.2f}", refresh=False
    )


class _Logs:
    """History, evaluations and TensorBoard files of the chief."""

    def __init__(self, run: _TrainingRun, evaluator: Evaluator, logs_dir: Path) -> None:
        path = run.folder.path
        self._history = CsvLog(path / "history.csv", _HISTORY, first_step=run.done)
        self._evaluations = CsvLog(path / "evaluations.csv", evaluator.columns, first_step=run.done)
        self._writer = tf.summary.create_file_writer(str(logs_dir))

    def add_step(self, step: int, metrics: dict[str, float]) -> None:
        self._history.add(step, metrics)
        self._add_scalars("train", step, metrics)

    def add_evaluation(self, step: int, figures: dict[str, float]) -> None:
        self._evaluations.add(step, figures)
        self._add_scalars("verification", step, figures)
        logger.info("step %d: %s", step, ", ".join(f"{name} {value:.4f}" for name, value in figures.items()))

    def close(self) -> None:
        self._history.close()
        self._evaluations.close()
        self._writer.close()

    def _add_scalars(self, group: str, step: int, values: dict[str, float]) -> None:
        with self._writer.as_default():
            for name, value in values.items():
                tf.summary.scalar(f"{group}/{name}", value, step=step)


def _schedule_of(settings: TrainingSettings) -> LearningRateSchedule:
    if settings.schedule_text is not None:
        schedule = parse_schedule(settings.schedule_text, "the schedule in config.json")
    else:
        schedule = LearningRateSchedule(((1, settings.learning_rate),))
    return replace(
        schedule,
        warmup_epochs=settings.warmup_epochs,
        cosine_epochs=settings.epochs if settings.decay == "cosine" else 0,
    )


def _batches_of(settings: TrainingSettings, faces: TrainingFaces) -> Batches:
    if settings.loss == "triplet":
        return PeopleBatches(
            faces.labels,
            batch_size=settings.batch_size,
            seed=settings.seed,
            images_per_person=settings.images_per_person,
        )
    return PermutedBatches(len(faces.paths), batch_size=settings.batch_size, seed=settings.seed)
