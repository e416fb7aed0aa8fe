import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from embedder.commands.main import main
from embedder.networks import presets
from embedder.pipeline import worker
from embedder.tables.parts import PartsFolder
from embedder.tables.table import EmbeddingTable
from tests import PROJECT
from tests.embedder.fakes import NO_FACE, FakeDetector, FakeEmbedder, make_table, write_photo


@pytest.fixture
def made_with(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """Put the fakes in the networks' place and return the arguments they are made with."""
    made: list[Any] = []

    def make_detector(*arguments: Any) -> FakeDetector:
        made.append(arguments)
        return FakeDetector()

    def make_embedder(*arguments: Any) -> FakeEmbedder:
        made.append(arguments)
        return FakeEmbedder()

    monkeypatch.setattr(worker, "_load_detector", make_detector)
    monkeypatch.setattr(worker, "_load_embedder", make_embedder)
    monkeypatch.setenv("FACETABLE_THREADS", "2")
    monkeypatch.setattr(presets, "fetched_file", lambda name: None)
    return made


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    write_photo(tmp_path / "photos" / "Ada" / "1.png", 3)
    write_photo(tmp_path / "photos" / "Bob" / "1.png", 1, green=9)
    write_photo(tmp_path / "photos" / "sea.png", NO_FACE)
    return tmp_path / "photos"


def test_embed(photos: Path, tmp_path: Path, made_with: list[Any], capsys: pytest.CaptureFixture[str]) -> None:
    out, result = tmp_path / "out" / "faces.h5", tmp_path / "r.json"
    assert main(["embed", str(photos), "-o", str(out), "--json", str(result)]) == 0
    table = EmbeddingTable.read(out)
    assert table.identities.tolist() == ["", "Ada", "", "Bob"]
    stdout, stderr = capsys.readouterr()
    assert stdout.splitlines()[0] == f"{out}: 4 faces of 3 photos; no face: 1, unreadable: 0, error: 0"
    assert "  no face: sea.png" in stdout and stderr == ""  # no terminal, no progress bar
    record = json.loads(result.read_text())
    assert (record["n_photos"], record["n_faces"], record["table"], record["failures"]) == (3, 4, str(out), [])
    assert made_with == [("mtcnn", "auto", None, 2), ("facenet-casia-20180408", None, "fp32", 2)]


def test_excluded_folders_are_not_embedded(
    photos: Path, tmp_path: Path, made_with: list[Any], capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "faces.h5"
    assert main(["embed", str(photos), "-o", str(out), "--exclude", "Bob/", "--exclude", "sea.*"]) == 0
    table = EmbeddingTable.read(out)
    assert set(table.identities) == {"", "Ada"} and table.fingerprint.provenance["exclude"] == ["Bob/", "sea.*"]
    assert "left out: 0 hidden files, 0 that are no images, 2 excluded" in capsys.readouterr().out
    assert main(["embed", str(photos), "-o", str(out), "--exclude", "!"]) == 2
    assert (
        "`exclude`: expected a pattern as in .gitignore, such as *.png or Private/, got '!'" in capsys.readouterr().err
    )


def test_all_options_reach_the_settings(photos: Path, tmp_path: Path, made_with: list[Any]) -> None:
    out = tmp_path / "faces.h5"
    options = (
        "--one-face --identity-from filename --preset facenet-ms1m-keras --weights w.h5 --precision int8 "
        "--min-face-size 40 --thresholds 0.5 0.6 0.65 --margin 44 --margin-mode absolute "
        "--alignment similarity --max-pixels 5000 --jobs 1 --prune --threads 2"
    )
    assert main(["embed", str(photos), "-o", str(out), *options.split()]) == 0
    assert made_with == [("mtcnn", 40, (0.5, 0.6, 0.65), 2), ("facenet-ms1m-keras", "w.h5", "int8", 2)]
    fingerprint = EmbeddingTable.read(out).fingerprint
    assert fingerprint["space"]["margin"] == {"mode": "absolute", "value": 44.0}
    assert fingerprint["space"]["alignment"] == "similarity"
    assert {name: fingerprint["provenance"][name] for name in ("faces", "identity_from", "max_pixels")} == {
        "faces": "one",
        "identity_from": "filename",
        "max_pixels": 5000,
    }


def test_a_file_that_failed_is_exit_1_each_time(
    photos: Path, tmp_path: Path, made_with: list[Any], capsys: pytest.CaptureFixture[str]
) -> None:
    (photos / "text.jpg").write_text("no picture")
    for _ in range(2):
        assert main(["embed", str(photos), "-o", str(tmp_path / "t.h5")]) == 1
        assert "  unreadable: text.jpg: expected an image" in capsys.readouterr().out
    (photos / "text.jpg").unlink()
    assert main(["embed", str(photos), "-o", str(tmp_path / "t.h5")]) == 0


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["{tmp}/none", "-o", "{tmp}/t.h5"], "{tmp}/none: expected a folder of photos, found nothing; check the path"),
        (
            ["{tmp}/photos/Ada", "{tmp}/photos/Bob", "-o", "{tmp}/t.h5"],
            "expected photos of different names below the folders given, found {tmp}/photos/Ada/1.png and "
            "{tmp}/photos/Bob/1.png, both '1.png'; rename one, or name a folder above both",
        ),
        (["{tmp}/photos", "-o", "{tmp}"], "{tmp}: expected a file to write the table to, found a folder"),
        (["{tmp}/photos", "-o", "{tmp}/t.h5", "--jobs", "0"], "`n_jobs` (--jobs) must be at least 1"),
        (["{tmp}/photos", "-o", "{tmp}/t.h5", "--margin", "-1"], "`margin` must be a finite number"),
        (["{tmp}/photos", "-o", "{tmp}/diary.txt"], "{tmp}/diary.txt: expected an embedding table, found text; name"),
        (["{tmp}/photos", "-o", "{tmp}/locked.h5"], "{tmp}/locked.h5: expected to be its only writer"),
    ],
)
def test_what_cannot_run_is_exit_2_and_one_line(
    photos: Path,
    tmp_path: Path,
    made_with: list[Any],
    capsys: pytest.CaptureFixture[str],
    arguments: list[str],
    message: str,
) -> None:
    (tmp_path / "diary.txt").write_text("dear diary")
    with PartsFolder(tmp_path / "locked.h5"):
        assert main(["embed", *(argument.format(tmp=tmp_path) for argument in arguments)]) == 2
    stderr = capsys.readouterr().err
    assert stderr.startswith("python -m embedder embed: error: " + message.format(tmp=tmp_path))
    assert stderr.count("\n") == 1
    assert (tmp_path / "diary.txt").read_text() == "dear diary"


