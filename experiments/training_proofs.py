"""Does training work? Three studies on aligned photos of Labeled Faces in the Wild.

::

    python -m embedder align ../shared/data/lfw/images out/lfw182 --size 182 --margin 44
    python -m experiments.training_proofs scratch out/lfw182 -o out/proofs        training from random weights
    python -m experiments.training_proofs fine-tune out/lfw182 -o out/proofs      the default checkpoint
    python -m experiments.training_proofs centers out/lfw182 -o out/proofs        softmax with and without center loss
    python -m experiments.training_proofs step-time out/lfw182 -o out/proofs      one step against Keras' own `fit`

Each prints its figures as a table and writes them to OUT/STUDY.json; `centers` also draws OUT/centers.png. Figures on
people are always of people who were not trained on. Intervals are bootstrapped over people.
"""

import argparse
import sys
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from experiments.training_figures import Pairs, class_distances, draw_distances, grey_pixels, principal_components
from foundation.command_line import EXIT_DONE, run_script, write_json

#: People of study `scratch` have so many photos at least; people of 2 to 9 photos are verified on.
MIN_PHOTOS = 10
STUDIES = ("scratch", "fine-tune", "centers", "step-time")


def _add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("study", choices=STUDIES)
    parser.add_argument("faces", type=Path, metavar="FACES", help="aligned faces of 182 pixels, one folder a person")
    parser.add_argument("-o", "--out", type=Path, required=True, metavar="OUT", help="folder for runs and figures")
    parser.add_argument("--epochs", type=int, metavar="N", help="instead of the study's own number")


def _run(arguments: argparse.Namespace) -> int:
    from embedder.training.run.runner import configure_threads

    configure_threads()
    arguments.out.mkdir(parents=True, exist_ok=True)
    study = {
        "scratch": study_scratch,
        "fine-tune": study_fine_tuning,
        "centers": study_centers,
        "step-time": study_step_time,
    }[arguments.study]
    started = time.monotonic()
    options = {} if arguments.epochs is None else {"epochs": arguments.epochs}
    figures = study(arguments.faces, arguments.out, **options)
    figures["minutes"] = (time.monotonic() - started) / 60
    write_json(arguments.out / f"{arguments.study}.json", figures)
    print(f"{figures['minutes']:.1f} minutes; figures in {arguments.out / arguments.study}.json")
    return EXIT_DONE


def scratch_settings(epochs: int, **changes: Any) -> Any:
    """Return the settings of training from random weights on little data: a quarter of the width, 96 pixels."""
    from embedder.training.settings import TrainingSettings

    settings: dict[str, Any] = {
        "epochs": epochs,
        "batch_size": 64,
        "image_size": 96,
        "embedding_size": 128,
        "width": 0.25,
        "optimizer": "adam",
        "learning_rate": 2e-3,
        "decay": "cosine",
        "warmup_epochs": 1.0,
        "weight_decay": 5e-4,
        "keep_probability": 0.6,
        "batch_norm_momentum": 0.95,
        "random_rotate": 8.0,
        "random_brightness": 0.15,
        "min_images": MIN_PHOTOS,
        "validation_split": 0.0,
    }
    return TrainingSettings(**settings | changes)


def study_scratch(faces: Path, out: Path, *, epochs: int = 40) -> dict[str, Any]:
    """Train from random weights; verify on other people against an untrained network, raw pixels and PCA."""
    from embedder.training.run.runner import train

    settings = scratch_settings(epochs)
    summary = train(faces, out / "scratch", settings, progress=True)
    people = _people(faces)
    trained = [path for paths in people.values() if len(paths) >= MIN_PHOTOS for path in paths]
    others = {name: paths for name, paths in people.items() if 2 <= len(paths) < MIN_PHOTOS}
    pairs = Pairs(others)
    figures: dict[str, Any] = {
        "training_accuracy": _last_epoch_accuracy(out / "scratch"),
        "epochs": summary.epochs,
        "n_training_people": sum(len(paths) >= MIN_PHOTOS for paths in people.values()),
        "n_training_photos": len(trained),
        "n_other_people": len(others),
        "n_other_photos": len(pairs.paths),
        "n_genuine": int(pairs.genuine.sum()),
        "n_impostor": int((~pairs.genuine).sum()),
    }
    print(f"accuracy over the last epoch's steps: {figures['training_accuracy']:.4f}")
    pixels, training_pixels = grey_pixels(faces, pairs.paths), grey_pixels(faces, trained)
    mean = training_pixels.mean(axis=0)
    vectors = {
        "trained network": _embed(faces, pairs.paths, settings, out / "scratch"),
        "untrained network": _embed(faces, pairs.paths, settings, None),
        "raw pixels": pixels - mean,
        "PCA, 128 components": principal_components(training_pixels - mean, pixels - mean, whiten=False),
        "PCA, 128 whitened components": principal_components(training_pixels - mean, pixels - mean, whiten=True),
    }
    figures["auc"] = {name: pairs.auc_with_interval(found) for name, found in vectors.items()}
    for name, (value, low, high) in figures["auc"].items():
        print(f"{name:32} AUC {value:.4f} [{low:.4f}, {high:.4f}]")
    return figures


