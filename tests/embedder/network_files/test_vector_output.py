"""Networks of others through `FaceEmbedder`: their vectors, and the answers to those that are of no use."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from onnx import helper

from embedder.errors import WeightsError
from embedder.networks.face_embedder import FaceEmbedder
from tests.embedder.small_networks import LENGTH, SIZE, vectors_of, write_network, write_record

CROPS = np.random.default_rng(0).integers(0, 256, (3, SIZE, SIZE, 3), np.uint8)


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FACETABLE_CACHE", str(tmp_path / "cache"))


def embedder_of(network: Path, **changes: Any) -> FaceEmbedder:
    return FaceEmbedder(write_record(network, **changes), threads=1)


@pytest.mark.parametrize("batch", ["n", 1, 2])
def test_any_number_of_crops_whatever_batch_the_network_was_exported_with(tmp_path: Path, batch: int | str) -> None:
    embedder = embedder_of(write_network(tmp_path / "net.onnx", batch=batch))
    expected = vectors_of((CROPS - 127.5) / 128)
    np.testing.assert_allclose(embedder.embed(CROPS), expected, atol=1e-5)
    np.testing.assert_allclose(embedder.embed(CROPS[:1]), expected[:1], atol=1e-5)
    assert embedder.embed(CROPS[:0]).shape == (0, LENGTH)


def test_channel_order_mean_scale_and_mirrored_copy_decide_the_vectors(tmp_path: Path) -> None:
    mean, scale = [104.0, 117.0, 123.0], 58.0
    network = write_network(tmp_path / "net.onnx")
    embedder = embedder_of(network, channel_order="BGR", mean=mean, scale=scale, mirrored_copy=True)
    bgr = (CROPS[..., ::-1] - np.array(mean)) / scale
    expected = np.hstack([vectors_of(bgr), vectors_of(bgr[:, :, ::-1])]) / np.sqrt(2)
    np.testing.assert_allclose(embedder.embed(CROPS), expected, atol=1e-5)
    assert embedder.space == {
        "weights_sha256": embedder.preset.weights_sha256,
        "crop_size": SIZE,
        "standardization": "fixed",
        "embedding_length": 2 * LENGTH,
        "layout": "NCHW",
        "channel_order": "BGR",
        "mean": tuple(mean),
        "scale": scale,
        "mirrored_copy": True,
    }


def test_the_output_that_is_named_is_the_vector(tmp_path: Path) -> None:
    network = write_network(
        tmp_path / "net.onnx",
        extra=[helper.make_node("Neg", ["vectors"], ["negative"])],
        outputs=[("vectors", ["n", LENGTH]), ("negative", ["n", LENGTH])],
    )
    expected = vectors_of((CROPS - 127.5) / 128)
    embedder = embedder_of(network, output="negative")
    np.testing.assert_allclose(embedder.embed(CROPS), -expected, atol=1e-5)
    assert embedder.space["output"] == "negative"
    with pytest.raises(
        WeightsError, match="one output, its own gives vectors, negative: name the vector's as `output`"
    ):
        embedder_of(network)
    with pytest.raises(WeightsError, match="`output` is 'other', but its network gives vectors, negative"):
        embedder_of(network, output="other")


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"layout": "NHWC"}, r"`layout` is NHWC, but its network takes \(n, 3, 8, 8\): say NCHW"),
        ({"input_size": 9}, "`input_size` is 9, but its network has 8"),
        ({"embedding_size": 6}, "`embedding_size` is 6, but its network has 5"),
    ],
)
def test_a_record_that_the_network_contradicts_is_refused(
    tmp_path: Path, changes: dict[str, Any], message: str
) -> None:
    network = write_network(tmp_path / "net.onnx")
    with pytest.raises(WeightsError, match=f"`preset` small: {message}; correct the preset's record"):
        embedder_of(network, **changes)


@pytest.mark.parametrize(
    ("nodes", "message"),
    [
        ([helper.make_node("Log", ["vectors"], ["y"])], "numbers that are not finite"),
        (
            [
                helper.make_node("RandomNormalLike", ["vectors"], ["chance"]),
                helper.make_node("Add", ["vectors", "chance"], ["z"]),
                helper.make_node("Mul", ["z", "chance"], ["y"]),
            ],
            "it is not deterministic",
        ),
        ([helper.make_node("Gather", ["vectors", "shape"], ["y"], axis=9)], "found one that it does not load"),
        ([helper.make_node("Shape", ["vectors"], ["s"]), helper.make_node("Cast", ["s"], ["y"], to=1)], "of shape"),
    ],
    ids=["not finite", "chance", "does not load", "no vector"],
)
def test_networks_that_are_of_no_use_get_a_clear_answer(tmp_path: Path, nodes: list[Any], message: str) -> None:
    network = write_network(tmp_path / "net.onnx", extra=nodes, outputs=[("y", ["n", LENGTH])])
    with pytest.raises(WeightsError, match=message) as caught:
        embedder_of(network)
    assert "\n" not in str(caught.value)


def test_a_network_that_does_not_run_is_refused(tmp_path: Path) -> None:
    by_three = [
        helper.make_node("Constant", [], ["by three"], value_ints=[3, -1]),
        helper.make_node("Reshape", ["vectors", "by three"], ["y"]),
    ]
    network = write_network(tmp_path / "net.onnx", extra=by_three, outputs=[("y", ["n", "d"])])
    with pytest.raises(WeightsError, match="its network does not run on 2 crops") as caught:
        embedder_of(network)
    assert "\n" not in str(caught.value)


def test_crops_that_depend_on_each_other_are_found_out(tmp_path: Path) -> None:
    mean = helper.make_node("ReduceMean", ["vectors"], ["mean"], axes=[0])
    network = write_network(
        tmp_path / "net.onnx",
        extra=[mean, helper.make_node("Mul", ["vectors", "mean"], ["y"])],
        outputs=[("y", ["n", LENGTH])],
    )
    with pytest.raises(WeightsError, match="another vector alone than beside a second one"):
        embedder_of(network)