@pytest.mark.parametrize(
    "arguments",
    [
        ["photos"],
        ["photos", "-o", "t.h5", "--threads", "-1"],
        ["photos", "-o", "t.h5", "--min-face-size", "big"],
        ["photos", "-o", "t.h5", "--all-faces", "--one-face"],
        ["photos", "-o", "t.h5", "--precision", "fp8"],
    ],
)
def test_bad_arguments_are_exit_2_and_one_line(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as raised:
        main(["embed", *arguments])
    assert raised.value.code == 2 and capsys.readouterr().err.count("\n") == 1


def test_several_folders_and_single_photos_make_one_table(
    photos: Path, tmp_path: Path, made_with: list[Any], capsys: pytest.CaptureFixture[str]
) -> None:
    write_photo(tmp_path / "more" / "Cleo" / "2.png", 1, green=30)
    write_photo(tmp_path / "party.png", 1, green=60)
    inputs = [str(photos), str(tmp_path / "more"), str(tmp_path / "party.png"), str(photos)]
    out = tmp_path / "t.h5"
    assert main(["embed", *inputs, "-o", str(out)]) == 0
    table = EmbeddingTable.read(out)
    assert table.images.path.tolist() == ["Ada/1.png", "Bob/1.png", "Cleo/2.png", "party.png", "sea.png"]
    assert [table.identities[table.paths == path].tolist() for path in ("Cleo/2.png", "party.png")] == [["Cleo"], [""]]
    assert (table.photo_root, *table.more_roots) == (str(photos), str(tmp_path / "more"), str(tmp_path))
    assert table.find_photo("Cleo/2.png") == tmp_path / "more" / "Cleo" / "2.png"
    assert table.find_photo("gone.png") == photos / "gone.png"
    assert main(["embed", *reversed(inputs), "-o", str(out)]) == 0
    assert "embedded 0, kept 5" in capsys.readouterr().out
    assert main(["embed", str(photos), "-o", str(out)]) == 2
    assert f"photo folder {photos}, {tmp_path / 'more'}, {tmp_path} before, {photos} now" in capsys.readouterr().err


def test_info(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    make_table([1, 2]).write(tmp_path / "t.h5")
    assert main(["info", str(tmp_path / "t.h5"), "--top", "1", "--json", str(tmp_path / "i.json")]) == 0
    stdout = capsys.readouterr().out
    assert "kind: table" in stdout and "faces: 3" in stdout and "  ... and 1 more" in stdout
    assert json.loads((tmp_path / "i.json").read_text())["faces_by_identity"] == {"Zoë": 1, "王小明": 1}
    assert main(["info", str(tmp_path / "none.h5")]) == 2
    expected = (
        f"python -m embedder info: error: {tmp_path / 'none.h5'}: No such file or directory; "
        "expected it to exist, check the path\n"
    )
    assert capsys.readouterr().err == expected


SMALL_PARTS = """
import signal, sys
signal.signal(signal.SIGINT, signal.default_int_handler)  # a test run in the background has it ignored
from embedder.commands.main import main
from embedder.finding import finder
from embedder.pipeline import writer
finder.MAX_PHOTOS_A_BATCH = writer.MAX_PHOTOS_A_PART = 8
sys.exit(main(["embed", *sys.argv[1:]]))
"""


def embed_process(photos: Path, out: Path) -> subprocess.Popen:
    """Start the command in a process of its own, with parts of 8 photos."""
    return subprocess.Popen(
        [sys.executable, "-c", SMALL_PARTS, str(photos), "-o", str(out), "--preset", "facenet-casia-20180408"],
        cwd=PROJECT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def wait_for_parts(run: subprocess.Popen, out: Path, n: int) -> None:
    while len(list(out.with_name(out.name + ".parts").glob("*.h5"))) < n and run.poll() is None:
        time.sleep(0.01)


@pytest.fixture(scope="module")
def real_photos(data: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Copy 60 photos of 20 or so people."""
    root = tmp_path_factory.mktemp("lfw")
    for file in sorted((data / "lfw" / "images").glob("*/*.jpg"))[:60]:
        (root / file.parent.name).mkdir(exist_ok=True)
        shutil.copy2(file, root / file.parent.name)
    return root


@pytest.mark.realdata
def test_killed_and_started_again_gives_the_same_table(real_photos: Path, tmp_path: Path) -> None:
    whole, killed = tmp_path / "whole.h5", tmp_path / "killed.h5"
    assert embed_process(real_photos, whole).wait() == 0
    for n_parts, later_s in ((0, 0.2), (1, 0.05), (3, 0.02), (6, 0.0)):
        run = embed_process(real_photos, killed)
        wait_for_parts(run, killed, n_parts)
        time.sleep(later_s)
        assert run.poll() is None
        run.kill()
        run.communicate()
        assert len(list(tmp_path.glob("killed.h5.parts/*.h5"))) >= n_parts and not killed.exists()
    last = embed_process(real_photos, killed)
    stdout, _ = last.communicate()
    assert last.returncode == 0 and int(stdout.split("kept ")[1].split()[0]) >= 48
    expected, table = EmbeddingTable.read(whole), EmbeddingTable.read(killed)
    for column in ("paths", "identities", "face_indices", "image_sha256"):
        assert getattr(table, column).tolist() == getattr(expected, column).tolist()
    np.testing.assert_allclose(table.embeddings, expected.embeddings, atol=1e-5)
    np.testing.assert_allclose(table.boxes, expected.boxes, atol=0.5)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["killed.h5", "whole.h5"]


@pytest.mark.realdata
@pytest.mark.skipif(os.name != "posix", reason="sends SIGINT")
def test_two_at_once_and_an_interrupt(real_photos: Path, tmp_path: Path) -> None:
    run = embed_process(real_photos, tmp_path / "t.h5")
    wait_for_parts(run, tmp_path / "t.h5", 1)
    run.send_signal(signal.SIGSTOP)  # else it may be done before the second has begun
    second = embed_process(real_photos, tmp_path / "t.h5")
    _, errors = second.communicate()
    assert second.returncode == 2 and "expected to be its only writer" in errors and errors.count("\n") == 1
    run.send_signal(signal.SIGINT)
    run.send_signal(signal.SIGCONT)
    _, errors = run.communicate()
    assert run.returncode == 130
    assert errors == (
        f"python -m embedder embed: interrupted; what is done is kept in {tmp_path / 't.h5.parts'}, run "
        "the same command again to go on\n"
    )
    assert not (tmp_path / "t.h5").exists() and list(tmp_path.glob("t.h5.parts/*.h5"))


def test_a_table_is_moved_to_another_preset_with_the_settings_it_has(
    photos: Path,
    tmp_path: Path,
    made_with: list[Any],
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    old, new = tmp_path / "old.h5", tmp_path / "new.h5"
    assert main(["embed", str(photos), "-o", str(old), "--identity-from", "none", "--exclude", "Bob/"]) == 0
    monkeypatch.setattr(FakeDetector, "detect_batch", lambda *_: pytest.fail("faces were looked for again"))
    monkeypatch.setattr(worker, "_load_embedder", lambda *_: FakeEmbedder("cd" * 32))
    assert main(["embed", "--preset", "mobilefacenet-ms1m", "-o", str(new), "--from", str(old)]) == 0
    before, after = EmbeddingTable.read(old), EmbeddingTable.read(new)
    assert after.paths.tolist() == before.paths.tolist() == ["Ada/1.png"] * 3
    assert set(after.identities) == {""} and after.fingerprint.provenance["exclude"] == ["Bob/"]
    assert after.fingerprint.space.weights_sha256 == "cd" * 32
    capsys.readouterr()
    assert main(["embed", "--one-face", "-o", str(tmp_path / "one.h5"), "--from", str(old)]) == 2
    assert "old.h5: its faces were found with other settings: `faces` all before, one now" in capsys.readouterr().err
    assert main(["embed", "-o", str(new)]) == 2
    assert "expected a folder of photos, got none; name it, as in: embed photos -o" in capsys.readouterr().err


def test_a_better_network_that_is_here_is_pointed_out_where_a_table_is_begun(
    photos: Path,
    tmp_path: Path,
    made_with: list[Any],
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    out = tmp_path / "faces.h5"
    monkeypatch.setattr(presets, "fetched_file", lambda name: tmp_path / name)
    assert main(["embed", str(photos), "-o", str(tmp_path / "a.h5"), "--preset", "facenet-casia-20180408"]) == 0
    assert capsys.readouterr().err == ""
    assert main(["embed", str(photos), "-o", str(out)]) == 0
    assert capsys.readouterr().err.splitlines() == [
        "mobilefacenet-ms1m, which is here, tells people better apart than the default network: --preset "
        "mobilefacenet-ms1m (its terms: facetable preset list)"
    ]
    assert main(["embed", str(photos), "-o", str(out)]) == 0
    assert capsys.readouterr().err == ""


def test_the_second_detector_reaches_the_settings(photos: Path, tmp_path: Path, made_with: list[Any]) -> None:
    options = ["--detector", "centerface", "--detector-threshold", "0.3", "--threads", "2"]
    assert main(["embed", str(photos), "-o", str(tmp_path / "faces.h5"), *options]) == 0
    assert made_with[0] == ("centerface", "auto", (0.3,), 2)
