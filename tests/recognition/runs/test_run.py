from pathlib import Path

import pytest

from recognition.errors import AddressError
from recognition.events.event import make_event
from recognition.events.event_file import EventFile
from recognition.runs.options import Options
from recognition.runs.setup import open_sinks


@pytest.mark.parametrize("addresses", [{"webhook": "no address"}, {"mqtt": "no address"}])
def test_a_wrong_address_costs_no_events(tmp_path: Path, addresses: dict[str, str]) -> None:
    path = tmp_path / "events.jsonl"
    before = EventFile(path)
    before.write(make_event("face", "a.jpg", box=(1, 2, 3, 4), identity="ann", score=0.5, accepted=True))
    before.close()
    with pytest.raises(AddressError):
        open_sinks(Options(("a.mp4",), tmp_path / "head", events=str(path), **addresses))  # type: ignore[arg-type]
    assert path.read_text("utf-8").count("\n") == 1
