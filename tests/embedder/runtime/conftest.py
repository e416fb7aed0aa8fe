from pathlib import Path

import numpy as np
import pytest

from tests.embedder.runtime.residual_network import residual_network


@pytest.fixture
def network(tmp_path: Path) -> Path:
    return residual_network(tmp_path / "net.onnx")


@pytest.fixture
def batches() -> list[np.ndarray]:
    rng = np.random.default_rng(1)
    return [rng.uniform(-1, 1, (4, 6, 6, 3)).astype(np.float32) for _ in range(8)]


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "cache"
    monkeypatch.setenv("FACETABLE_CACHE", str(folder))
    return folder
