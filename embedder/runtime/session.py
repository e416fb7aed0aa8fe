"""Run a converted network with ONNX Runtime, on the processor or on another device.

`foundation.threads.device_name` says on which. A device that fails, when a network is loaded or later, is left for the
processor, which is said once.
"""

import logging
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from foundation.errors import InputError
from foundation.threads import CPU, device_name, thread_count

if TYPE_CHECKING:
    import onnxruntime


_SPIN_MICROSECONDS = 20
"""How long a thread of ONNX Runtime waits busily for its next piece of work.

Enough to bridge the gap between two layers, where sleeping and waking costs more; ONNX Runtime's own 47 milliseconds
would take the cores from whatever decodes the next photo. Measured on two busy cores, embeddings a second in batches of
8: 24.6, against 21.0 without waiting and 17.4 with ONNX Runtime's own.
"""


_PROVIDERS = {
    "cuda": "CUDAExecutionProvider",
    "rocm": "MIGraphXExecutionProvider",
    "coreml": "CoreMLExecutionProvider",
    "directml": "DmlExecutionProvider",
    "openvino": "OpenVINOExecutionProvider",
    CPU: "CPUExecutionProvider",
}
"""ONNX Runtime's name of each device, those first that ``auto`` prefers."""

_WHEELS = {
    "cuda": "onnxruntime-gpu",
    "rocm": "onnxruntime-migraphx",
    "directml": "onnxruntime-directml",
    "openvino": "onnxruntime-openvino",
}
"""The package that brings a device, to be installed in place of ``onnxruntime``."""

_FREE_SIZE = 32
"""Side of the image that a network without a fixed one is tried with: larger than the smallest that MTCNN's take."""

_logger = logging.getLogger(__name__)


class Network:
    """Run a converted network on batches.

    Parameters
    ----------
    path : Path
        The ONNX file.
    threads : int, optional
        Threads of one run, at least 1; by default `foundation.threads.thread_count`. Several networks that run at once
        share the cores best with one thread each.

    Attributes
    ----------
    path : Path
        The ONNX file in the cache.
    device : str
        What it runs on, one of `foundation.threads.DEVICES` but ``"auto"``.

    Raises
    ------
    ValueError
        If `threads` is less than 1, or the installed ONNX Runtime does not know the device that was chosen.
    """

    def __init__(self, path: Path, *, threads: int | None = None) -> None:
        self.path = path
        self.device = _choose_device(device_name())
        self._threads = threads
        self._lock = threading.Lock()
        self._session = self._start()
        self._input = self._session.get_inputs()[0]
        self._input_shape = _fixed_sizes(self._input.shape)
        if self.device != CPU:  # tried before anybody notes what vectors were made on
            shape = [*(size or _FREE_SIZE for size in self.input_shape[1:])]
            self.run(np.zeros((1, *shape), np.float32))

    @property
    def input_shape(self) -> tuple[int | None, ...]:
        """Shape of the batch that `run` takes, NHWC; None for what is free."""
        return self._input_shape

    @property
    def output_shapes(self) -> list[tuple[int | None, ...]]:
        """Shapes of the outputs; None for what depends on the input."""
        return [_fixed_sizes(output.shape) for output in self._session.get_outputs()]

    @property
    def output_names(self) -> list[str]:
        """Names of the outputs, in the order of `run`."""
        return [output.name for output in self._session.get_outputs()]

    def run(self, x: np.ndarray) -> tuple[np.ndarray, ...]:
        """Return the network's outputs for the batch `x`, in the order of the builder's outputs.

        Parameters
        ----------
        x : np.ndarray
            float32, NHWC; the batch may have any length of at least 1.

        Raises
        ------
        ValueError
            If `x` is not a float32 array of the network's shape with at least one row.
        """
        expected = self.input_shape
        fits = x.ndim == len(expected) and all(a in (b, None) for a, b in zip(expected, x.shape, strict=True))
        if not fits or x.dtype != np.float32 or x.size == 0:
            shape = "(" + ", ".join("any" if size is None else str(size) for size in expected) + ")"
            raise InputError(
                f"`x` must be a float32 array of shape {shape} with at least one row, got {x.dtype} of shape {x.shape}"
            )
        session = self._session
        try:
            return tuple(session.run(None, {self._input.name: x}))
        except Exception as error:
            if self.device == CPU and session is self._session:
                raise
            return tuple(self._leave_device(session, error).run(None, {self._input.name: x}))

    def _start(self) -> "onnxruntime.InferenceSession":
        if self.device == CPU:
            return _start_session(self.path, self._threads, CPU)
        try:
            session = _start_session(self.path, self._threads, self.device)
        except InputError:
            raise
        except Exception as error:  # noqa: BLE001 - providers raise what they like
            reason = str(error)
        else:
            if _PROVIDERS[self.device] in session.get_providers():
                return session
            reason = "ONNX Runtime could not load what it needs"
        _report_failure(self.device, reason)
        self.device = CPU
        return _start_session(self.path, self._threads, CPU)

    def _leave_device(self, failed: "onnxruntime.InferenceSession", error: Exception) -> "onnxruntime.InferenceSession":
        """Return a session on the processor; of several threads whose run failed one starts it."""
        with self._lock:
            if self._session is failed:
                _report_failure(self.device, str(error))
                self._session = _start_session(self.path, self._threads, CPU)
                self.device = CPU  # last: while it is another, a thread that fails comes here
            return self._session


def _fixed_sizes(shape: Sequence[Any]) -> tuple[int | None, ...]:
    return tuple(size if isinstance(size, int) else None for size in shape)


def _choose_device(wanted: str) -> str:
    if wanted == CPU:
        return CPU
    import onnxruntime

    installed = set(onnxruntime.get_available_providers())
    found = [name for name, provider in _PROVIDERS.items() if provider in installed]
    if wanted == "auto":
        return found[0] if found else CPU
    if wanted not in found:
        wheel = f"install {_WHEELS[wanted]} in place of onnxruntime" if wanted in _WHEELS else "use it on a Mac"
        raise InputError(
            f"`device` {wanted} is not among what the installed ONNX Runtime runs on, which is "
            f"{', '.join(found) or 'nothing known here'}; {wheel}, or choose --device {CPU}"
        )
    return wanted


_reported: set[str] = set()
"""Devices whose failure was said: networks are several, and each of them fails."""


def _report_failure(device: str, reason: str) -> None:
    if device not in _reported:
        _reported.add(device)
        why = " ".join(reason.split())
        _logger.warning("%s cannot be used (%s); networks run on the processor instead", device, why)


def _start_session(path: Path, threads: int | None, device: str) -> "onnxruntime.InferenceSession":
    if threads is not None and threads < 1:
        raise InputError(f"`threads` must be a whole number of at least 1, got {threads}; leave it out for all cores")
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = thread_count() if threads is None else threads
    options.inter_op_num_threads = 1
    options.log_severity_level = 3
    options.add_session_config_entry("session.intra_op.spin_duration_us", str(_SPIN_MICROSECONDS))
    providers = list(dict.fromkeys([_PROVIDERS[device], _PROVIDERS[CPU]]))
    # ONNX Runtime's own falling back prints to standard output and tells nobody what it fell back to.
    return onnxruntime.InferenceSession(str(path), options, providers=providers, enable_fallback=0)
