import threading

import pytest

from recognition.outputs.background_writer import BackgroundWriter


def test_jobs_are_done_in_order_by_another_thread() -> None:
    done: list[tuple[int, bool]] = []
    disk = BackgroundWriter(2)
    here = threading.current_thread()
    for number in range(20):
        assert disk.submit(lambda number=number: done.append((number, threading.current_thread() is here)), wait=True)
    disk.close()
    assert done == [(number, False) for number in range(20)]


def test_what_finds_no_room_is_not_done() -> None:
    done: list[int] = []
    begun, go_on = threading.Event(), threading.Event()
    disk = BackgroundWriter(1)
    disk.submit(lambda: begun.set() or go_on.wait(5), wait=False)
    assert begun.wait(5)
    assert [disk.submit(lambda number=number: done.append(number), wait=False) for number in range(3)] == [
        True,
        False,
        False,
    ]
    go_on.set()
    disk.close()
    assert done == [0]


def test_the_first_failure_is_told_once_and_the_others_are_done() -> None:
    done: list[int] = []
    disk = BackgroundWriter(4)
    disk.check()
    for job in (lambda: 1 // 0, lambda: [][0], lambda: done.append(1)):
        disk.submit(job, wait=True)
    with pytest.raises(ZeroDivisionError):
        disk.close()
    disk.close()
    disk.check()
    assert done == [1]
