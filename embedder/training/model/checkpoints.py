"""Weights files of other programs: which kind a file is, told from its content, and what it holds.

Read are TensorFlow 1 checkpoints (``model-*.ckpt-*.index`` and ``.data-*``), frozen graphs (``.pb``) with slim's names,
batch norm folded or not, Keras HDF5 files named like ``facenet_keras.h5``, and safetensors. Pickles run code when they
are read and are refused.
"""

from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np

from embedder.errors import WeightsError
from embedder.networks.presets import PRESET_FILE, PRESETS, get_preset
from embedder.runtime.frozen_graph import read_frozen_graph
from embedder.runtime.weights import Arrays, add_slim_variable, read_h5, read_safetensors
from embedder.training.settings import WEIGHTS_FILES
from foundation.errors import InputError
from foundation.formats import hash_file
from foundation.text import pluralize

_HDF5_SIGNATURE = b"\x89HDF\r\n\x1a\n"


@dataclass(frozen=True)
class Checkpoint:
    """Weights to start from.

    Attributes
    ----------
    name : str
        Where they come from, for messages.
    arrays : dict
        ``"layer/variable"`` to array, under the names of `embedder.networks.inception_resnet_v1`.
    unused : tuple of str
        Variables of the file that are not the network's.
    sha256 : str
        Of the file.
    standardization : str or None
        How the network wants its pixels, None when the file does not tell.
    input_size : int or None
        Height and width of its images in pixels, None when the file does not tell.
    width : float
        Width multiplier.
    """

    name: str
    arrays: Arrays
    unused: tuple[str, ...]
    sha256: str
    standardization: str | None = None
    input_size: int | None = None
    width: float = 1.0

    @property
    def embedding_size(self) -> int:
        """Length of the vectors."""
        return int(self.arrays["Bottleneck/kernel"].shape[-1])


def read_checkpoint(source: str | Path) -> Checkpoint:
    """Read the weights of a preset, of a training run's folder, or of a file of another program.

    Raises
    ------
    WeightsError
        If the file is of no known kind, a pickle, damaged, or holds another network.
    ValueError
        If `source` is neither a file nor a known preset.
    OSError
        If the file cannot be read.
    """
    path = Path(source)
    if str(source) in PRESETS or (path / PRESET_FILE).is_file():
        preset = get_preset(source)
        arrays, unused, width = _read_arrays(preset.find_weights())
        return Checkpoint(
            str(source),
            _checked(arrays, path),
            unused,
            preset.weights_sha256,
            preset.standardization,
            preset.input_size,
            width,
        )
    check_source(source)
    prefix = _tf1_prefix(path)
    file = path if prefix is None else Path(f"{prefix}.index")
    arrays, unused, width = _read_arrays(path) if prefix is None else (*read_tf1_checkpoint(prefix), 1.0)
    sha256 = hash_file(file)
    known = [preset for preset in PRESETS.values() if preset.weights_sha256 == sha256]
    return Checkpoint(
        str(source),
        _checked(arrays, path),
        unused,
        sha256,
        known[0].standardization if known else None,
        known[0].input_size if known else None,
        width,
    )


def read_tf1_checkpoint(prefix: Path) -> tuple[Arrays, tuple[str, ...]]:
    """Read a TensorFlow 1 checkpoint, the files ``PREFIX.index`` and ``PREFIX.data-*``.

    Returns
    -------
    arrays : dict
        The network's variables.
    unused : tuple of str
        The names of the others: classes, optimizer slots, moving averages.

    Raises
    ------
    WeightsError
        If the files are damaged or one is missing.
    """
    import tensorflow as tf

    arrays: Arrays = {}
    try:
        reader = tf.train.load_checkpoint(str(prefix))
        names = sorted(reader.get_variable_to_shape_map())
        unused = tuple(name for name in names if not add_slim_variable(arrays, name, partial(reader.get_tensor, name)))
    except (tf.errors.OpError, ValueError, RuntimeError) as error:
        raise WeightsError(
            f"{prefix}: not a whole TensorFlow 1 checkpoint ({' '.join(str(error).split())[:200]}); "
            "expected the .index file and all .data files beside it"
        ) from None
    return arrays, unused


