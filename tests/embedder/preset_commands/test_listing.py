"""``facetable preset list``: what is here and how to get the rest."""

import json
from pathlib import Path

import pytest

import facetable
from embedder.choosing import listing
from tests.embedder.small_networks import LENGTH, write_network, write_record


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FACETABLE_CACHE", str(tmp_path / "cache"))


def test_all_that_can_be_chosen_is_listed(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    told = tmp_path / "told.json"
    assert facetable.main(["preset", "list", "--no-speed", "--json", str(told)]) == 0
    entries = {entry["name"]: entry for entry in json.loads(told.read_text())}
    assert list(entries) == [
        "facenet-casia-20180408",
        "facenet-ms1m-keras",
        "mobilefacenet-ms1m",
        "mobilefacenet-ms1m+facenet-casia-20180408",
        "mobilefacenet-ms1m+facenet-ms1m-keras",
        "mobilefacenet-ms1m+facenet-ms1m-keras+facenet-casia-20180408",
    ]
    default, mobile = entries["facenet-casia-20180408"], entries["mobilefacenet-ms1m"]
    assert default["is_default"] and default["missing"] == "" and 80 < default["megabytes"] < 100
    assert default["faces_per_second"] is None
    assert "run python -m data.models mobilefacenet" in mobile["missing"] and mobile["megabytes"] is None
    assert entries["mobilefacenet-ms1m+facenet-casia-20180408"]["embedding_length"] == 704
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "facenet-casia-20180408 (default)"
    assert any(line.startswith("  licence: licence claimed, not proved") for line in lines)
    assert any(line.startswith("  not here: ") and "mobilefacenet" in line for line in lines)


def test_ones_own_is_listed_with_its_speed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(listing, "known_presets", list)
    monkeypatch.setattr(listing, "PROBE_SECONDS", 0.0)
    record = write_record(write_network(tmp_path / "net.onnx"), licence="mine")
    gone = write_record(write_network(tmp_path / "gone.onnx"))
    (tmp_path / "gone.onnx").unlink()
    told = tmp_path / "told.json"
    assert facetable.main(["preset", "list", str(record), str(gone), "--json", str(told)]) == 0
    here, missing = json.loads(told.read_text())
    assert (here["name"], here["licence"], here["embedding_length"]) == (str(record), "mine", LENGTH)
    assert here["faces_per_second"] > 0 and here["missing"] == ""
    assert missing["faces_per_second"] is None and "gone.onnx: no such weights file" in missing["missing"]


def test_an_unknown_one_is_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    assert facetable.main(["preset", "list", "no such one", "--no-speed"]) == 2
    assert "`preset` must be one of facenet-casia-20180408" in capsys.readouterr().err
    with pytest.raises(SystemExit) as ended:
        facetable.main(["preset", "list", "--help"])
    assert ended.value.code == 0 and "--threads" in capsys.readouterr().out
