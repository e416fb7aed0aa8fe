"""Events lose the tracks of a person; the ledger of aligned faces their photos, and these their crops."""

import json

import pytest

from foundation.errors import InputError
from people.forgetting.forgetting import forget_everywhere
from people.forgetting.line_files import LineFiles
from people.forgetting.person import Person


@pytest.fixture(autouse=True)
def no_cache(monkeypatch, tmp_path):
    monkeypatch.setattr("people.forgetting.forgetting.cache_folder", lambda: tmp_path / "no cache")


def write(path, records):
    path.write_text("".join(json.dumps(record) + "\n" for record in records))
    return path


def event(kind, track, identity, source="door.mp4"):
    return {"event": kind, "source": source, "track": track, "identity": identity}


def test_a_track_goes_whole_and_its_number_is_used_again(tmp_path):
    hers = [event("started", 1, "unknown"), event("identified", 1, "Zoë"), event("ended", 1, "Zoë")]
    others = [event("started", 2, "unknown"), event("ended", 2, "unknown")]
    next_run = [event("started", 1, "unknown"), event("identified", 1, "Bob")]
    photos = [event("face", None, "Zoë", "a.jpg"), event("face", None, "Bob", "a.jpg")]
    path = write(tmp_path / "events.jsonl", [*hers[:1], *others, *hers[1:], *next_run, *photos])
    LineFiles().forget(path, Person("Zoë"))
    assert [json.loads(line) for line in path.read_text().splitlines()] == [*others, *next_run, photos[1]]


def test_a_line_that_is_no_json_stops_it(tmp_path):
    path = write(tmp_path / "events.jsonl", [event("face", None, "Zoë")])
    path.write_text(path.read_text() + '{"event": "fa')
    state = path.read_bytes()
    with pytest.raises(InputError, match="line 2: expected a JSON object"):
        LineFiles().forget(path, Person("Zoë"))
    assert path.read_bytes() == state


def test_aligned_faces_go_with_their_ledger(tmp_path):
    out = tmp_path / "aligned"
    (out / ".align").mkdir(parents=True)
    records = []
    for name in ("Zoë", "Bob"):
        (out / name).mkdir()
        (out / name / "1.png").write_bytes(b"\x89PNG")
        records.append({"photo": f"{name}/1.jpg", "crops": [f"{name}/1.png"], "faces": [[0]]})
    write(out / ".align" / "1-2-ab.jsonl", records)
    report = forget_everywhere([out], Person("Zoë"))
    assert report.left == [] and report.failures == {}
    assert sorted(path.name for path in out.rglob("*.png")) == ["1.png"] and (out / "Bob" / "1.png").exists()
    assert "Bob" in (out / ".align" / "1-2-ab.jsonl").read_text()
