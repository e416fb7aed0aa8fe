import json

import pytest

from recognition.events.console import FanOutSink, JsonLinesSink, TextSink, describe_event, print_no_face
from recognition.events.event import Event, make_event


def event(kind: str, identity: str = "ann", *, accepted: bool = True) -> Event:
    return make_event(
        kind,
        "clip.mp4",
        frame=30,
        time_s=1.2,
        track=4,
        box=(1, 2, 30, 40),
        identity=identity,
        score=0.5,
        accepted=accepted,
    )


def test_lines_of_a_track(capsys: pytest.CaptureFixture[str]) -> None:
    lines = TextSink()
    for kind in ("started", "identified", "changed", "ended"):
        lines.write(event(kind))
    lines.write(event("ended", "unknown", accepted=False))
    lines.close()
    assert capsys.readouterr().out.splitlines() == [
        "clip.mp4\tann\t0.500\t1,2,30,40\t1.200s\ttrack 4",
        "clip.mp4\tann\t0.500\t1,2,30,40\t1.200s\ttrack 4",
        "clip.mp4\tunknown\t0.500\t1,2,30,40\t1.200s\ttrack 4",
    ]


def test_a_name_cannot_break_a_line() -> None:
    assert describe_event(event("face", "a\tb\n\x1b[2J")) == "clip.mp4\ta b  [2J\t0.500\t1,2,30,40\t1.200s\ttrack 4"


def test_a_photo_without_a_face(capsys: pytest.CaptureFixture[str]) -> None:
    print_no_face("a b.jpg")
    assert capsys.readouterr().out == "a b.jpg\tno face\n"


def test_events_on_standard_output(capsys: pytest.CaptureFixture[str]) -> None:
    sink = JsonLinesSink()
    sink.write(event("started"))
    sink.close()
    assert json.loads(capsys.readouterr().out)["event"] == "started"


class Sink:
    def __init__(self, error: Exception | None = None) -> None:
        self.events: list[Event] = []
        self.closed = False
        self.error = error

    def write(self, event: Event) -> None:
        self.events.append(event)
        if self.error is not None:
            raise self.error

    def close(self) -> None:
        self.closed = True
        if self.error is not None:
            raise self.error


def test_all_sinks_get_all_events_and_are_closed() -> None:
    sinks = [Sink(OSError("full")), Sink()]
    fan = FanOutSink(sinks)
    with pytest.raises(OSError, match="full"):
        fan.write(event("face"))
    with pytest.raises(OSError, match="full"):
        fan.close()
    assert [len(sink.events) for sink in sinks] == [1, 1]
    assert all(sink.closed for sink in sinks)
    FanOutSink([]).close()
