"""TFLite files written as ONNX: each operator against NumPy, the PReLU pattern, and what is refused."""

from pathlib import Path

import numpy as np
import pytest
import tflite

from embedder.errors import WeightsError
from embedder.network_files.tflite_file import from_tflite
from embedder.networks.face_embedder import FaceEmbedder
from embedder.networks.presets import get_preset
from embedder.runtime.session import Network
from tests.embedder.network_files.tflite_files import BUILTIN, TfliteFile

RNG = np.random.default_rng(5)
SIDE = 6
PICTURES = (2, SIDE, SIDE, 3)
IMAGES = RNG.standard_normal((3, SIDE, SIDE, 3)).astype(np.float32)
KERNEL = RNG.standard_normal((4, 3, 3, 3)).astype(np.float32)  # (out, rows, columns, in)
DEPTHWISE = RNG.standard_normal((1, 3, 3, 3)).astype(np.float32)
BIAS, SLOPES = RNG.standard_normal(3), RNG.uniform(0.1, 0.4, 3)


def write(file: TfliteFile, source: int, output: int, folder: Path) -> Path:
    path = folder / "net.tflite"
    path.write_bytes(file.content(source, output))
    return path


def run(path: Path, images: np.ndarray = IMAGES) -> np.ndarray:
    onnx_path = path.with_suffix(".onnx")
    onnx_path.write_bytes(from_tflite(path).SerializeToString())
    return Network(onnx_path, threads=1).run(images)[0]


def started() -> tuple[TfliteFile, int]:
    file = TfliteFile()
    return file, file.tensor(PICTURES)


def windows(images: np.ndarray, before: int, after: int) -> np.ndarray:
    padded = np.pad(images, ((0, 0), (before, after), (before, after), (0, 0)))
    return np.lib.stride_tricks.sliding_window_view(padded, (3, 3), axis=(1, 2))


