"""A seeded twentieth of the study of damaged files, and the study's own parts."""

import io
import json
import random
import shutil
import zipfile
from pathlib import Path
from typing import Any

import pytest

from embedder.images.formats import FORMATS, format_of
from embedder.images.reading import read_image
from experiments.fuzz import __main__ as command
from experiments.fuzz.damage import damage_bytes, damage_entry, damage_json, damage_list, damage_photo
from experiments.fuzz.kinds import KINDS
from experiments.fuzz.seeds import make_heads, make_photos
from experiments.fuzz.study import FINE, Counts, Reader, judge, make_cache, make_whole_files, run_study

WELL_READ = ("heads", "csvs", "runs", "photos", "tables", "weights")
"""Kinds of which no damaged file may fail."""


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("whole")
    make_whole_files(folder, [*KINDS])
    return folder


@pytest.mark.parametrize("way", [damage_bytes, damage_photo])
def test_damage_is_of_its_seed_and_of_many_kinds(way: Any) -> None:
    content = bytes(range(256)) * 4
    damaged = [way(content, [b"other" * 9], random.Random(seed)) for seed in range(50)]
    assert damaged == [way(content, [b"other" * 9], random.Random(seed)) for seed in range(50)]
    assert len(set(damaged) - {content}) > 40
    assert min(map(len, damaged)) < len(content) < max(map(len, damaged))
    assert any(b"\xff\xff\xff\xff" in one for one in damaged)


def test_damaged_lists_and_json_are_still_text(whole: Path) -> None:
    lines = (whole / "csvs" / "people.csv").read_bytes()
    assert all(damage_list(lines, [], random.Random(seed)).decode() is not None for seed in range(50))
    record = json.dumps({"a": [1, {"b": 2.5}], "c": "text"}).encode()
    damaged = {damage_json(record, [], random.Random(seed)) for seed in range(100)}
    assert len(damaged) > 30 and any(b"NaN" in one for one in damaged) and any(b"[[[[[[" in one for one in damaged)


def test_entries_are_damaged_behind_right_checksums(tmp_path: Path) -> None:
    head = make_heads(tmp_path)[0].read_bytes()
    for seed in range(20):
        with zipfile.ZipFile(io.BytesIO(damage_entry(head, [], random.Random(seed)))) as archive:
            assert archive.testzip() is None


def test_photos_of_every_format_are_made(tmp_path: Path) -> None:
    photos = make_photos(tmp_path)
    assert {format_of(photo.read_bytes()[:64]).name for photo in photos} == {
        known.name for known in FORMATS if not known.package
    }  # type: ignore[union-attr]
    assert {read_image(photo).shape for photo in photos} == {(90, 120, 3), (120, 90, 3)}


GOOD = {"code": 0, "errors": "", "broken": "", "seconds": 0.1, "bytes": 10**8}


@pytest.mark.parametrize(
    ("answer", "outcome"),
    [
        ({}, "read"),
        ({"code": 2, "errors": "prog: error: in/a.h5: expected b, found c\n"}, "refused in one line"),
        ({"code": 1, "errors": "p.jpg: failure to enrol, missing\n"}, "read but for what is listed"),
        ({"code": 2, "errors": "prog: error: something\n"}, "does not name the file"),
        ({"code": 2, "errors": ""}, "does not name the file"),
        ({"errors": "Traceback (most recent call last):\n"}, "traceback"),
        (
            {"code": 2, "errors": "error: unexpected KeyError: 1; run again with --debug and report it"},
            "unexpected error",
        ),
        ({"seconds": 21.0}, "too slow"),
        ({"bytes": 2**31 + 1}, "too large"),
        ({"broken": "names"}, "breaks a rule: names"),
    ],
)
def test_outcomes(answer: dict[str, Any], outcome: str) -> None:
    assert judge({**GOOD, **answer}, Path("in/a.h5")) == outcome


def test_whole_files_are_read_and_a_process_that_ends_is_started_again(whole: Path, tmp_path: Path) -> None:
    with Reader(whole) as reader:
        for name in KINDS:
            for number, path in enumerate(sorted((whole / name).iterdir())):
                copy = tmp_path / f"{name} {number}" / "in" / path.name
                copy.parent.mkdir(parents=True)
                (shutil.copytree if path.is_dir() else shutil.copy)(path, copy)
                answer = reader.read(name, copy)
                assert answer is not None and judge(answer, copy) == "read", answer
        assert reader.read("what is no question ends it\t", tmp_path) is None
        assert reader.read("photos", copy) is not None


def test_the_study_has_a_cache_of_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    users = tmp_path / "users"
    (users / "verification").mkdir(parents=True, mode=0o700)
    users.chmod(0o700)
    (users / "network.onnx").write_bytes(b"converted")
    (users / "verification" / "photos.h5").write_bytes(b"a damaged table of the user's")
    monkeypatch.setenv("FACETABLE_CACHE", str(users))
    own = make_cache(tmp_path / "own")
    assert [path.relative_to(own).as_posix() for path in own.rglob("*")] == ["network.onnx"]
    assert make_cache(own) == own, "a second process finds it made"
    asked: list[dict[str, str]] = []

    def begin(_command: list[str], **options: Any) -> None:
        asked.append(options["env"])
        raise OSError("no process is needed to see this")

    monkeypatch.setattr("experiments.fuzz.study.subprocess.Popen", begin)
    with Reader(tmp_path / "whole") as reader, pytest.raises(OSError, match="no process is needed"):
        reader.read("heads", tmp_path / "a.skops")
    assert [environment["FACETABLE_CACHE"] for environment in asked] == [str(tmp_path / "cache")]
    assert (tmp_path / "cache" / "network.onnx").read_bytes() == b"converted"


def test_a_twentieth_of_the_study(tmp_path: Path) -> None:
    for name, counts in run_study(tmp_path, WELL_READ, share=0.05):
        assert counts.failures == []
        assert counts.outcomes.total() == KINDS[name].n_files // 20
        assert counts.outcomes["refused in one line"] > 0 and set(counts.outcomes) <= set(FINE)


class LargeReader(Reader):
    """Reads nothing, and says that it took much memory."""

    def read(self, kind: str, path: Path) -> dict[str, Any] | None:
        return {**GOOD, "bytes": 2**32} if (path / "config.json").is_file() else None


def test_the_command_counts_and_keeps_what_fails(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("experiments.fuzz.study.Reader", LargeReader)
    out = tmp_path / "counts.json"
    arguments = ["--kinds", "runs", "--share", "0.002", "--keep", str(tmp_path / "kept"), "--json", str(out)]
    assert command.main(arguments) == 1
    assert json.loads(out.read_text())["runs"]["too large"] == 2
    assert len(list((tmp_path / "kept").iterdir())) == 2
    assert "  too large: 2 <-" in capsys.readouterr().out
    counts = Counts()
    assert counts.add("x", None, tmp_path) == "hung or crashed" and counts.failures == ["x: hung or crashed: "]