def study_centers(faces: Path, out: Path, *, epochs: int = 20) -> dict[str, Any]:
    """Train a small network with softmax alone and with center loss on the same budget, from the same weights."""
    from embedder.training.run.runner import train

    people = _people(faces)
    pairs = Pairs({name: paths for name, paths in people.items() if 2 <= len(paths) < MIN_PHOTOS})
    trained = {name: paths for name, paths in people.items() if len(paths) >= MIN_PHOTOS}
    figures: dict[str, Any] = {"epochs": epochs, "runs": {}}
    distances = {}
    for factor in (0.0, 1e-2, 1e-1):
        settings = scratch_settings(epochs, center_loss_factor=factor, width=0.125, image_size=80, embedding_size=64)
        run = out / f"centers-{factor:g}"
        train(faces, run, settings, progress=True)
        own = class_distances(
            _embed(faces, [path for paths in trained.values() for path in paths], settings, run),
            np.repeat(np.arange(len(trained)), [len(paths) for paths in trained.values()]),
        )
        other = _embed(faces, pairs.paths, settings, run)
        distances[factor] = (own, class_distances(other, pairs.labels))
        figures["runs"][f"{factor:g}"] = {
            "training_accuracy": _last_epoch_accuracy(run),
            "auc_other_people": pairs.auc_with_interval(other),
            "intra_over_inter_training_people": own["ratio"],
            "intra_over_inter_other_people": distances[factor][1]["ratio"],
        }
        values = figures["runs"][f"{factor:g}"]
        print(
            f"center loss factor {factor:g}: intra/inter {own['ratio']:.3f} on its people, "
            f"{values['intra_over_inter_other_people']:.3f} on others; accuracy {values['training_accuracy']:.3f}; AUC "
            f"{values['auc_other_people'][0]:.4f}"
        )
    draw_distances(distances, out / "centers.png")
    return figures


#: Photos of a person in study `fine-tune`, at most: the well-known would outweigh all others.
MAX_PHOTOS = 8
#: The last layer alone, and classes that start where the checkpoint puts them, so that little of what it knows is lost.
FINE_TUNING: dict[str, Any] = {
    "batch_size": 90,
    "train_from": "bottleneck",
    "class_start": "means",
    "cache_features": True,
    "freeze_batch_norm": True,
    "optimizer": "adam",
    "learning_rate": 1e-4,
    "decay": "cosine",
    "center_loss_factor": 1e-2,
    "random_flip": False,
    "weight_decay": 0.0,
    "validation_split": 0.0,
}


