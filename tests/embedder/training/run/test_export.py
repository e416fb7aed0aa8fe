"""A run's preset serves the vectors that the network had in training."""

from pathlib import Path

import numpy as np
import pytest

from embedder.networks.face_embedder import FaceEmbedder
from embedder.networks.presets import get_preset
from embedder.training.data.dataset import read_faces_folder
from embedder.training.data.input_pipeline import FaceImageReader, central_crop
from embedder.training.model.network import TrainingNetwork
from embedder.training.run.evaluation import Evaluator
from embedder.training.run.export import export_run
from embedder.training.run.folder import RunFolder
from embedder.training.settings import TrainingSettings


def test_the_preset_of_a_run_gives_the_vectors_of_its_network(
    faces: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FACETABLE_CACHE", str(tmp_path / "cache"))
    settings = TrainingSettings(image_size=80, width=0.03, embedding_size=8, standardization="per_image")
    network = TrainingNetwork(settings, n_classes=4)
    found = read_faces_folder(faces, source_size=91, validation_split=0.5)
    vectors = Evaluator(network, found, None).embed_faces(faces, found.validation_paths)
    with RunFolder(tmp_path / "run") as run:
        export_run(run, network, figures={}, step=1)
        export_run(run, network, figures={"validation_auc": 0.75, "validation_threshold": 1.1}, step=2)
    assert [path.name for path in (tmp_path / "run").glob("*.safetensors")] == ["weights-000000002.safetensors"]

    preset = get_preset(tmp_path / "run")
    reader = FaceImageReader(faces, found.validation_paths, size=91)
    crops = np.stack([central_crop(reader.read(i), 80) for i in range(len(found.validation_paths))])
    served = FaceEmbedder(preset, threads=1).embed(crops)
    np.testing.assert_allclose(served, vectors, atol=2e-5)
    assert (preset.name, preset.input_size, preset.embedding_size) == ("run", 80, 8)
    assert preset.verification_threshold == 1.1
    assert preset.accuracy == "in training, after step 2: validation_auc 0.7500, validation_threshold 1.1000"
