import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from embedder.errors import WeightsError
from embedder.networks.face_embedder import FaceEmbedder
from embedder.networks.presets import DEFAULT_PRESET, PRESETS
from tests import PROJECT


@pytest.fixture(scope="module")
def embedder(networks: None) -> FaceEmbedder:
    return FaceEmbedder(threads=1, batch_size=5)


@pytest.mark.realdata
def test_equals_the_frozen_graph_run_by_tensorflow(
    embedder: FaceEmbedder, real_crops: np.ndarray, reference_embeddings: dict[str, np.ndarray]
) -> None:
    frozen = reference_embeddings["frozen"]
    batched = embedder.embed(real_crops)
    single = np.concatenate([embedder.embed(crop[None]) for crop in real_crops])
    assert frozen.shape == (32, 512)
    assert np.abs(frozen[0] - frozen[1]).max() > 0.01
    assert np.abs(batched - frozen).max() <= 1e-4
    assert np.abs(single - frozen).max() <= 1e-4


def test_batches_of_any_size_give_the_same_vectors(embedder: FaceEmbedder) -> None:
    crops = np.random.default_rng(0).integers(0, 256, (7, 160, 160, 3), np.uint8)
    embeddings = embedder.embed(crops)
    assert embeddings.shape == (7, 512)
    assert embeddings.dtype == np.float32
    np.testing.assert_allclose(np.linalg.norm(embeddings, axis=1), 1, atol=1e-5)
    np.testing.assert_allclose(embedder.embed(crops[2:3]), embeddings[2:3], atol=1e-5)
    np.testing.assert_allclose(embedder.embed(crops[::-1]), embeddings[::-1], atol=1e-5)


def test_no_crops_give_no_embeddings(embedder: FaceEmbedder) -> None:
    embeddings = embedder.embed(np.empty((0, 160, 160, 3), np.uint8))
    assert embeddings.shape == (0, 512)
    assert embeddings.dtype == np.float32


@pytest.mark.parametrize(
    "crops",
    [
        np.zeros((1, 160, 160, 3), np.float32),
        np.zeros((160, 160, 3), np.uint8),
        np.zeros((1, 3, 160, 160), np.uint8),
        np.zeros((1, 182, 182, 3), np.uint8),
        np.zeros((1, 160, 160), np.uint8),
        np.zeros((0,), np.uint8),
    ],
)
def test_other_crops_are_refused(embedder: FaceEmbedder, crops: np.ndarray) -> None:
    with pytest.raises(ValueError, match=r"`crops` must be uint8 RGB of shape \(n, 160, 160, 3\), got .*; make them"):
        embedder.embed(crops)


def test_space_and_provenance(embedder: FaceEmbedder) -> None:
    assert embedder.space == {
        "weights_sha256": "704afe26766ce6215931b0bde68650835be9518613d40ce101e641708c7d5c78",
        "crop_size": 160,
        "standardization": "fixed",
        "embedding_length": 512,
    }
    assert embedder.provenance == {"preset": DEFAULT_PRESET, "precision": "fp32"}


def test_an_unknown_preset_lists_the_known_ones() -> None:
    with pytest.raises(ValueError, match=r"got 'facenet'") as caught:
        FaceEmbedder("facenet")
    assert all(name in str(caught.value) for name in PRESETS)


@pytest.mark.usefixtures("networks")
def test_arguments_out_of_range_are_refused() -> None:
    with pytest.raises(ValueError, match=r"`precision` must be one of .*fp32.*, got 'fp16'"):
        FaceEmbedder(precision="fp16")
    with pytest.raises(ValueError, match="`batch_size` must be at least 1, got 0"):
        FaceEmbedder(batch_size=0)
    with pytest.raises(ValueError, match="`threads` must be a whole number of at least 1, got -1"):
        FaceEmbedder(threads=-1)


def test_a_file_that_is_not_the_presets_is_refused(tmp_path: Path) -> None:
    weights = tmp_path / "facenet_keras.h5"
    weights.write_bytes(b"something else")
    with pytest.raises(WeightsError, match=r"facenet_keras.h5: expected SHA-256 6acdd8fb.*, got "):
        FaceEmbedder("facenet-ms1m-keras", weights=weights)


@pytest.mark.parametrize(("name", "size", "found"), [("embedding_size", 128, 512), ("input_size", 96, 160)])
@pytest.mark.usefixtures("networks")
def test_a_network_of_other_sizes_is_refused(name: str, size: int, found: int) -> None:
    preset = replace(PRESETS[DEFAULT_PRESET], **{name: size})
    with pytest.raises(WeightsError, match=f"`{name}` is {size}, but its network has {found}"):
        FaceEmbedder(preset, threads=1)


def test_a_warm_cache_embeds_without_tensorflow(embedder: FaceEmbedder) -> None:
    program = (
        "import sys; import numpy as np; from embedder import FaceEmbedder; "
        "print(FaceEmbedder().embed(np.zeros((1, 160, 160, 3), np.uint8)).shape, "
        "{'tensorflow', 'keras', 'onnx', 'sklearn', 'pandas', 'h5py'} & sys.modules.keys())"
    )
    finished = subprocess.run(
        [sys.executable, "-c", program],
        cwd=PROJECT,
        env=os.environ | {"FACETABLE_THREADS": "1"},
        capture_output=True,
        text=True,
        check=True,
    )
    assert finished.stdout.strip() == "(1, 512) set()"
    assert finished.stderr == ""
