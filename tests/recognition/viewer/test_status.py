import io
import logging
import sys

import pytest

from recognition.tracking.detection_interval import Speed
from recognition.viewer.status import StatusLine, describe


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return super().isatty() or True  # a closed one raises


def test_of_a_file() -> None:
    assert describe(Speed(60.0, 12.4, 41.6), 1, share=0.499) == "50%, 60.0 frames/s, 1 face"


def test_a_terminal_shows_one_line_in_place(monkeypatch: pytest.MonkeyPatch) -> None:
    terminal = Terminal()
    monkeypatch.setattr(sys, "stderr", terminal)
    line = StatusLine(is_service=False, interval_s=0.0)
    assert line.is_due
    line.show("a long line")
    line.show("short")
    line.clear()
    assert terminal.getvalue() == "\ra long line\rshort      \r     \r"


def test_a_file_or_pipe_gets_no_status(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stderr", io.StringIO())
    assert not StatusLine(is_service=False).is_due


def test_a_caller_that_has_closed_standard_error_gets_no_status(monkeypatch: pytest.MonkeyPatch) -> None:
    closed = Terminal()
    closed.close()
    for stream in (None, closed):
        monkeypatch.setattr(sys, "stderr", stream)
        line = StatusLine(is_service=False)
        assert not line.is_due
        line.clear()


def test_a_service_logs(caplog: pytest.LogCaptureFixture) -> None:
    line = StatusLine(is_service=True, interval_s=0.0)
    assert line.is_due
    with caplog.at_level(logging.INFO):
        line.show("30 frames/s")
    line.clear()
    assert caplog.messages == ["30 frames/s"]
