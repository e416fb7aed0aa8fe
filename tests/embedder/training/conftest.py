"""Folders of made-up aligned faces, and short runs over them with a small network."""

import csv
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from tests import PROJECT
from tests.embedder.training.small_network import IMAGE_SIZE

SMALL_RUN = {"image_size": IMAGE_SIZE, "embedding_size": 4, "batch_size": 4, "epochs": 2}
"""Settings of a run that takes seconds with the small network."""


def make_faces(folder: Path, *, n_people: int = 4, n_faces: int = 6, size: int = 91) -> Path:
    """Write made-up faces, each person a pattern of colours with noise, and return `folder`."""
    rng = np.random.default_rng(0)
    for person in range(n_people):
        pattern = rng.uniform(0, 255, (4, 4, 3)).astype(np.uint8)
        pattern = cv2.resize(pattern, (size, size), interpolation=cv2.INTER_CUBIC).astype(np.float64)
        (folder / f"person_{person:02d}").mkdir(parents=True)
        for face in range(n_faces):
            noisy = np.clip(pattern + rng.normal(0, 20, pattern.shape), 0, 255).astype(np.uint8)
            cv2.imwrite(str(folder / f"person_{person:02d}" / f"{face:03d}.png"), noisy)
    return folder


@pytest.fixture(scope="session")
def faces(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder of 4 people with 6 faces of 91 pixels each; never change it."""
    return make_faces(tmp_path_factory.mktemp("aligned") / "faces")


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let training build the small network."""
    from embedder.training.model import network
    from tests.embedder.training.small_network import small_network

    monkeypatch.setattr(network, "inception_resnet_v1", small_network)


@pytest.fixture
def train_small(small: None) -> Callable[..., Any]:
    """Return `train` with the small network and `SMALL_RUN`'s settings, which keyword arguments replace."""
    from embedder.training.run.runner import train
    from embedder.training.settings import TrainingSettings

    def run(folder: Path, out: Path, *, options: dict[str, Any] | None = None, **settings: Any) -> Any:
        return train(folder, out, TrainingSettings(**(SMALL_RUN | settings)), **(options or {}))

    return run


def read_losses(run: Path) -> list[tuple[str, ...]]:
    """Return step, epoch, rate and every metric of each step of a run, as written; not the speed."""
    with (run / "history.csv").open(newline="") as file:
        rows = list(csv.reader(file))
    speed = rows[0].index("images_per_second")
    return [tuple(value for i, value in enumerate(row) if i != speed) for row in rows[1:]]


def start_small_run(*arguments: object, environment: dict[str, str] | None = None) -> subprocess.Popen[str]:
    """Start ``python -m embedder train`` with the small network in another process; ``--then`` begins a second run."""
    settings = [text for name, value in SMALL_RUN.items() for text in (f"--{name.replace('_', '-')}", str(value))]
    given = list(map(str, arguments))
    if "--then" in given:
        given[given.index("--then") + 1 : given.index("--then") + 1] = settings
    command = [sys.executable, "-m", "tests.embedder.training.small_network", *settings, *given]
    # As many threads as TensorFlow takes in the test's own process: sums in another order differ in the last digit.
    variables = {name: value for name, value in os.environ.items() if name != "FACETABLE_THREADS"} | (environment or {})
    return subprocess.Popen(
        command, cwd=PROJECT, env=variables, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
