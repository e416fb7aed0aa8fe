"""Watching: a scan at once, one after each change, and none that fails ends it."""

import sys
import threading
import time

import pytest

import facetable
from people.errors import WorkspaceError
from people.workspace.watching import watch
from people.workspace.workspace import create_workspace


def wait_for(condition) -> None:
    deadline = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < deadline, "nothing has happened for a minute"
        time.sleep(0.02)


def test_changes_are_scanned_and_a_scan_that_fails_is_tried_again(tmp_path, caplog):
    seen: list[list[str]] = []

    def scan_once() -> None:
        seen.append(sorted(path.name for path in tmp_path.iterdir()))
        if len(seen) == 1:
            (tmp_path / "during.jpg").touch()  # what comes meanwhile is not overlooked
        if len(seen) == 2:
            raise WorkspaceError("family: another scan is running")

    stop = threading.Event()
    watching = threading.Thread(
        target=watch, args=([tmp_path], scan_once), kwargs={"stop": stop, "quiet_seconds": 0.05, "retry_seconds": 0}
    )
    watching.start()
    try:
        wait_for(lambda: len(seen) == 3)
        assert seen == [[], ["during.jpg"], ["during.jpg"]]
        (tmp_path / "a.jpg.xmp").touch()  # sidecars are no photos
        (tmp_path / ".a.jpg.tmp").touch()
        for number in range(3):  # one scan for all of them
            (tmp_path / f"{number}.jpg").touch()
        wait_for(lambda: len(seen) == 4)
        assert seen[3][-1] == "during.jpg" and "2.jpg" in seen[3]
    finally:
        stop.set()
        watching.join(30)
    assert not watching.is_alive() and len(seen) == 4
    assert caplog.messages == ["this scan failed, the next one tries again: family: another scan is running"]


def test_without_the_package_it_is_one_line(tmp_path, monkeypatch, capsys):
    (tmp_path / "photos").mkdir()
    create_workspace(tmp_path / "family", [tmp_path / "photos"])
    monkeypatch.setitem(sys.modules, "watchfiles", None)
    assert facetable.main(["scan", str(tmp_path / "family"), "--watch"]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert "the package `watchfiles`, of the extra `watch`, is not installed" in line


def test_ctrl_c_is_one_line(tmp_path, monkeypatch, capsys):
    (tmp_path / "photos").mkdir()
    create_workspace(tmp_path / "family", [tmp_path / "photos"])

    def interrupted(*_, **__):
        raise KeyboardInterrupt

    monkeypatch.setattr("people.workspace.scan.scan", interrupted)
    assert facetable.main(["scan", str(tmp_path / "family"), "--watch"]) == 130
    (line,) = capsys.readouterr().err.splitlines()
    assert line.endswith("no longer watching; what was scanned is kept")


def test_a_folder_that_is_gone_is_one_line(tmp_path, capsys):
    (tmp_path / "photos").mkdir()
    create_workspace(tmp_path / "family", [tmp_path / "photos"])
    (tmp_path / "photos").rmdir()
    assert facetable.main(["scan", str(tmp_path / "family"), "--watch"]) == 2
    assert len(capsys.readouterr().err.splitlines()) == 1


@pytest.mark.parametrize("name", ["a.JPG", "2019.08", ".facetableignore"])
def test_what_may_matter(name):
    from people.workspace.watching import _may_matter

    assert _may_matter(None, f"/photos/{name}")