def _read_arrays(path: Path) -> tuple[Arrays, tuple[str, ...], float]:
    """Return arrays, unused names and width of a single file."""
    with path.open("rb") as file:
        first = file.read(16)
    if _is_pickle(first, path):
        raise WeightsError(
            f"{path}: a pickle (or a PyTorch or NumPy archive that may hold one), which can run code when "
            f"it is read; expected {WEIGHTS_FILES}: convert it to safetensors where it came from"
        )
    if first.startswith(_HDF5_SIGNATURE):
        return read_h5(path), (), 1.0
    if first[8:9] == b"{":
        arrays, settings = read_safetensors(path)
        try:
            return arrays, (), float(settings.get("width", "1"))
        except ValueError:
            raise WeightsError(
                f"{path}: expected a number as `width` in its metadata, got {settings['width']!r}"
            ) from None
    if path.suffix != ".pb":
        raise WeightsError(f"{path}: unknown kind of file; expected {WEIGHTS_FILES}")
    return read_frozen_graph(path), (), 1.0


def _is_pickle(first: bytes, path: Path) -> bool:
    # Protocol 2 and later begin with 0x80 and the protocol's number; PyTorch and NumPy archives are zips of pickles.
    protocol = first[:1] == b"\x80" and first[1:2] in {b"\x02", b"\x03", b"\x04", b"\x05"}
    return (
        protocol or first.startswith((b"PK\x03\x04", b"\x93NUMPY")) or path.suffix in {".pkl", ".pickle", ".pt", ".pth"}
    )


def check_source(source: str | Path) -> None:
    """Refuse what `read_checkpoint` cannot find, before the framework is loaded, which takes half a minute.

    Raises
    ------
    WeightsError
        If a folder holds several checkpoints.
    ValueError
        If `source` is neither a file nor a known preset.
    """
    path = Path(source)
    if str(source) not in PRESETS and not path.exists() and _tf1_prefix(path) is None:
        raise InputError(
            f"{path}: expected a file of weights, a training run's folder or one of {', '.join(PRESETS)}, found "
            "nothing; check the path"
        )
    if _tf1_prefix(path) is None and not path.is_file():
        get_preset(source)  # Raises and lists what there is.


def _tf1_prefix(path: Path) -> Path | None:
    """Return the prefix of the checkpoint that `path` names: itself, one of its files, or the folder it is alone in."""
    if path.is_dir():
        found = sorted(path.glob("*.index"))
        if len(found) > 1:
            names = ", ".join(entry.name for entry in found)
            raise WeightsError(f"{path}: expected one TensorFlow 1 checkpoint, found {names}; name one of them")
        return found[0].with_suffix("") if found else None
    if path.suffix == ".index" or path.suffix.startswith(".data-") or path.suffix == ".meta":
        return path.with_suffix("")
    return path if Path(f"{path}.index").is_file() else None


def _checked(arrays: Arrays, path: Path) -> Arrays:
    if "Bottleneck/kernel" not in arrays:
        some = ", ".join(sorted(arrays)[:3]) if arrays else "none"
        raise WeightsError(
            f"{path}: expected the weights of Inception-ResNet-v1, found no Bottleneck/kernel among its "
            f"{pluralize(len(arrays), 'array')} ({some}); give the file of another network to the program it belongs to"
        )
    broken = next((name for name, array in arrays.items() if not np.isfinite(array).all()), None)
    if broken is not None:
        raise WeightsError(
            f"{path}: expected finite weights, found {broken} with NaN or infinity; the file is damaged, or its "
            "training failed: take another"
        )
    return arrays
