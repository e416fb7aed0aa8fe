"""The life of a run: what it writes, how it stops and goes on, and what it refuses."""

import json
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from embedder.networks.presets import get_preset
from embedder.runtime.weights import read_safetensors
from embedder.training.data import input_pipeline
from embedder.training.run.folder import CheckpointError, RunFolder, RunFolderError, RunLockedError
from embedder.training.run.runner import NotFiniteError
from tests.embedder.training.conftest import make_faces, read_losses, start_small_run

Train = Callable[..., Any]


def test_a_run_learns_and_writes_all_it_promises(faces: Path, tmp_path: Path, train_small: Train) -> None:
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    out = tmp_path / "run"
    summary = train_small(faces, out, epochs=8, learning_rate=0.01, validation_split=0.5, keep_probability=1.0)
    losses = [float(row[3]) for row in read_losses(out)]
    assert (summary.steps, summary.epochs, summary.interrupted) == (24, 8, False)
    assert len(losses) == 24
    assert np.mean(losses[-3:]) < 0.8 * np.mean(losses[:3])
    assert summary.evaluation["validation_auc"] > 0.5

    config = json.loads((out / "config.json").read_text())
    assert config["settings"]["batch_size"] == 4
    assert (config["n_faces"], config["n_identities"], config["n_validation_faces"]) == (12, 2, 12)
    assert len(config["data_sha256"]) == 64
    assert len((out / "identities.txt").read_text().splitlines()) == 2
    preset = get_preset(out)
    assert (preset.input_size, preset.embedding_size, preset.standardization) == (80, 4, "fixed")
    arrays, metadata = read_safetensors(preset.find_weights())
    assert arrays["Bottleneck/kernel"].shape == (6, 4)
    assert metadata == {"width": "1.0", "input_size": "80"}

    log = EventAccumulator(str(out / "logs"), size_guidance={"tensors": 0}).Reload()
    tags = log.Tags()["tensors"]
    assert {
        "train/loss",
        "train/learning_rate",
        "train/center_distance",
        "train/images_per_second",
        "verification/validation_auc",
    } <= set(tags)
    assert [event.step for event in log.Tensors("train/loss")] == list(range(24))


def test_a_run_that_goes_on_equals_one_that_never_stopped(faces: Path, tmp_path: Path, train_small: Train) -> None:
    settings = {"random_rotate": 10.0, "random_brightness": 0.2, "optimizer": "rmsprop"}
    train_small(faces, tmp_path / "whole", epochs=3, **settings)
    train_small(faces, tmp_path / "parts", epochs=1, **settings)
    train_small(faces, tmp_path / "parts", epochs=3, **settings)
    assert read_losses(tmp_path / "parts") == read_losses(tmp_path / "whole")
    assert len(read_losses(tmp_path / "whole")) == 18


def test_another_seed_gives_other_losses(faces: Path, tmp_path: Path, train_small: Train) -> None:
    train_small(faces, tmp_path / "zero", epochs=1)
    train_small(faces, tmp_path / "one", epochs=1, seed=1)
    assert read_losses(tmp_path / "zero") != read_losses(tmp_path / "one")


def _signal_in_mid_epoch(processes: dict[Path, subprocess.Popen[str]], signals: dict[Path, int]) -> None:
    """Send each process its signal as soon as its run has written ten steps or more."""
    waiting = set(processes)
    deadline = time.monotonic() + 120
    while waiting:
        assert time.monotonic() < deadline, f"ten steps did not come in two minutes: {waiting}"
        for out in list(waiting):
            history = out / "history.csv"
            if history.is_file() and len(history.read_text().splitlines()) > 10:
                processes[out].send_signal(signals[out])
                waiting.remove(out)
        time.sleep(0.01)


def test_a_run_killed_in_mid_epoch_goes_on_as_if_undisturbed(faces: Path, tmp_path: Path, train_small: Train) -> None:
    killed, stopped = tmp_path / "killed", tmp_path / "stopped"
    processes = {
        out: start_small_run(faces, "--epochs", 3000, "--checkpoint-every", 4, "-o", out) for out in (killed, stopped)
    }
    _signal_in_mid_epoch(processes, {killed: signal.SIGKILL, stopped: signal.SIGINT})
    printed = {out: process.communicate(timeout=120) for out, process in processes.items()}
    assert [process.returncode for process in processes.values()] == [-signal.SIGKILL, 130], printed
    assert "run the same command to go on" in printed[stopped][0]
    assert get_preset(stopped).embedding_size == 4
    epochs = max(len(read_losses(out)) for out in (killed, stopped)) // 6 + 2
    for out in (killed, stopped, tmp_path / "whole"):
        train_small(faces, out, epochs=epochs)
        assert len(read_losses(out)) == epochs * 6
    assert read_losses(killed) == read_losses(tmp_path / "whole")
    assert read_losses(stopped) == read_losses(tmp_path / "whole")


