"""Compute results in threads ahead of their consumer, in order."""

from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

_Item = TypeVar("_Item")
_Result = TypeVar("_Result")

MAX_BYTES_WAITING = 256 * 1024 * 1024
"""Bytes of results that may wait; beyond that nothing is begun ahead."""


def prefetch(
    function: Callable[[_Item], _Result],
    items: Iterable[_Item],
    *,
    threads: int,
    depth: int,
    n_bytes: Callable[[_Result], int] = lambda result: 0,
    max_bytes: int = MAX_BYTES_WAITING,
) -> Generator[_Result]:
    """Yield ``function(item)`` for each of `items` in order, computed by threads ahead of the consumer.

    `items` is iterated in the consumer's thread, only as far as needed. What `function` raises is raised here; what
    `items` raises, after the results before.

    Parameters
    ----------
    function : callable
        Called in the threads, with one item at a time.
    items : iterable
    threads : int
    depth : int
        Most items that are begun but not yet taken: more keep the threads busy when items take unequal time, and hold
        more results in memory.
    n_bytes : callable
        Result to its size in bytes.
    max_bytes : int
        What is begun but not yet taken stays below this, and what is not finished counts as much as the largest result
        so far; beyond that only one item at a time is begun.
    """
    pending: deque[Future[_Result]] = deque()
    errors: list[Exception] = []
    remaining = _until_error(items, errors)
    largest: int | None = None
    pool = ThreadPoolExecutor(threads)

    def may_begin() -> bool:
        if not pending or largest is None:
            return len(pending) < min(threads, depth)
        waiting = [n_bytes(future.result()) if _has_result(future) else largest for future in pending]
        return len(pending) < depth and sum(waiting) + largest <= max_bytes

    try:
        item = next(remaining, _END)
        while pending or item is not _END:
            while item is not _END and may_begin():
                pending.append(pool.submit(function, item))  # type: ignore[arg-type]
                item = next(remaining, _END)
            result = pending.popleft().result()
            largest = max(largest if largest is not None else 0, n_bytes(result))
            yield result
    finally:
        pool.shutdown(wait=True, cancel_futures=True)
    if errors:
        raise errors[0]


_END = object()


def _until_error(items: Iterable[_Item], errors: list[Exception]) -> Iterator[_Item]:
    """Yield `items`; an error that ends them goes to `errors`."""
    try:
        yield from items
    except Exception as error:  # noqa: BLE001 - raised again once the results before it are taken
        errors.append(error)


def _has_result(future: Future[_Result]) -> bool:
    return future.done() and future.exception() is None
