"""Names written into photos by exiftool: the picture stays, and the photo stays known whatever happens."""

import json
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import facetable
from embedder import EmbeddingTable
from foundation.formats import hash_file
from people.errors import XmpError
from people.sidecars import embedding
from people.sidecars.embedding import embed_names, is_same_picture
from people.sidecars.xmp_writing import Wanted
from people.store.reader import PeopleReader
from people.store.store import PeopleStore
from people.workspace.workspace import Workspace
from tests import PROJECT
from tests.people.sidecars.made import (
    CENTRE,
    SIZE,
    exiftool,
    exiftool_regions,
    exiv2_values,
    make_photo,
    make_workspace,
    name,
    program,
)


@pytest.fixture(autouse=True)
def needs_exiftool() -> None:
    program("exiftool", "libimage-exiftool-perl")


def made_of(tmp_path: Path, orientations: dict[str, int]) -> Workspace:
    boxes = {path: [make_photo(tmp_path / "photos" / path, i)] for path, i in orientations.items()}
    workspace = make_workspace(tmp_path, boxes, orientations)
    for path in boxes:
        name(workspace, path, "Anna")
    return workspace


def export(workspace: Workspace, *arguments: str, code: int = 0) -> None:
    assert facetable.main(["export", str(workspace.folder), "--xmp", "--embed", *arguments]) == code


def pixels_of(path: Path) -> np.ndarray:
    import pillow_heif

    return np.asarray(pillow_heif.open_heif(path) if path.suffix == ".heic" else Image.open(path))


def test_in_all_eight_orientations_others_read_them_and_the_picture_stays(tmp_path: Path) -> None:
    workspace = made_of(tmp_path, {f"album/{i}.jpg": i for i in range(1, 9)})
    photos = sorted((tmp_path / "photos/album").glob("*.jpg"))
    before = {path: (path.read_bytes(), path.stat().st_mode) for path in photos}
    export(workspace, "--subject")
    assert sorted((tmp_path / "photos/album").iterdir()) == photos, "nothing is left beside them"
    for path in photos:
        content, mode = before[path]
        assert path.read_bytes() != content and path.stat().st_mode == mode
        assert is_same_picture("JPEG", content, path.read_bytes(), b"")
        (region,) = exiftool_regions(path)
        area = region["Area"]
        assert (region["Name"], region["Type"]) == ("Anna", "Face")
        assert (area["X"] * SIZE[0], area["Y"] * SIZE[1]) == pytest.approx(CENTRE, abs=1)
    values = exiv2_values(photos[5])
    assert float(values["Xmp.mwg-rs.Regions/mwg-rs:RegionList[1]/mwg-rs:Area/stArea:x"]) * SIZE[0] == pytest.approx(
        CENTRE[0], abs=1
    )
    orientations = json.loads(exiftool("-j", "-n", "-Orientation", *photos))
    assert [one.get("Orientation", 1) for one in orientations] == list(range(1, 9))


@pytest.mark.parametrize("suffix", [".png", ".heic"])
def test_in_other_formats_twice(tmp_path: Path, suffix: str) -> None:
    if suffix == ".heic":
        heif = pytest.importorskip("pillow_heif")
        heif.register_heif_opener()
    workspace = made_of(tmp_path, {f"a{suffix}": 1})
    photo = tmp_path / "photos" / f"a{suffix}"
    before, pixels = photo.read_bytes(), pixels_of(photo)
    export(workspace)
    assert [region["Name"] for region in exiftool_regions(photo)] == ["Anna"]
    assert np.array_equal(pixels_of(photo), pixels) and photo.read_bytes() != before
    with PeopleStore(workspace.store) as store:
        store.rename(1, "Änne")
    export(workspace)
    assert [region["Name"] for region in exiftool_regions(photo)] == ["Änne"]
    assert np.array_equal(pixels_of(photo), pixels)
    with PeopleReader(workspace.store) as reader:
        assert len(reader.same_photos()) == 2 and set(reader.same_photos().values()) == {reader.files()[0].sha256}


