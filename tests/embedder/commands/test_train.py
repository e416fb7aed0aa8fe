"""The command ``train``: flags to settings, exit codes, messages."""

import argparse
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from embedder.commands.main import main
from embedder.commands.train import add_train_arguments, settings_of
from embedder.training.model.checkpoints import Checkpoint
from embedder.training.settings import TrainingSettings
from tests.embedder.training.conftest import PROJECT, SMALL_RUN, make_faces

CASIA = PROJECT / "data" / "learning_rate_schedule_casia.txt"


def _settings(*flags: str, checkpoint: Checkpoint | None = None) -> TrainingSettings:
    parser = argparse.ArgumentParser()
    add_train_arguments(parser)
    return settings_of(parser.parse_args(["faces", "-o", "run", *flags]), checkpoint)


def test_folder_and_run_are_a_complete_command() -> None:
    assert _settings() == TrainingSettings()


def test_flags_carry_the_fields_names() -> None:
    settings = _settings(
        "--optimizer",
        "rmsprop",
        "--weight-decay",
        "1e-4",
        "--keep-probability",
        "0.7",
        "--no-random-crop",
        "--random-flip",
        "--random-rotate",
        "--center-loss-factor",
        "0.02",
        "--center-loss-alfa",
        "0.8",
        "--epochs",
        "7",
        "--epoch-size",
        "9",
        "--batch-size",
        "12",
        "--image-size",
        "96",
        "--embedding-size",
        "64",
        "--min-images",
        "3",
        "--validation-split",
        "0.2",
        "--seed",
        "5",
    )
    assert settings == TrainingSettings(
        optimizer="rmsprop",
        learning_rate=0.05,
        weight_decay=1e-4,
        keep_probability=0.7,
        random_crop=False,
        random_flip=True,
        random_rotate=10.0,
        center_loss_factor=0.02,
        center_loss_alfa=0.8,
        epochs=7,
        epoch_size=9,
        batch_size=12,
        image_size=96,
        embedding_size=64,
        min_images=3,
        validation_split=0.2,
        seed=5,
    )
    assert _settings("--random-rotate", "5", "--random-brightness").random_brightness == 0.2


@pytest.mark.parametrize("flags", [["--learning-rate", "-1"], []])
def test_minus_one_reads_the_schedule_file(flags: list[str]) -> None:
    settings = _settings(*flags, "--learning-rate-schedule-file", str(CASIA))
    assert settings.schedule_text == CASIA.read_text()
    assert settings.learning_rate > 0


