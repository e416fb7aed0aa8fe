import logging
import os
import shutil
import threading
import time
from pathlib import Path
from typing import Any

import pytest

from recognition.runs.head_watcher import HeadWatcher, file_version
from tests.recognition.fakes import ANN, BOB, FakeHead


def load(path: Path) -> Any:
    names = path.read_text().split()
    if "torn" in names:
        raise ValueError(f"{path}: damaged")
    return FakeHead(dict.fromkeys(names, ANN))


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "head"
    path.write_text("ann")
    return path


def replace(path: Path, text: str) -> None:
    new = path.with_suffix(".new")
    new.write_text(text)
    new.replace(path)


def test_a_head_that_stays_gives_nothing_new(file: Path) -> None:
    watcher = HeadWatcher(file, load, {}, known=file_version(file))
    watcher.poll()
    assert watcher.poll_new_head() is None


def test_a_replaced_head_is_given_once(file: Path) -> None:
    watcher = HeadWatcher(file, load, {"space": 1}, known=file_version(file))
    replace(file, "ann bob")
    watcher.poll()
    head = watcher.poll_new_head()
    assert head is not None
    assert head.labels == ["ann", "bob"]
    assert head.checked == [{"space": 1}]  # type: ignore[attr-defined]
    assert watcher.poll_new_head() is None


def test_a_file_that_is_being_written_changes_nothing_until_it_is_whole(
    file: Path, caplog: pytest.LogCaptureFixture
) -> None:
    watcher = HeadWatcher(file, load, {}, known=file_version(file))
    with caplog.at_level(logging.WARNING):
        for text in ("torn", "torn and longer"):
            replace(file, text)
            watcher.poll()
            assert watcher.poll_new_head() is None
        replace(file, "bob")
        watcher.poll()
    head = watcher.poll_new_head()
    assert head is not None
    assert head.labels == ["bob"]
    assert [record.message for record in caplog.records] == [f"the head before stays in use: {file}: damaged"]


def test_a_file_that_is_no_head_is_loaded_once_until_it_changes(file: Path) -> None:
    loaded: list[str] = []

    def load_noting(path: Path) -> Any:
        loaded.append(path.read_text())
        return load(path)

    watcher = HeadWatcher(file, load_noting, {}, known=file_version(file))
    replace(file, "torn")
    for _ in range(3):
        watcher.poll()
    assert loaded == ["torn"]
    text = file.read_text()
    file.unlink()
    watcher.poll()
    file.write_text(text)
    watcher.poll()
    assert loaded == ["torn", "torn"], "what was away may be another file"
    replace(file, "bob")
    watcher.poll()
    assert watcher.poll_new_head() is not None


def test_a_file_that_could_not_be_opened_is_tried_again(file: Path) -> None:
    answers: list[Any] = [PermissionError("not now"), FakeHead({"bob": BOB})]

    def load_in_turn(_: Path) -> Any:
        answer = answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer

    watcher = HeadWatcher(file, load_in_turn, {}, known=file_version(file))
    replace(file, "bob")
    watcher.poll()
    assert watcher.poll_new_head() is None
    watcher.poll()
    assert watcher.poll_new_head() is not None


def test_a_head_that_was_replaced_since_it_was_loaded_is_taken(file: Path) -> None:
    known = file_version(file)
    replace(file, "ann bob")
    watcher = HeadWatcher(file, load, {}, known=known)
    watcher.poll()
    assert watcher.poll_new_head() is not None


def test_a_removed_file_changes_nothing(file: Path) -> None:
    watcher = HeadWatcher(file, load, {}, known=file_version(file))
    file.unlink()
    watcher.poll()
    assert watcher.poll_new_head() is None


def test_a_head_of_another_network_is_not_taken(file: Path, caplog: pytest.LogCaptureFixture) -> None:
    class Other(FakeHead):
        def check_fingerprint(self, fingerprint: Any) -> None:
            raise ValueError("other weights")

    watcher = HeadWatcher(file, lambda _: Other({"bob": BOB}), {}, known=file_version(file))  # type: ignore[arg-type, return-value]
    replace(file, "bob")
    watcher.poll()
    assert watcher.poll_new_head() is None
    assert "the head before stays in use: other weights" in caplog.text


def test_a_change_is_noticed(file: Path) -> None:
    watcher = HeadWatcher(file, load, {}, known=file_version(file))
    watcher.start()
    replace(file, "bob")
    os.utime(file)
    until_s = time.monotonic() + 60
    head = None
    while head is None and time.monotonic() < until_s:
        head = watcher.poll_new_head()
        time.sleep(0.01)
    watcher.stop()
    assert head is not None
    assert head.labels == ["bob"]


@pytest.mark.realdata
def test_a_head_that_is_saved_again_and_again_is_never_read_torn(
    people_head: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    from classifiers.files.head_file import load_head, save_head

    path = tmp_path / "head.skops"
    shutil.copy(people_head, path)
    head = load_head(path)
    watcher = HeadWatcher(path, load_head, dict(head.fingerprint), known=file_version(path))
    writer = threading.Thread(target=lambda: [save_head(head, path) for _ in range(20)])
    writer.start()
    n_taken = 0
    while writer.is_alive():
        watcher.poll()
        n_taken += watcher.poll_new_head() is not None
    writer.join()
    assert n_taken > 3
    assert caplog.messages == [message for message in caplog.messages if "changed, 5 people" in message]