def test_what_is_said_already_is_not_written_again_and_names_are_taken_out(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    workspace = made_of(tmp_path, {"a.jpg": 6})
    photo = tmp_path / "photos/a.jpg"
    before = photo.read_bytes()
    export(workspace, "--dry-run")
    assert photo.read_bytes() == before and "1 photo would be written" in capsys.readouterr().out
    export(workspace)
    written = photo.read_bytes()
    export(workspace)
    assert photo.read_bytes() == written and "0 photos written, 1 said it already" in capsys.readouterr().out
    with PeopleStore(workspace.store) as store:
        store.undo()
    export(workspace)
    assert exiftool_regions(photo) == [] and "1 photo whose names were taken out" in capsys.readouterr().out
    assert is_same_picture("JPEG", before, photo.read_bytes(), b"")


def test_what_other_programs_say_stays(tmp_path: Path) -> None:
    workspace = made_of(tmp_path, {"a.jpg": 1})
    photo = tmp_path / "photos/a.jpg"
    exiftool("-q", "-overwrite_original", "-XMP-dc:Title=Our garden", "-Artist=Zoë", "-Rating=4", photo)
    with PeopleStore(workspace.store) as store:
        store.record_same_photo(store.files()[0].sha256, hash_file(photo))
    export(workspace)
    (read,) = json.loads(exiftool("-j", "-Title", "-Artist", "-Rating", photo))
    assert (read["Title"], read["Artist"], read["Rating"]) == ("Our garden", "Zoë", 4)
    assert [region["Name"] for region in exiftool_regions(photo)] == ["Anna"]


def test_what_cannot_be_written_is_refused_in_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    workspace = made_of(tmp_path, {"a.webp": 1, "b.jpg": 1, "c.jpg": 1})
    photos = tmp_path / "photos"
    exiftool("-q", "-overwrite_original", "-Artist=Zoë", photos / "b.jpg")
    export(workspace, code=1)
    lines = [line for line in capsys.readouterr().out.splitlines() if line.startswith("failed: ")]
    assert "expected JPEG, PNG or HEIC to write into, found WebP; use a sidecar" in lines[0]
    assert "expected the photo that was scanned, found another" in lines[1] and len(lines) == 2
    assert facetable.main(["export", str(workspace.folder), "--embed", "--csv", str(tmp_path / "a.csv")]) == 2
    assert "--embed writes into photos with --xmp" in capsys.readouterr().err


def test_without_exiftool(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    workspace = made_of(tmp_path, {"a.jpg": 1})
    monkeypatch.setattr(embedding.shutil, "which", lambda _: None)
    export(workspace, code=2)
    assert "expected exiftool to write into photos, found none" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("result", "message"),
    [
        (lambda content: content[:-40] + bytes(38) + content[-2:], "leave the picture as it is, found it changed"),
        (lambda content: content, "expected exiftool to write the names as they are, found others"),
    ],
)
def test_what_exiftool_must_not_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, result, message: str) -> None:
    make_photo(tmp_path / "a.jpg")
    photo = tmp_path / "a.jpg"
    before = photo.read_bytes()
    monkeypatch.setattr(embedding, "_run_exiftool", lambda *_: result(before))
    wanted = Wanted((), SIZE, 1, {"dc:subject": ["Anna"]})
    with pytest.raises(XmpError, match=message):
        embed_names(photo, wanted, known=lambda _: True, record=lambda _: pytest.fail("it was recorded"))
    assert photo.read_bytes() == before and [one.name for one in tmp_path.iterdir()] == ["a.jpg"]


