"""Say what is computed with: how many threads, and on which device networks run.

Both are settings of a process and its children, in environment variables that the command line sets.
"""

import argparse
import os

from foundation.errors import InputError

THREADS_VARIABLE = "FACETABLE_THREADS"
DEVICE_VARIABLE = "FACETABLE_DEVICE"

DEVICES = ("auto", "cpu", "cuda", "coreml", "directml", "openvino", "rocm")
CPU = "cpu"

_LIBRARY_VARIABLES = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "VECLIB_MAXIMUM_THREADS")


def parse_threads(text: str) -> int:
    """Return a thread count from text such as ``"2"``.

    Raises
    ------
    ValueError
        If `text` is not a whole number of at least 1.

    >>> parse_threads("2")
    2
    """
    try:
        threads = int(text)
    except ValueError:
        threads = 0
    if threads < 1:
        raise InputError(f"`threads` must be a whole number of at least 1, got {text!r}; leave it out for all cores")
    return threads


def thread_count() -> int:
    """Return the number of threads to use: ``FACETABLE_THREADS``, else the cores this process may run on.

    Raises
    ------
    ValueError
        If ``FACETABLE_THREADS`` is not a whole number of at least 1.
    """
    text = os.environ.get(THREADS_VARIABLE)
    if text is not None:
        return parse_threads(text)
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def bound_threads(threads: int) -> None:
    """Bound this process and its children to `threads` threads; only scripts call this, before NumPy is imported."""
    for variable in (THREADS_VARIABLE, *_LIBRARY_VARIABLES):
        os.environ[variable] = str(threads)


def device_name() -> str:
    """Return the device that networks are to run on: ``FACETABLE_DEVICE``, else the processor.

    Raises
    ------
    ValueError
        If ``FACETABLE_DEVICE`` is none of `DEVICES`.
    """
    name = os.environ.get(DEVICE_VARIABLE) or CPU
    if name not in DEVICES:
        raise InputError(f"{DEVICE_VARIABLE} must be one of {', '.join(DEVICES)}, got {name!r}; unset it for {CPU}")
    return name


def choose_device(name: str | None) -> None:
    """Let the networks of this process and its children run on one of `DEVICES`; None changes nothing.

    Only scripts call this.
    """
    if name is not None:
        os.environ[DEVICE_VARIABLE] = name


def add_device_argument(parser: "argparse.ArgumentParser | argparse._ArgumentGroup") -> None:
    """Add ``--device``, which `foundation.command_line` hands to `choose_device`."""
    parser.add_argument(
        "--device",
        choices=DEVICES,
        metavar="NAME",
        help=f"where networks run: {', '.join(DEVICES)} (default: ${DEVICE_VARIABLE}, else {CPU}); auto takes the "
        "fastest that is installed",
    )