def test_a_checkpoint_decides_what_the_flags_leave_open() -> None:
    checkpoint = Checkpoint(
        "file", {"Bottleneck/kernel": np.zeros((8, 128), np.float32)}, (), "a" * 64, "per_image", 160, 0.25
    )
    settings = _settings("--pretrained", "file", checkpoint=checkpoint)
    assert (settings.embedding_size, settings.width, settings.standardization) == (128, 0.25, "per_image")
    assert settings.freeze_batch_norm
    assert settings.pretrained_sha256 == "a" * 64
    settings = _settings(
        "--pretrained", "file", "--no-freeze-batch-norm", "--standardization", "fixed", checkpoint=checkpoint
    )
    assert (settings.freeze_batch_norm, settings.standardization) == (False, "fixed")


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        (
            ["--learning-rate", "-1"],
            "`learning_rate` -1 reads the rates from a file; name it with --learning-rate-schedule-file",
        ),
        (["--learning-rate", "0.1", "--learning-rate-schedule-file", str(CASIA)], "`learning_rate` must be -1 beside"),
        (["--batch-size", "1"], "`batch_size` must be at least 2, got 1"),
    ],
)
def test_flags_that_do_not_go_together_are_refused(flags: list[str], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        _settings(*flags)


def test_a_schedule_with_a_typo_is_refused_before_anything_is_read(tmp_path: Path) -> None:
    (tmp_path / "rates.txt").write_text("0: 0.05\n60 0.005\n")
    with pytest.raises(ValueError, match=r"rates.txt, line 2: expected 'epoch: rate', got '60 0.005'"):
        _settings("--learning-rate-schedule-file", str(tmp_path / "rates.txt"))


def _small_flags() -> list[str]:
    return [text for name, value in SMALL_RUN.items() for text in (f"--{name.replace('_', '-')}", str(value))]


def test_the_command_prints_figures_and_lists_what_it_left_out(
    small: None, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("embedder.training.run.runner.configure_threads", lambda: None)
    folder = make_faces(tmp_path / "faces", n_people=5, n_faces=4)
    (folder / "person_00" / "broken.jpg").write_bytes(b"\xff\xd8\xff broken")
    pairs = tmp_path / "pairs.txt"
    for path in (folder / "person_01").iterdir():
        path.rename(path.with_name(f"person_01_{int(path.stem):04d}.png"))
    for path in (folder / "person_02").iterdir():
        path.rename(path.with_name(f"person_02_{int(path.stem):04d}.png"))
    pairs.write_text("2 1\nperson_01 0 1\nperson_01 0 person_02 0\nperson_01 1 2\nperson_01 1 person_02 7\n")
    code = main(
        [
            "train",
            str(folder),
            "-o",
            str(tmp_path / "run"),
            *_small_flags(),
            "--json",
            str(tmp_path / "run.json"),
            "--lfw-dir",
            str(folder),
            "--lfw-pairs",
            str(pairs),
            "--logs-dir",
            str(tmp_path / "logs"),
        ]
    )
    printed = capsys.readouterr()
    assert code == 1
    assert printed.out.startswith(f"{tmp_path / 'run'}: 10 steps, 2 epochs, loss ")
    assert f"--preset {tmp_path / 'run'}" in printed.out
    assert ": 1 face; each pair" in printed.err
    assert "1 file left out, for example person_00/broken.jpg" in printed.err
    assert "person_00/broken.jpg" in (tmp_path / "run" / "left_out.tsv").read_text()
    figures = json.loads((tmp_path / "run.json").read_text())
    assert figures["n_left_out"] == 1
    assert 0 <= figures["lfw_accuracy"] <= 1
    assert list((tmp_path / "logs").iterdir())
    assert (tmp_path / "run" / "checkpoints" / "best.safetensors").is_file()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["absent"], "absent"),
        (["."], "expected sub-folders with aligned faces"),
        ([".", "--lfw-dir", "."], "`lfw_dir` and `lfw_pairs` go together"),
        ([".", "--pretrained", "nothing"], "nothing: expected a file of weights, a training run's folder or"),
        ([".", "--pretrained", "."], "facenet-casia-20180408"),
        ([".", "--learning-rate", "-1"], "--learning-rate-schedule-file"),
    ],
)
def test_what_cannot_run_is_one_line_and_exit_2(
    arguments: list[str], message: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Any
) -> None:
    monkeypatch.setattr("embedder.training.run.runner.configure_threads", lambda: None)
    monkeypatch.chdir(tmp_path)
    assert main(["train", *arguments, "-o", "run"]) == 2
    lines = capsys.readouterr().err.strip().splitlines()
    assert message in lines[-1]
    assert not any("Traceback" in line for line in lines)


def test_a_folder_with_other_files_is_no_run(faces: Path, tmp_path: Path, monkeypatch: Any, capsys: Any) -> None:
    monkeypatch.setattr("embedder.training.run.runner.configure_threads", lambda: None)
    (tmp_path / "letter.txt").write_text("mine")
    assert main(["train", str(faces), "-o", str(tmp_path), *_small_flags()]) == 2
    assert "expected an empty folder or that of a run, found letter.txt without config.json" in capsys.readouterr().err


def test_help_loads_neither_tensorflow_nor_numpy() -> None:
    code = (
        "import sys\nfrom embedder.commands.main import main\n"
        "try:\n    main(['train', '--help'])\nexcept SystemExit:\n    pass\n"
        "sys.exit(any(name in sys.modules for name in ('tensorflow', 'keras', 'numpy', 'cv2')))"
    )
    finished = subprocess.run([sys.executable, "-c", code], cwd=PROJECT, capture_output=True, text=True, check=False)
    assert finished.returncode == 0
    assert "--center-loss-alfa" in finished.stdout
