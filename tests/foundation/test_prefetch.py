"""Results computed ahead of whoever takes them."""

import threading
import time

import pytest

from foundation.prefetch import prefetch


def test_prefetch_keeps_order_whatever_the_time_each_takes() -> None:
    def slow_first(i: int) -> int:
        time.sleep(0.02 if i % 3 == 0 else 0)
        return i * i

    assert list(prefetch(slow_first, range(20), threads=4, depth=8)) == [i * i for i in range(20)]
    assert list(prefetch(slow_first, [], threads=4, depth=8)) == []
    assert list(prefetch(slow_first, [3], threads=1, depth=1)) == [9]


def test_prefetch_raises_in_the_consumer_after_what_came_before() -> None:
    def fails_at_two(i: int) -> int:
        if i == 2:
            raise RuntimeError("two")
        return i

    results = prefetch(fails_at_two, range(5), threads=2, depth=3)
    assert [next(results), next(results)] == [0, 1]
    with pytest.raises(RuntimeError, match="two"):
        next(results)


def test_prefetch_goes_ahead_but_not_farther_than_depth() -> None:
    begun: list[int] = []
    three_begun = threading.Event()

    def record(i: int) -> int:
        begun.append(i)
        if len(begun) >= 4:
            three_begun.set()
        return i

    results = prefetch(record, range(100), threads=2, depth=3)
    next(results)
    next(results)
    assert three_begun.wait(5)
    results.close()
    assert 4 <= len(begun) <= 5


def test_prefetch_begins_nothing_while_too_much_waits() -> None:
    in_flight = peak = 0
    lock = threading.Lock()

    def read(i: int) -> int:
        nonlocal in_flight, peak
        with lock:
            in_flight += 1
            peak = max(peak, in_flight)
        return i

    taken = []
    for i in prefetch(read, range(30), threads=2, depth=16, n_bytes=lambda result: 40, max_bytes=100):
        with lock:
            in_flight -= 1
        taken.append(i)
    assert taken == list(range(30)) and peak <= 3  # 2 x 40 bytes wait at most, and one is being taken
    peak = in_flight = 0
    assert len(list(prefetch(read, range(5), threads=2, depth=16, n_bytes=lambda result: 1000, max_bytes=100))) == 5
    assert prefetch(read, range(5), threads=2, depth=16).__next__() == 0


def test_what_the_items_raise_comes_after_the_results_before() -> None:
    def items():
        yield from (1, 2, 3)
        raise RuntimeError("no more")

    results = prefetch(lambda i: 10 * i, items(), threads=2, depth=8)
    assert [next(results), next(results), next(results)] == [10, 20, 30]
    with pytest.raises(RuntimeError, match="no more"):
        next(results)