def test_a_run_that_is_done_does_nothing_more(faces: Path, tmp_path: Path, train_small: Train, caplog: Any) -> None:
    caplog.set_level("INFO")
    train_small(faces, tmp_path / "run", epochs=1)
    before = read_losses(tmp_path / "run")
    summary = train_small(faces, tmp_path / "run", epochs=1)
    assert (summary.steps, summary.metrics) == (6, {})
    assert "nothing left to do, trained for 1 epoch; raise --epochs" in caplog.text
    assert read_losses(tmp_path / "run") == before


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"width": 2.0}, r"width 2.0 \(was 1.0\); use the same ones, or another -o"),
        ({"optimizer": "sgd", "seed": 3}, r"optimizer 'sgd' \(was 'adam'\); seed 3 \(was 0\)"),
    ],
)
def test_other_settings_are_refused(
    faces: Path, tmp_path: Path, train_small: Train, change: dict[str, Any], message: str
) -> None:
    train_small(faces, tmp_path / "run", epochs=1)
    with pytest.raises(RunFolderError, match=message):
        train_small(faces, tmp_path / "run", epochs=2, **change)


def test_other_classes_are_refused(tmp_path: Path, train_small: Train) -> None:
    folder = make_faces(tmp_path / "faces")
    train_small(folder, tmp_path / "run", epochs=1)
    (folder / "person_00").rename(folder / "somebody")
    with pytest.raises(RunFolderError, match=r"started on other faces: now 24 of 4 identities .* then 24 of 4"):
        train_small(folder, tmp_path / "run", epochs=2)


def test_a_run_folder_in_use_is_refused(faces: Path, tmp_path: Path, train_small: Train) -> None:
    with RunFolder(tmp_path / "run"), pytest.raises(RunLockedError, match="another process is training in this folder"):
        train_small(faces, tmp_path / "run")


def test_nan_in_the_data_stops_and_names_step_and_checkpoint(
    faces: Path, tmp_path: Path, train_small: Train, monkeypatch: pytest.MonkeyPatch
) -> None:
    train_small(faces, tmp_path / "run", epochs=1)
    monkeypatch.setattr(input_pipeline, "FIXED_SCALE", float("nan"))
    with pytest.raises(NotFiniteError, match=r"step 6 \(epoch 2\): the loss is nan .* checkpoint is .*step-000000006"):
        train_small(faces, tmp_path / "run", epochs=2)
    step, arrays = RunFolder(tmp_path / "run").read_last_checkpoint() or (0, {})
    assert step == 6
    assert all(np.isfinite(array).all() for name, array in arrays.items() if name != "run/best")


def test_a_full_disk_at_a_checkpoint_keeps_the_one_before(
    faces: Path, tmp_path: Path, train_small: Train, monkeypatch: pytest.MonkeyPatch
) -> None:
    import resource

    train_small(faces, tmp_path / "run", epochs=1)
    kept = sorted(path.name for path in (tmp_path / "run" / "checkpoints").iterdir())
    save = RunFolder.save_checkpoint

    def save_without_room(self: RunFolder, *arguments: Any, **options: Any) -> Path:
        soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
        resource.setrlimit(resource.RLIMIT_FSIZE, (1000, hard))
        try:
            return save(self, *arguments, **options)
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))

    with monkeypatch.context() as patched:
        patched.setattr(RunFolder, "save_checkpoint", save_without_room)
        with pytest.raises(
            CheckpointError, match=r"step 12: .* last good checkpoint is .*step-000000006.safetensors; free"
        ):
            train_small(faces, tmp_path / "run", epochs=2)
    assert sorted(path.name for path in (tmp_path / "run" / "checkpoints").iterdir()) == kept
    assert train_small(faces, tmp_path / "run", epochs=2).steps == 12


@pytest.mark.parametrize(
    "settings",
    [
        {"optimizer": "rmsprop"},
        {"optimizer": "adamw", "weight_decay": 0.1},
        {"optimizer": "sgd"},
        {"optimizer": "adagrad"},
        {"precision": "mixed_bfloat16"},
        {"precision": "mixed_float16"},
        {"loss": "arcface", "arcface_scale": 8.0},
        {"loss": "triplet", "images_per_person": 4, "batch_size": 8, "triplet_margin": 2.0},
        {"center_update": "sequential", "prelogits_norm_factor": 1e-3, "center_loss_factor": 0.1},
        {"decay": "cosine", "warmup_epochs": 1.0},
        {"standardization": "per_image"},
        {"schedule_text": "0: 0.02\n5: 0.005\n9: -1"},
    ],
    ids=lambda settings: "-".join(map(str, next(iter(settings.items())))),
)
def test_every_optimizer_loss_and_precision_learns(
    faces: Path, tmp_path: Path, train_small: Train, settings: dict[str, Any]
) -> None:
    rate = {"rmsprop": 0.05, "sgd": 0.05, "adagrad": 0.1}.get(settings.get("optimizer", ""), 0.01)
    options = {"keep_probability": 1.0, "random_crop": False, "learning_rate": rate, "epochs": 8} | settings
    summary = train_small(faces, tmp_path / "run", **options)
    losses = [float(row[4]) for row in read_losses(tmp_path / "run")]
    assert np.isfinite(losses).all()
    assert np.mean(losses[-4:]) < np.mean(losses[:4])
    assert summary.steps == len(losses)
