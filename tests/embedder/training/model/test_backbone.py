"""The trainable network: its shapes, and that what serves it computes the same."""

from pathlib import Path

import keras
import numpy as np
import pytest

from embedder.networks.inception_resnet_v1 import from_safetensors
from embedder.runtime.session import Network
from embedder.runtime.weights import BATCH_NORM_EPSILON
from embedder.training.model.backbone import arrays_of, inception_resnet_v1, save
from tests.embedder.networks.random_weights import random_weights


@pytest.mark.realdata
def test_equals_the_frozen_graph_run_by_tensorflow(reference_embeddings: dict[str, np.ndarray]) -> None:
    frozen = reference_embeddings["frozen"]
    assert np.abs(reference_embeddings["keras_batched"] - frozen).max() <= 1e-4
    assert np.abs(reference_embeddings["keras_single"] - frozen).max() <= 1e-4


def test_stages_have_the_published_shapes() -> None:
    model = inception_resnet_v1(embedding_size=128)
    shapes = {
        "Conv2d_1a_3x3": (79, 79, 32),
        "Conv2d_2b_3x3": (77, 77, 64),
        "MaxPool_3a_3x3": (38, 38, 64),
        "Conv2d_4a_3x3": (36, 36, 192),
        "Conv2d_4b_3x3": (17, 17, 256),
        "Block35_5_Activation": (17, 17, 256),
        "Mixed_6a": (8, 8, 896),
        "Block17_10_Activation": (8, 8, 896),
        "Mixed_7a": (3, 3, 1792),
        "Block8_6_Sum": (3, 3, 1792),
        "AvgPool": (1792,),
        "Bottleneck": (128,),
        "embeddings": (128,),
    }
    assert {name: model.get_layer(name).output.shape[1:] for name in shapes} == shapes
    convolutions = [layer for layer in model.layers if type(layer).__name__ == "Conv2D"]
    assert len(convolutions) == 132
    # As in facenet_keras.h5, running statistics included.
    assert len(arrays_of(model)) == 490
    assert sum(array.size for array in arrays_of(model).values()) == 22_808_144
    norm = model.get_layer("Conv2d_1a_3x3_BatchNorm")
    assert (norm.epsilon, norm.momentum, norm.scale) == (BATCH_NORM_EPSILON, 0.995, False)


def test_the_last_block_adds_its_residual_whole_and_without_activation() -> None:
    model = inception_resnet_v1(width=0.05, embedding_size=3)
    names = [layer.name for layer in model.layers]
    assert "Block8_6_Activation" not in names
    assert "Block8_5_Activation" in names


def test_width_size_and_prelogits() -> None:
    images = np.random.default_rng(0).standard_normal((2, 96, 96, 3)).astype(np.float32)
    model = inception_resnet_v1(embedding_size=7, width=0.1, input_size=96, normalize=False)
    prelogits = np.asarray(model(images))
    assert prelogits.shape == (2, 7)
    assert model.get_layer("Conv2d_4b_3x3").filters == 26
    unit = inception_resnet_v1(embedding_size=7, width=0.1, input_size=None)
    unit.set_weights(model.get_weights())
    expected = prelogits / np.linalg.norm(prelogits, axis=1, keepdims=True)
    np.testing.assert_allclose(np.asarray(unit(images)), expected, atol=1e-5)


def test_dropout_works_in_training_only() -> None:
    keras.utils.set_random_seed(1)  # of so narrow a network, other weights may give zeros alone
    images = np.ones((1, 75, 75, 3), np.float32)
    model = inception_resnet_v1(embedding_size=4, width=0.1, input_size=75, keep_probability=0.5, normalize=False)
    model.get_layer("Bottleneck_BatchNorm").trainable = False
    assert model.get_layer("Dropout").rate == 0.5
    np.testing.assert_array_equal(model(images), model(images))
    assert np.abs(np.asarray(model(images, training=True)) - np.asarray(model(images, training=True))).max() > 0
    assert "Dropout" not in [layer.name for layer in inception_resnet_v1(width=0.05).layers]


def test_what_is_saved_serves_the_same_vectors(tmp_path: Path) -> None:
    arrays = random_weights(width=0.07, embedding_size=5)
    model = inception_resnet_v1(embedding_size=5, width=0.07, input_size=81)
    assert {name: array.shape for name, array in arrays_of(model).items()} == {
        name: array.shape for name, array in arrays.items()
    }
    for layer in model.layers:
        for variable in layer.weights:
            variable.assign(arrays[f"{layer.name}/{variable.name}"])
    save(model, tmp_path / "weights.safetensors", width=0.07)
    (tmp_path / "net.onnx").write_bytes(from_safetensors(tmp_path / "weights.safetensors").SerializeToString())
    images = np.random.default_rng(0).standard_normal((4, 81, 81, 3)).astype(np.float32)
    (served,) = Network(tmp_path / "net.onnx", threads=1).run(images)
    expected = np.asarray(model(images, training=False))
    assert np.abs(expected[0] - expected[1]).max() > 1e-3
    np.testing.assert_allclose(served, expected, atol=1e-5)
