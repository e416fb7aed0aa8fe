"""Starting from weights: what is loaded, what stays frozen, and features computed once."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from embedder.errors import WeightsError
from embedder.runtime.weights import read_safetensors
from embedder.training.data import input_pipeline
from embedder.training.model.backbone import arrays_of
from embedder.training.model.checkpoints import Checkpoint
from embedder.training.model.network import TrainingNetwork, load_pretrained
from embedder.training.run.runner import NotFiniteError
from embedder.training.settings import TrainingSettings
from tests.embedder.training.conftest import SMALL_RUN, read_losses

Train = Callable[..., Any]


@pytest.fixture
def checkpoint(small: None) -> Checkpoint:
    import keras

    keras.utils.set_random_seed(5)
    network = TrainingNetwork(TrainingSettings(**SMALL_RUN), n_classes=2)
    arrays = arrays_of(network.model)
    rng = np.random.default_rng(0)
    for name in arrays:
        if name.endswith(("moving_mean", "moving_variance")):
            arrays[name] = rng.uniform(0.5, 1.5, arrays[name].shape).astype(np.float32)
    return Checkpoint("teacher", arrays, ("Logits/weights",), "0" * 64)


def _final_weights(run: Path) -> dict[str, np.ndarray]:
    return read_safetensors(next(run.glob("weights-*.safetensors")))[0]


def test_frozen_layers_and_batch_norm_statistics_stay_as_they_were(
    faces: Path, tmp_path: Path, train_small: Train, checkpoint: Checkpoint, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO")
    train_small(
        faces,
        tmp_path / "run",
        options={"checkpoint": checkpoint},
        pretrained="teacher",
        train_from="mixed_7a",
        freeze_batch_norm=True,
        learning_rate=0.01,
    )
    after = _final_weights(tmp_path / "run")
    changed = {name for name, array in after.items() if not np.array_equal(array, checkpoint.arrays[name])}
    assert changed == {"Bottleneck/kernel", "Bottleneck_BatchNorm/beta"}
    assert "teacher: not used: 1 other variables, for example Logits/weights" in caplog.text
    assert "all network weights from teacher; class weights random; trained from mixed_7a on: 28 of" in caplog.text


def test_without_freezing_everything_is_trained(
    faces: Path, tmp_path: Path, train_small: Train, checkpoint: Checkpoint
) -> None:
    train_small(faces, tmp_path / "run", options={"checkpoint": checkpoint}, pretrained="teacher", learning_rate=0.01)
    after = _final_weights(tmp_path / "run")
    assert not any(np.array_equal(array, checkpoint.arrays[name]) for name, array in after.items())


def test_cached_features_give_the_losses_of_the_whole_network(
    faces: Path, tmp_path: Path, train_small: Train, checkpoint: Checkpoint
) -> None:
    settings: dict[str, Any] = {
        "options": {"checkpoint": checkpoint},
        "pretrained": "teacher",
        "train_from": "bottleneck",
        "freeze_batch_norm": True,
        "random_crop": False,
        "random_flip": False,
    }
    train_small(faces, tmp_path / "whole", **settings)
    train_small(faces, tmp_path / "cached", cache_features=True, **settings)
    whole, cached = (np.array(read_losses(tmp_path / name), float) for name in ("whole", "cached"))
    np.testing.assert_allclose(cached, whole, rtol=1e-5, atol=1e-6)
    assert np.load(tmp_path / "cached" / "features.npy").shape == (1, 24, 6)


@pytest.mark.parametrize("cached", [False, True])
def test_classes_start_at_the_means_of_their_embeddings(
    faces: Path, tmp_path: Path, train_small: Train, checkpoint: Checkpoint, cached: bool
) -> None:
    settings: dict[str, Any] = {
        "options": {"checkpoint": checkpoint},
        "pretrained": "teacher",
        "train_from": "bottleneck",
        "freeze_batch_norm": True,
        "random_crop": False,
        "cache_features": cached,
    }
    for start in ("random", "means"):
        train_small(faces, tmp_path / start, class_start=start, **settings)
    random, means = (np.array(read_losses(tmp_path / start)[0], float) for start in ("random", "means"))
    names = (tmp_path / "means" / "history.csv").read_text().splitlines()[0].split(",")
    names.remove("images_per_second")
    loss, distance = names.index("classification_loss"), names.index("center_distance")
    assert means[loss] < random[loss] - 0.2
    assert means[distance] < random[distance] / 10


def test_nan_planted_in_cached_features_is_noticed(
    faces: Path, tmp_path: Path, train_small: Train, checkpoint: Checkpoint
) -> None:
    settings: dict[str, Any] = {
        "options": {"checkpoint": checkpoint},
        "pretrained": "teacher",
        "train_from": "bottleneck",
        "freeze_batch_norm": True,
        "cache_features": True,
    }
    train_small(faces, tmp_path / "run", epochs=1, **settings)
    features = np.load(tmp_path / "run" / "features.npy")
    assert features.shape == (2, 24, 6)
    features[:, 3] = np.nan
    np.save(tmp_path / "run" / "features.npy", features)
    with pytest.raises(NotFiniteError, match=r"epoch 2\): the loss is nan .*step-000000006"):
        train_small(faces, tmp_path / "run", epochs=2, **settings)


@pytest.mark.parametrize(
    ("name", "array", "message"),
    [
        ("Bottleneck/kernel", None, "teacher: expected Bottleneck/kernel of shape .* got nothing"),
        (
            "Bottleneck/kernel",
            np.zeros((6, 9), np.float32),
            r"of shape \(6, 4\), got \(6, 9\); it is another network, or one of",
        ),
        (
            "Bottleneck/kernel",
            np.full((6, 4), np.nan, np.float32),
            "Bottleneck/kernel holds values that are not finite",
        ),
    ],
)
def test_weights_that_do_not_fit_are_refused(
    checkpoint: Checkpoint, name: str, array: np.ndarray | None, message: str
) -> None:
    arrays = dict(checkpoint.arrays)
    del arrays[name]
    if array is not None:
        arrays[name] = array
    network = TrainingNetwork(TrainingSettings(**SMALL_RUN), n_classes=2)
    with pytest.raises(WeightsError, match=message):
        load_pretrained(network, replace(checkpoint, arrays=arrays))


def test_a_whole_checkpoint_leaves_nothing_over(checkpoint: Checkpoint) -> None:
    network = TrainingNetwork(TrainingSettings(**SMALL_RUN), n_classes=2)
    assert load_pretrained(network, replace(checkpoint, unused=())) == "nothing left over"


def test_features_of_a_network_without_frozen_layers_are_refused(small: None, faces: Path, tmp_path: Path) -> None:
    from embedder.training.model.feature_cache import frozen_features

    network = TrainingNetwork(TrainingSettings(**SMALL_RUN), n_classes=2)
    reader = input_pipeline.FaceImageReader(faces, ["person_00/000.png"], size=91)
    with pytest.raises(ValueError, match="`cache_features` needs frozen layers before `train_from`, got 'stem'"):
        frozen_features(network, reader, 1, tmp_path)
