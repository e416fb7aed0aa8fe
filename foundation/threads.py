"""Bound the threads that the numeric libraries use."""

import os

from foundation.errors import InputError

THREADS_VARIABLE = "FACETABLE_THREADS"

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