def study_fine_tuning(faces: Path, out: Path, *, epochs: int = 10) -> dict[str, Any]:
    """Fine-tune the default checkpoint on half of the people; measure the other half before and after."""
    from embedder.networks.presets import DEFAULT_PRESET
    from embedder.training.model.checkpoints import read_checkpoint
    from embedder.training.run.runner import train
    from embedder.training.settings import TrainingSettings

    people = {name: paths[:MAX_PHOTOS] for name, paths in _people(faces).items()}
    several = sorted(name for name, paths in people.items() if len(paths) >= 4)
    order = np.random.default_rng(0).permutation(len(several))
    half = sorted(several[i] for i in order[: len(several) // 2])
    unseen = _Unseen(faces, people, sorted(set(several) - set(half)), out / "unseen")
    folder = _folder_of(faces, [path for name in half for path in people[name]], out / "half")
    checkpoint = read_checkpoint(DEFAULT_PRESET)
    settings = TrainingSettings(
        **FINE_TUNING, epochs=epochs, pretrained=DEFAULT_PRESET, pretrained_sha256=checkpoint.sha256
    )
    before = unseen.measure(settings, checkpoint)
    summary = train(folder, out / "fine-tune", settings, checkpoint=checkpoint, progress=True)
    figures: dict[str, Any] = {
        "n_training_people": len(half),
        "n_training_photos": sum(len(people[name]) for name in half),
        "n_tested_people": len(unseen.tested),
        "n_tested_photos": len(unseen.pairs.paths),
        "n_strangers": len(unseen.strangers),
        "epochs": summary.epochs,
        "training_accuracy": _last_epoch_accuracy(out / "fine-tune"),
        "settings": FINE_TUNING,
        "before": before,
        "after": unseen.measure(settings, read_checkpoint(out / "fine-tune")),
    }
    for name in ("before", "after"):
        values = figures[name].items()
        print(name, ", ".join(f"{key} {value[0]:.4f} [{value[1]:.4f}, {value[2]:.4f}]" for key, value in values))
    return figures


class _Unseen:
    """People who are not trained on: some enrolled with three photos and looked for, the others strangers."""

    def __init__(self, faces: Path, people: dict[str, list[str]], tested: list[str], folder: Path) -> None:
        self.tested = {name: people[name] for name in tested}
        # Every fifth keeps the share of work on strangers bounded.
        self.strangers = [paths[0] for paths in people.values() if len(paths) < 4][::5]
        self.pairs = Pairs(self.tested)
        self._faces, self._folder = faces, folder
        folder.mkdir(parents=True, exist_ok=True)

    def measure(self, settings: Any, checkpoint: Any) -> dict[str, tuple[float, float, float]]:
        """Return AUC, TAR at FAR 0.1 % and TPIR at FPIR 1 % of a checkpoint, each with its interval."""
        from classifiers.training.metrics import tpir_at_fpir
        from embedder.verification.bootstrap import tar_intervals

        both = self._embed(settings, checkpoint)
        labels = self.pairs.labels
        vectors, others = both[: len(labels)], both[len(labels) :]
        enrolled = np.concatenate([np.flatnonzero(labels == i)[:3] for i in range(len(self.tested))])
        probes = np.setdiff1d(np.arange(len(vectors)), enrolled)
        mated = vectors[probes] @ vectors[enrolled].T
        tpir = tpir_at_fpir(
            mated.max(axis=1),
            labels[enrolled][mated.argmax(axis=1)] == labels[probes],
            (others @ vectors[enrolled].T).max(axis=1),
            fpir=0.01,
            mated_identities=labels[probes],
        )
        people = np.stack([labels[self.pairs.first], labels[self.pairs.second]], axis=1)
        tar = tar_intervals(self.pairs.scores(vectors), self.pairs.genuine, people, fars=(1e-3,))[1e-3]  # type: ignore[arg-type]
        return {
            "auc": self.pairs.auc_with_interval(vectors),
            "tar_at_far_0.001": (tar.value, tar.low, tar.high),
            "tpir_at_fpir_0.01": (tpir.value, tpir.low, tpir.high),
        }

    def _embed(self, settings: Any, checkpoint: Any) -> np.ndarray:
        """Return unit vectors of the tested people's photos, then of the strangers'; the frozen part runs only once."""
        import tensorflow as tf

        from embedder.training.data.input_pipeline import FaceImageReader
        from embedder.training.model.feature_cache import frozen_features
        from embedder.training.model.losses import unit_rows
        from embedder.training.model.network import TrainingNetwork, load_pretrained

        network = TrainingNetwork(replace(settings, random_flip=False), n_classes=2)
        load_pretrained(network, checkpoint)
        paths = [*self.pairs.paths, *self.strangers]
        reader = FaceImageReader(self._faces, paths, size=settings.source_size)
        features = frozen_features(network, reader, len(paths), self._folder)[0]
        sample_indices = tf.zeros((1,), tf.int64)
        rows = [
            unit_rows(
                network.prelogits(tf.constant(features[start : start + 64]), sample_indices, training=False)
            ).numpy()
            for start in range(0, len(paths), 64)
        ]
        return np.concatenate(rows)


def study_step_time(faces: Path, out: Path, *, epochs: int = 30) -> dict[str, Any]:
    """Time one step against Keras' own `fit` on the same graph and batch; `epochs` is the number of steps."""
    import keras
    import tensorflow as tf

    from embedder.training.model.network import TrainingNetwork
    from embedder.training.model.optimizers import build_optimizer
    from embedder.training.run.step import TrainingStep

    settings = scratch_settings(1, center_loss_factor=1e-2, warmup_epochs=0.0, keep_probability=1.0)
    n_classes, size = 100, settings.image_size
    images = tf.random.stateless_normal((settings.batch_size, size, size, 3), (0, 0))
    labels = tf.range(settings.batch_size) % n_classes
    network = TrainingNetwork(settings, n_classes=n_classes)
    step = TrainingStep(network, build_optimizer(settings), tf.distribute.get_strategy())
    sample_indices = tf.range(settings.batch_size, dtype=tf.int64)

    reference = TrainingNetwork(settings, n_classes=n_classes).model
    logits = keras.layers.Dense(n_classes)(reference.output)
    model = keras.Model(reference.input, logits)
    model.compile(
        keras.optimizers.Adam(settings.learning_rate, global_clipnorm=settings.clip_norm),
        keras.losses.SparseCategoricalCrossentropy(from_logits=True),
        metrics=["accuracy"],
    )
    dataset = tf.data.Dataset.from_tensors((images, labels)).repeat()

    def time_ours(n_steps: int) -> float:
        started = time.perf_counter()
        for _ in range(n_steps):
            step((images, labels, sample_indices), settings.learning_rate)
        return (time.perf_counter() - started) / n_steps

    def time_keras(n_steps: int) -> float:
        started = time.perf_counter()
        model.fit(dataset, steps_per_epoch=n_steps, epochs=1, verbose=0)
        return (time.perf_counter() - started) / n_steps

    time_ours(3), time_keras(3)
    # In turn, so that a busy moment of the machine meets both.
    rounds = [(time_ours(5), time_keras(5)) for _ in range(max(1, epochs // 5))]
    ours, theirs = (float(np.median([pair[i] for pair in rounds])) for i in (0, 1))
    print(f"step {1000 * ours:.0f} ms, Keras fit {1000 * theirs:.0f} ms, ratio {ours / theirs:.3f}")
    return {"step_seconds": ours, "keras_fit_seconds": theirs, "ratio": ours / theirs, "rounds": rounds}


def _people(faces: Path) -> dict[str, list[str]]:
    from embedder.images.listing import list_images

    people: dict[str, list[str]] = {}
    for path in list_images(faces).paths:
        if len(path.parts) > 1:
            people.setdefault(path.parts[0], []).append(path.as_posix())
    return people


def _folder_of(faces: Path, paths: Sequence[str], folder: Path) -> Path:
    """Return a folder with links to some faces."""
    for path in paths:
        link = folder / path
        link.parent.mkdir(parents=True, exist_ok=True)
        if not link.exists():
            link.symlink_to((faces / path).absolute())
    return folder


def _embed(faces: Path, paths: Sequence[str], settings: Any, run: Path | None, *, checkpoint: Any = None) -> np.ndarray:
    """Return unit vectors by the network of a run, or without one by the network that the run started from."""
    import keras

    from embedder.training.data.dataset import TrainingFaces
    from embedder.training.model.checkpoints import read_checkpoint
    from embedder.training.model.network import TrainingNetwork, load_pretrained
    from embedder.training.run.evaluation import Evaluator

    keras.utils.set_random_seed(settings.seed)
    network = TrainingNetwork(settings, n_classes=2)
    weights = read_checkpoint(run) if run is not None else checkpoint
    if weights is not None:
        load_pretrained(network, weights)
    nobody = TrainingFaces(faces, (), (), np.zeros(0, np.int32), (), (), (), (), 0, 0, "")
    return Evaluator(network, nobody, None).embed_faces(faces, paths)


def _last_epoch_accuracy(run: Path) -> float:
    import pandas as pd

    history = pd.read_csv(run / "history.csv")
    return float(history.accuracy[history.epoch == history.epoch.max()].mean())


if __name__ == "__main__":
    sys.exit(
        run_script("python -m experiments.training_proofs", "Does training work?", _add_arguments, _run, argv=None)
    )