@pytest.mark.parametrize(("stride", "padding"), [(1, 0), (2, 0), (1, 1), (2, 1)])
def test_convolutions_pad_as_the_schema_says(tmp_path: Path, stride: int, padding: int) -> None:
    side = -(-SIDE // stride) if padding == 0 else (SIDE - 3) // stride + 1
    spare = max((side - 1) * stride + 3 - SIDE, 0) if padding == 0 else 0
    seen = windows(IMAGES, spare // 2, spare - spare // 2)[:, ::stride, ::stride]
    options = {"StrideW": stride, "StrideH": stride, "Padding": padding}

    file, x = started()
    y = file.step(BUILTIN.CONV_2D, [x, file.constant(KERNEL)], (2, side, side, 4), **options)
    expected = np.einsum("nrcihw,ohwi->nrco", seen, KERNEL)
    np.testing.assert_allclose(run(write(file, x, y, tmp_path)), expected, atol=1e-5)

    file, x = started()
    inputs = [x, file.constant(DEPTHWISE), file.constant(BIAS)]
    y = file.step(
        BUILTIN.DEPTHWISE_CONV_2D, inputs, (2, side, side, 3), DepthMultiplier=1, FusedActivationFunction=1, **options
    )
    expected = np.maximum(np.einsum("nrcihw,hwi->nrci", seen, DEPTHWISE[0]) + BIAS, 0)
    np.testing.assert_allclose(run(write(file, x, y, tmp_path)), expected, atol=1e-5)


def prelu(file: TfliteFile, x: int, slopes: np.ndarray) -> int:
    """Add relu(x) + c (x - |x|), in the order in which converters write it."""
    positive = file.step(BUILTIN.RELU, [x], PICTURES)
    absolute = file.step(BUILTIN.ABS, [x], PICTURES)
    difference = file.step(BUILTIN.SUB, [x, absolute], PICTURES)
    product = file.step(BUILTIN.MUL, [file.constant(slopes / 2), difference], PICTURES)
    return file.step(BUILTIN.ADD, [positive, product], PICTURES)


def test_a_prelu_in_five_operators_is_found_and_written_as_the_runtime_likes_it(tmp_path: Path) -> None:
    file, x = started()
    path = write(file, x, prelu(file, prelu(file, x, SLOPES), SLOPES[::-1]), tmp_path)
    expected = np.where(IMAGES > 0, IMAGES, IMAGES * SLOPES * SLOPES[::-1])
    np.testing.assert_allclose(run(path), expected, atol=1e-6)
    kinds = [node.op_type for node in from_tflite(path).graph.node]
    assert kinds == ["Transpose", *2 * ["Mul", "Mul", "Relu", "Add"], "Transpose"]


def test_what_only_resembles_a_prelu_is_computed_as_it_stands(tmp_path: Path) -> None:
    file, x = started()
    positive = file.step(BUILTIN.RELU, [x], PICTURES)
    absolute = file.step(BUILTIN.ABS, [x], PICTURES)
    difference = file.step(BUILTIN.SUB, [absolute, x], PICTURES)
    product = file.step(BUILTIN.MUL, [difference, file.constant(SLOPES)], PICTURES)
    path = write(file, x, file.step(BUILTIN.ADD, [product, positive], PICTURES), tmp_path)
    expected = np.maximum(IMAGES, 0) + SLOPES * (np.abs(IMAGES) - IMAGES)
    np.testing.assert_allclose(run(path), expected, atol=1e-5)
    assert "Abs" in [node.op_type for node in from_tflite(path).graph.node]


def test_an_inner_value_used_elsewhere_is_kept(tmp_path: Path) -> None:
    file, x = started()
    y = prelu(file, x, SLOPES)
    absolute = next(output for code, _, output, _ in file.operators if code == BUILTIN.ABS)
    path = write(file, x, file.step(BUILTIN.ADD, [y, absolute], PICTURES), tmp_path)
    expected = np.where(IMAGES > 0, IMAGES, IMAGES * SLOPES) + np.abs(IMAGES)
    np.testing.assert_allclose(run(path), expected, atol=1e-5)


def test_vectors_come_out_of_a_reshape_and_a_matrix(tmp_path: Path) -> None:
    matrix = RNG.standard_normal((5, SIDE * SIDE * 3)).astype(np.float32)
    file, x = started()
    shifted = file.step(BUILTIN.SUB, [x, file.constant(BIAS)], PICTURES)
    leaky = file.step(BUILTIN.PRELU, [shifted, file.constant(SLOPES.reshape(1, 1, 3))], PICTURES)
    flat = file.step(BUILTIN.RESHAPE, [leaky], (2, SIDE * SIDE * 3))
    y = file.step(BUILTIN.FULLY_CONNECTED, [flat, file.constant(matrix)], (2, 5))
    moved = IMAGES - BIAS
    expected = np.where(moved > 0, moved, moved * SLOPES).reshape(3, -1) @ matrix.T
    np.testing.assert_allclose(run(write(file, x, y, tmp_path)), expected, atol=1e-4)


@pytest.mark.parametrize(
    ("code", "message"),
    [
        (BUILTIN.LOGISTIC, r"net\.tflite: expected operators that face networks are made of, found LOGISTIC \(t1\); "),
        (BUILTIN.RESHAPE, r"found RESHAPE from \(2, 6, 6, 3\) to \(2, 7\); convert it to ONNX with tf2onnx"),
        (BUILTIN.CUSTOM, "found CUSTOM"),
    ],
)
def test_an_operator_that_is_not_known_is_named(tmp_path: Path, code: int, message: str) -> None:
    file, x = started()
    path = write(file, x, file.step(code, [x], (2, 7)), tmp_path)
    with pytest.raises(WeightsError, match=message):
        from_tflite(path)


def test_a_quantized_network_is_refused(tmp_path: Path) -> None:
    file = TfliteFile()
    x = file.tensor(PICTURES, kind=tflite.TensorType.UINT8)
    path = write(file, x, file.step(BUILTIN.RELU, [x], PICTURES), tmp_path)
    with pytest.raises(WeightsError, match="expected a network of FLOAT32, found t0 of UINT8; take the network"):
        from_tflite(path)


def test_another_file_and_a_damaged_one_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "net.tflite"
    path.write_bytes(b"\x89PNG\r\n\x1a\n and so on")
    with pytest.raises(WeightsError, match=r"net\.tflite: expected a TFLite file, found a PNG"):
        from_tflite(path)
    file, x = started()
    content = file.content(x, prelu(file, x, SLOPES))
    file_refused = 0
    for position in range(8, len(content), 37):
        damaged = bytearray(content)
        damaged[position : position + 4] = b"\xff\xff\xff\x7f"
        path.write_bytes(damaged[: len(damaged) - position % 5])
        try:
            from_tflite(path)
        except WeightsError as error:
            assert "\n" not in str(error)
            file_refused += 1
    assert file_refused > 5


@pytest.mark.tensorflow
def test_mobilefacenet_gives_what_the_interpreter_of_its_makers_gives() -> None:
    preset = get_preset("mobilefacenet-ms1m")
    try:
        weights = preset.find_weights()
    except WeightsError as error:
        pytest.skip(str(error))
    import tensorflow as tf

    crops = np.random.default_rng(0).integers(0, 256, (6, 112, 112, 3), np.uint8)
    interpreter = tf.lite.Interpreter(str(weights))
    interpreter.allocate_tensors()
    taken, given = interpreter.get_input_details()[0]["index"], interpreter.get_output_details()[0]["index"]
    expected = []
    for start in (0, 2, 4):
        interpreter.set_tensor(taken, preset.standardize(crops[start : start + 2]))
        interpreter.invoke()
        expected.extend(interpreter.get_tensor(given))
    unit = np.array(expected) / np.linalg.norm(expected, axis=1, keepdims=True)
    assert np.abs(FaceEmbedder(preset, threads=1).embed(crops) - unit).max() <= 1e-4
