"""A run's folder is a preset for every command: table, pairs, head, names."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import keras
import pytest

from embedder.training.model.network import TrainingNetwork
from embedder.training.run.export import export_run
from embedder.training.run.folder import RunFolder
from embedder.training.settings import TrainingSettings
from tests.embedder.training.conftest import PROJECT

PAIRS = "2\nbiden 1 2\nobama 1 2\nbiden 1 obama 1\nbiden 2 obama 2\n"


@pytest.mark.realdata
def test_embed_verify_train_and_recognize_take_a_run(data: Path, tmp_path: Path) -> None:
    photos = tmp_path / "photos"
    for name in ("biden", "obama"):
        (photos / name).mkdir(parents=True)
        for number, path in enumerate(sorted((data / "people" / "train" / name).iterdir()), 1):
            shutil.copy(path, photos / name / f"{name}_{number:04d}.jpg")
    (tmp_path / "pairs.txt").write_text(PAIRS)
    keras.utils.set_random_seed(1)  # of so narrow a network, other weights may give zeros alone
    with RunFolder(tmp_path / "run") as run:
        network = TrainingNetwork(TrainingSettings(image_size=80, width=0.03, embedding_size=8), n_classes=2)
        export_run(run, network, figures={"validation_auc": 0.75, "validation_threshold": 1.1}, step=1)

    def call(*command: object) -> str:
        done = subprocess.run([sys.executable, *map(str, command)], cwd=PROJECT, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        return done.stdout

    table, head, preset = tmp_path / "faces.h5", tmp_path / "head.skops", ("--preset", tmp_path / "run")
    call("-m", "embedder", "embed", photos, "-o", table, "--one-face", *preset)
    call(
        "-m",
        "embedder",
        "verify",
        "--pairs",
        tmp_path / "pairs.txt",
        "--images",
        photos,
        *preset,
        "--json",
        tmp_path / "pairs.json",
    )
    fingerprint = json.loads((tmp_path / "pairs.json").read_text())["fingerprint"]
    # Each photo's vector stands beside that of its mirrored copy.
    assert (fingerprint["space"]["crop_size"], fingerprint["space"]["embedding_length"]) == (80, 2 * 8)
    call("train_classifier.py", table, "-o", head, "--threshold", "0.999")
    # An enrolled photo is its own nearest neighbour in any network.
    line = call("recognize.py", photos / "obama" / "obama_0001.jpg", "--head", head, *preset)
    assert line.split()[1] == "obama"