def test_a_slow_or_failing_exiftool_and_metadata_in_two_pieces(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    make_photo(tmp_path / "a.jpg")
    wanted = Wanted((), SIZE, 1, {"dc:subject": ["Anna"]})
    tell = {"known": lambda _: True, "record": lambda _: None}
    monkeypatch.setattr(embedding, "find_exiftool", lambda: shutil.which("false"))
    with pytest.raises(XmpError, match="exiftool cannot write it"):
        embed_names(tmp_path / "a.jpg", wanted, **tell)
    monkeypatch.undo()
    monkeypatch.setattr(embedding, "_SECONDS", 0.0)
    with pytest.raises(XmpError, match="was not done after 0 s"):
        embed_names(tmp_path / "a.jpg", wanted, **tell)
    monkeypatch.undo()
    real = embedding._run_exiftool

    def change_meanwhile(photo: Path, *arguments: object) -> bytes:
        changed = real(photo, *arguments)
        photo.write_bytes(photo.read_bytes() + b" ")
        return changed

    monkeypatch.setattr(embedding, "_run_exiftool", change_meanwhile)
    with pytest.raises(XmpError, match="changed while names were written"):
        embed_names(tmp_path / "a.jpg", wanted, **tell)
    monkeypatch.undo()
    (tmp_path / "a.xmp").write_text(
        '<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">'
        '<rdf:Description xmlns:xmpNote="http://ns.adobe.com/xmp/note/" xmpNote:HasExtendedXMP="ABC"/>'
        "</rdf:RDF></x:xmpmeta>"
    )
    exiftool("-q", "-overwrite_original", f"-XMP<={tmp_path / 'a.xmp'}", tmp_path / "a.jpg")
    with pytest.raises(XmpError, match="extended XMP"):
        embed_names(tmp_path / "a.jpg", wanted, **tell)


def test_pictures_that_differ_are_told_apart() -> None:
    for kind in ("JPEG", "PNG", "HEIC"):
        assert not is_same_picture(kind, b"", b"", b"")
        assert not is_same_picture(kind, b"\xff\xd8\xff\xe0" + bytes(9), b"\x89PNG", b"x")


KILLED = """
import os, signal, sys
from pathlib import Path
import facetable
from people.sidecars import export
from people.store.store import PeopleStore
moment = sys.argv[2]
real = PeopleStore.record_same_photo
def record(self, photo, other):
    if moment == "before":
        os.kill(os.getpid(), signal.SIGKILL)
    real(self, photo, other)
    if moment == "between":
        os.kill(os.getpid(), signal.SIGKILL)
PeopleStore.record_same_photo = record
facetable.main(["export", sys.argv[1], "--xmp", "--embed"])
if moment == "after":
    os.kill(os.getpid(), signal.SIGKILL)
"""


@pytest.mark.realdata
@pytest.mark.parametrize("moment", ["before", "between", "after"])
def test_a_photo_stays_known_when_the_process_is_killed_and_is_not_embedded_again(
    tmp_path: Path, data: Path, moment: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    photos = tmp_path / "photos"
    photos.mkdir()
    for number, source in enumerate(("obama/obama.jpg", "biden/biden.jpg")):
        shutil.copy(data / "people/train" / source, photos / f"{number}.jpg")
    family = tmp_path / "family"
    assert facetable.main(["init", str(family), "--photos", str(photos)]) == 0
    assert facetable.main(["scan", str(family)]) == 0
    workspace = Workspace(family)
    before = EmbeddingTable.read(workspace.table)
    with PeopleStore(workspace.store) as store:
        store.name(store.faces_of_rows([0]), "Barack")
        key, history = store.faces_in_table(person=1)[0].face.key, store.history()
    original = (photos / "0.jpg").read_bytes()
    done = subprocess.run([sys.executable, "-c", KILLED, str(family), moment], cwd=PROJECT, capture_output=True)
    assert done.returncode == -signal.SIGKILL, done.stderr.decode()
    assert ((photos / "0.jpg").read_bytes() == original) == (moment != "after")
    report = tmp_path / "scan.json"
    for _ in range(2):  # whatever was left, going on gives the same
        assert facetable.main(["scan", str(family), "--json", str(report)]) == 0
        assert json.loads(report.read_text())["n_embedded"] == 0
        after = EmbeddingTable.read(workspace.table)
        assert np.array_equal(after.embeddings, before.embeddings)
        assert after.image_sha256[0] == after.images.image_sha256[0] == hash_file(photos / "0.jpg")
        with PeopleStore(workspace.store) as store:
            store.check()
            (face,) = store.faces_in_table(person=1)
            assert face.face.key == key and store.history() == history
        export(workspace)
        assert [region["Name"] for region in exiftool_regions(photos / "0.jpg")] == ["Barack"]
    os.rename(photos / "0.jpg", photos / "moved.jpg")  # noqa: PTH104
    assert facetable.main(["scan", str(family), "--json", str(report)]) == 0
    assert json.loads(report.read_text())["n_embedded"] == 0
    with PeopleStore(workspace.store) as store:
        assert [face.path for face in store.faces_in_table(person=1)] == ["moved.jpg"]
        store.undo()
        assert store.people() == []
        store.redo()
        store.forget([1])
        assert store.same_photos() == {}
