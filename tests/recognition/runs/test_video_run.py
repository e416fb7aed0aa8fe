import io
import json
import logging
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from classifiers.scores.preset_files import SHIPPED_FOLDER
from foundation.command_line import EXIT_DONE
from recognition.runs import video_run
from recognition.runs.options import Options
from recognition.sources.source import parse_source
from recognition.tracking.loop import FaceLoop
from tests.recognition.fakes import FakeHead, fake_encoder
from tests.recognition.sources.test_video_file import write_video
from tests.recognition.viewer.test_viewer import FakeWindow


@pytest.fixture
def options(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Options:
    write_video(tmp_path / "a.avi", 30)
    monkeypatch.setattr(video_run, "load_recognizer", lambda *_, **__: (fake_encoder(), FakeHead()))
    return Options((str(tmp_path / "a.avi"),), tmp_path / "head", show=True)


def keys(monkeypatch: pytest.MonkeyPatch, *pressed: int) -> None:
    def window(_title: str, on_click: Callable[[int, int], None]) -> Any:
        return FakeWindow([*pressed], on_click)

    monkeypatch.setattr("recognition.viewer.window.Window", window)


def test_a_video_that_the_user_quits_is_not_called_truncated(
    options: Options, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    keys(monkeypatch, ord("q"))
    with caplog.at_level(logging.WARNING):
        assert video_run.run_on_video(parse_source(options.sources[0]), options, threading.Event()) == EXIT_DONE
    assert caplog.messages == []


def test_a_window_needs_no_standard_input(options: Options, monkeypatch: pytest.MonkeyPatch) -> None:
    keys(monkeypatch, ord("q"))
    monkeypatch.setattr("sys.stdin", None)
    assert video_run.run_on_video(parse_source(options.sources[0]), options, threading.Event()) == EXIT_DONE


def test_a_question_in_the_terminal_is_no_result(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO("张伟\n"))
    assert video_run._ask("name: ") == "张伟\n"
    assert capsys.readouterr() == ("", "name: ")


def test_the_rule_is_that_of_the_network(options: Options, monkeypatch: pytest.MonkeyPatch) -> None:
    rules: list[Any] = []
    made = video_run.FaceLoop

    def listen(*arguments: Any, **others: Any) -> FaceLoop:
        loop = made(*arguments, **others)
        rules.append(loop._tracker._evidence.mean_vector_margin["normalized"])
        return loop

    space = json.loads((SHIPPED_FOLDER / "d8ba40c0127f.json").read_text())["space"]
    monkeypatch.setattr(video_run.FaceEncoder, "fingerprint", {"space": space})
    monkeypatch.setattr(video_run, "FaceLoop", listen)
    keys(monkeypatch, ord("q"))
    assert video_run.run_on_video(parse_source(options.sources[0]), options, threading.Event()) == EXIT_DONE
    assert rules == [0.045]
