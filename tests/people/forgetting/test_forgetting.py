"""Forgetting somebody everywhere: afterwards no byte below the folder has their name or a vector of theirs."""

import hashlib
import json
import os
import shutil
from pathlib import Path

import numpy as np
import pytest

import train_classifier
from classifiers.commands.main import main
from classifiers.files.head_file import load_head, save_head
from classifiers.members.editing import enrol_faces
from classifiers.scores.gallery import Gallery
from embedder.pipeline.runner import update_table
from embedder.pipeline.settings import EmbedSettings
from embedder.tables.file import Header
from embedder.tables.parts import PartsFolder, parts_folder, write_part
from embedder.tables.table import EmbeddingTable
from people.forgetting import forgetting
from people.forgetting.holder import MENTIONED
from people.store.store import PeopleStore
from people.workspace.backups import back_up
from people.workspace.table_rows import record_table
from people.workspace.workspace import create_workspace
from recognition.events.event import make_event
from tests.classifiers.samples import make_sample
from tests.embedder.fakes import FakeDetector, FakeEmbedder, write_photo

NAME = "Zoë Quux"
OTHER = "Bob"


@pytest.fixture(autouse=True)
def cache(monkeypatch, tmp_path):
    folder = tmp_path / "cache"
    monkeypatch.setattr("people.forgetting.forgetting.cache_folder", lambda: folder)
    return folder


@pytest.fixture
def home(tmp_path, cache, capsys):
    """A folder with a file of every kind that tells of two people, photos elsewhere."""
    photos, folder = tmp_path / "photos", tmp_path / "home"
    folder.mkdir()
    for number in range(4):
        for place, person in enumerate((NAME, OTHER)):
            write_photo(photos / person / f"{number}.png", 1, green=20 * number + 100 * place)
    table = folder / "faces.h5"
    update_table(photos, table, EmbedSettings(), detector=FakeDetector(), embedder=FakeEmbedder())
    made = EmbeddingTable.read(table)
    unnamed = folder / "unnamed.h5"
    settings = EmbedSettings(identity_from="none")
    flat = tmp_path / "flat"
    flat.mkdir()
    for number, photo in enumerate(sorted(photos.rglob("*.png"))):
        shutil.copy(photo, flat / f"{number}.png")
    update_table(flat, unnamed, settings, detector=FakeDetector(), embedder=FakeEmbedder())
    head = folder / "heads" / "family.skops"
    assert train_classifier.main([str(table), "-o", str(head), "--threshold", "0.5", "--no-background"]) == 0
    reject(head, made)
    people, sheet = folder / "people.csv", folder / "people.html"
    result = folder / "grouping.json"
    command = ["cluster", str(table), "-o", str(people), "--html", str(sheet), "--threshold", "0.5", "--no-background"]
    assert main([*command, "--photos", str(photos), "--json", str(result), "--csv", str(folder / "rows")]) == 0
    write_constraints(folder / "constraints.csv")
    write_events(folder)
    write_leftovers(folder, made)
    make_workspace(folder / "family", flat, unnamed)
    (cache / "verification").mkdir(parents=True)
    shutil.copy(table, cache / "verification" / "0123.h5")
    header = Header(made.photo_root, made.fingerprint, made.created)
    parts_folder(folder / "next.h5").mkdir()
    write_part(parts_folder(folder / "next.h5"), header, made.columns(), made.images.columns())
    (folder / "compare.json").write_text(
        json.dumps({"faces": [{"path": f"{NAME}/0.png"}], "distances": [[0.0]], "pairs": []})
    )
    capsys.readouterr()
    return folder


def reject(head, table):
    """Let the head remember that a face is not the person, and that a face of theirs is not Bob."""
    loaded = load_head(head)
    rows = (
        np.flatnonzero(table.identities == OTHER)[:1].tolist() + np.flatnonzero(table.identities == NAME)[:1].tolist()
    )
    against = Gallery.build(
        table.embeddings[rows], [NAME, OTHER], paths=table.paths[rows], image_sha256=table.image_sha256[rows]
    )
    enrolled = enrol_faces(loaded, [make_sample(table.embeddings[0] * 0 + 1, f"{NAME}/party")], OTHER)
    save_head(enrolled.replaced(rejections=against), head)


def write_constraints(path):
    lines = [f"must,{NAME}/0.png,0,{NAME}/1.png,0", f"cannot,{OTHER}/0.png,0,{OTHER}/1.png,0"]
    path.write_text("\n".join(["kind,path_a,face_index_a,path_b,face_index_b", *lines, ""]), "utf-8")


def write_events(folder):
    crops = folder / "crops"
    crops.mkdir()
    jpeg = b"\xff\xd8\xff\xe0 a picture"
    for name in ("crop-door-track1-frame6.jpg", "crop-door-track2-frame6.jpg", "scene-door-frame6.jpg"):
        (crops / name).write_bytes(jpeg)
    lines = []
    for track, who in ((1, NAME), (2, OTHER)):
        for event, name in (("started", "unknown"), ("identified", who), ("ended", who)):
            one = make_event(event, "door.mp4", track=track, box=[0, 0, 1, 1], identity=name, score=0.9, accepted=True)
            record = json.loads(one.to_json()) | {"crop": f"crops/crop-door-track{track}-frame6.jpg"}
            lines.append(json.dumps(record, ensure_ascii=track == 1))
    (folder / "events.jsonl").write_text("\n".join(lines) + "\n", "utf-8")


def write_leftovers(folder, table):
    for name, content in (("a", NAME.encode("utf-16-le")), ("b", table.embeddings[-1].tobytes()), ("c", b"nobody")):
        path = folder / f".{name}.h5.0123abcd.tmp"
        path.write_bytes(b"\x01" + content + b"\x02")
        os.utime(path, (1_600_000_000, 1_600_000_000))
    (folder / "diary.txt").write_text("Met Bob.\n")


def make_workspace(folder, photos, table):
    workspace = create_workspace(folder, [photos])
    shutil.copy(table, workspace.table)
    read = EmbeddingTable.read(workspace.table)
    with PeopleStore(workspace.store, create=True) as store:
        record_table(store, read)
        faces = [face.face for face in store.faces_in_table()]
        store.name(faces[4:7], "Quuxling")  # sorted: Bob's four come first
        back_up(workspace, store)
        store.rename(store.find_person("Quuxling").number, NAME)
        store.name(faces[:4], OTHER)
        back_up(workspace, store)
    workspace.thumbnails.mkdir()
    for face in faces:
        (workspace.thumbnails / f"{face.photo_sha256}-0_0_9_9.webp").write_bytes(b"RIFF a picture")


def vectors_of(home: Path) -> list[np.ndarray]:
    table = EmbeddingTable.read(home / "faces.h5")
    return list(table.embeddings[table.identities == NAME])


def all_bytes(*folders: Path) -> dict[str, bytes]:
    return {str(path): path.read_bytes() for folder in folders for path in folder.rglob("*") if path.is_file()}


def test_no_byte_is_left(home, cache, tmp_path, capsys):
    vectors = vectors_of(home)
    before = EmbeddingTable.read(home / "faces.h5")
    assert main(["audit", str(home), "--name", NAME]) == 3
    found = capsys.readouterr().out
    places = ["faces.h5", "unnamed.h5", "heads/family.skops", "people.csv", "people.html", "constraints.csv"]
    places += ["events.jsonl", "crops/crop-door-track1-frame6.jpg", ".a.h5.0123abcd.tmp", ".b.h5.0123abcd.tmp"]
    places += ["family/people.sqlite", "family/faces.h5", "compare.json", "crops/scene-door-frame6.jpg"]
    assert [place for place in places if f"{home / place}: " not in found] == [], found
    assert str(cache / "verification" / "0123.h5") in found and "next.h5.parts" in found
    state = all_bytes(home, cache)
    assert main(["forget", "--everywhere", str(home), "--name", NAME, "--dry-run"]) == 0
    assert {path: hashlib.sha256(content).digest() for path, content in all_bytes(home, cache).items()} == {
        path: hashlib.sha256(content).digest() for path, content in state.items()
    }

    report, record = tmp_path / "report.txt", tmp_path / "report.json"
    command = ["forget", "--everywhere", str(home), "--name", NAME, "--report", str(report), "--json", str(record)]
    assert main(command) == 0, capsys.readouterr().err
    forms = [NAME.encode(code) for code in ("utf-8", "utf-16-le", "utf-16-be")]
    forms += [json.dumps(NAME)[1:-1].encode(), b"Zoe\xcc\x88 Quux", b"Quuxling"]
    forms += [vector.tobytes() for vector in vectors]
    content = all_bytes(home, cache) | {"report": report.read_bytes(), "record": record.read_bytes()}
    assert [(path, form) for path, bytes_ in content.items() for form in forms if form in bytes_] == []
    assert json.loads(record.read_text())["left"] == []
    capsys.readouterr()
    assert main(["audit", str(home), "--name", NAME]) == 0

    # All that is said of others holds.
    after = EmbeddingTable.read(home / "faces.h5")
    rows = before.identities == OTHER
    assert np.array_equal(after.embeddings, before.embeddings[rows])
    assert after.images.path.tolist() == [f"{OTHER}/{number}.png" for number in range(4)]
    assert len(EmbeddingTable.read(home / "unnamed.h5")) == 4
    head = load_head(home / "heads" / "family.skops")
    assert head.labels == [OTHER] and len(head.gallery) == 4 and len(head.rejections) == 0
    assert (home / "crops" / "crop-door-track2-frame6.jpg").exists()
    assert [json.loads(line)["track"] for line in (home / "events.jsonl").read_text().splitlines()] == [2, 2, 2]
    assert (home / "constraints.csv").read_text().splitlines()[1:] == [f"cannot,{OTHER}/0.png,0,{OTHER}/1.png,0"]
    assert (home / ".c.h5.0123abcd.tmp").exists() and (home / "diary.txt").exists()
    rows_left = (home / "people.csv").read_text().splitlines()
    assert [line.rsplit(",", 1)[1] for line in rows_left[1:]] == [f"{number} of 4" for number in range(1, 5)]
    with PeopleStore(home / "family" / "people.sqlite") as store:
        store.check()
        assert {person.name: person.n_faces for person in store.people()} == {OTHER: 4}
        assert [face.person for face in store.faces_in_table()] == [store.find_person(OTHER).number] * 4


def test_photos_and_other_programs_files_are_listed_and_never_changed(tmp_path, capsys):
    write_photo(tmp_path / "in" / NAME / "1.png", 1)
    (tmp_path / "in" / "1.xmp").write_text(f"<rdf:li>{NAME}</rdf:li>")
    (tmp_path / "in" / "letter.txt").write_text(f"Dear {NAME}ly", "utf-8")
    state = all_bytes(tmp_path / "in")
    assert main(["forget", "--everywhere", str(tmp_path / "in"), "--name", NAME]) == 0
    out = capsys.readouterr().out
    assert f"by hand: {tmp_path / 'in' / NAME / '1.png'}: photos are never changed" in out
    assert "1.xmp: it belongs to another program" in out and "letter" not in out
    assert "2 of 0 files still hold" in out or "still hold the person" in out
    assert all_bytes(tmp_path / "in") == state


def test_the_home_of_somebody_called_so_says_nothing(tmp_path, capsys):
    write_photo(tmp_path / NAME / "pictures" / "1.png", 1)
    assert main(["audit", str(tmp_path / NAME / "pictures"), "--name", NAME]) == 0
    assert main(["audit", str(tmp_path / NAME), "--name", NAME]) == 3


def test_a_name_within_that_of_somebody_else_is_not_found_in_the_bytes_of_a_store(home, capsys):
    family = home / "family"
    with PeopleStore(family / "people.sqlite") as store:
        store.rename(store.find_person(OTHER).number, "Bobby")
    (family / "people.sqlite").replace(home.parent / "people.sqlite")  # without the copies, in which he is Bob
    with PeopleStore(home.parent / "people.sqlite") as store:
        store.rename(store.find_person("Bobby").number, "Bobbington")
        store.rename(store.find_person("Bobbington").number, "Bobb Smith")
    assert main(["audit", str(home.parent / "people.sqlite"), "--name", "Bobb"]) == 0
    assert main(["audit", str(home.parent / "people.sqlite"), "--name", "Bobby"]) == 3
    assert "people.sqlite: store of decisions, holds Bobby: bytes: 1" in capsys.readouterr().out


def embedded(folder, paths, identity_from):
    for number, path in enumerate(paths):
        write_photo(folder / "photos" / path, 1, green=20 * number)
    settings = EmbedSettings(identity_from=identity_from)
    update_table(folder / "photos", folder / "t.h5", settings, detector=FakeDetector(), embedder=FakeEmbedder())
    return folder / "t.h5"


def held_rows(table, name, tmp_path):
    """Return kind and number of what a dry run finds in a table."""
    result = tmp_path / "r.json"
    command = ["forget", "--everywhere", str(table), "--name", name, "--dry-run", "--json", str(result)]
    assert main(command) == 0
    return {one["kind"]: one["n_found"] for held in json.loads(result.read_text())["files"].values() for one in held}


def test_files_that_are_called_like_somebody_else_stay(tmp_path, capsys):
    table = embedded(tmp_path, ["Anna.png", "Anna2.png", "Anna (3).png", "Anna-Lena.png"], "filename")
    assert held_rows(table, "Anna", tmp_path) == {"rows": 1}
    assert main(["forget", "--everywhere", str(table), "--name", "Anna"]) == 0
    assert sorted(EmbeddingTable.read(table).identities) == ["Anna (3)", "Anna-Lena", "Anna2"]
    assert main(["audit", str(table), "--name", "Anna"]) == 0


def test_a_row_with_another_name_stays_but_in_their_folder(tmp_path, capsys):
    table = embedded(tmp_path, ["Anna/x.png", "Bob/Anna_2.png", "Bob/y.png"], "folder")
    assert held_rows(table, "Anna", tmp_path) == {"rows": 1, "paths that mention them": 1}
    report = tmp_path / "report.txt"
    assert main(["forget", "--everywhere", str(table), "--name", "Anna", "--report", str(report)]) == 0
    assert sorted(EmbeddingTable.read(table).paths) == ["Bob/Anna_2.png", "Bob/y.png"]
    lines = report.read_text().splitlines()
    assert f"by hand: {table}: {MENTIONED}" in lines and f"still holds the person: {table}" in lines


def test_a_dry_run_counts_all_that_goes(tmp_path, capsys):
    table = embedded(tmp_path, ["Anna_0001.png", "Anna_0002.png", "else.png"], "none")
    assert held_rows(table, "Anna", tmp_path) == {"rows at paths": 2}
    assert main(["forget", "--everywhere", str(table), "--name", "Anna"]) == 0
    assert "2 of 3 rows removed" in capsys.readouterr().out
    assert main(["audit", str(table), "--name", "Anna"]) == 0


def test_an_album_that_mentions_them_is_no_reason_to_take_others_away(tmp_path, capsys):
    photo = write_photo(tmp_path / "photos" / f"Wedding of {NAME}" / "1.png", 1)
    table = tmp_path / "faces.h5"
    update_table(tmp_path / "photos", table, EmbedSettings(), detector=FakeDetector(), embedder=FakeEmbedder())
    state = table.read_bytes()
    assert main(["forget", "--everywhere", str(table), "--name", NAME]) == 0
    out = capsys.readouterr().out
    assert f"by hand: {table}: it holds paths that mention the name" in out and "1 of 1 files still hold" in out
    assert len(EmbeddingTable.read(table)) == 1 and photo.exists() and state


@pytest.mark.parametrize("n_changed", [3, 14])
def test_a_run_that_was_interrupted_is_repeated(home, cache, monkeypatch, capsys, n_changed):
    vectors = vectors_of(home)
    n_called = 0

    def interrupt_later(place):
        nonlocal n_called
        n_called += 1
        if n_called == n_changed:
            raise KeyboardInterrupt
        return place

    monkeypatch.setattr(forgetting, "display_path", interrupt_later)
    assert main(["forget", "--everywhere", str(home), "--name", NAME]) == 130
    monkeypatch.undo()
    monkeypatch.setattr(forgetting, "cache_folder", lambda: cache)
    assert main(["forget", "--everywhere", str(home), "--name", NAME]) == 0
    forms = [NAME.encode(), *(vector.tobytes() for vector in vectors)]
    content = all_bytes(home, cache)
    assert [(path, form) for path, bytes_ in content.items() for form in forms if form in bytes_] == []
    assert len(EmbeddingTable.read(home / "family" / "faces.h5")) == 4


def test_who_says_whose_a_face_is_waits_for_a_table_that_is_locked(home, capsys):
    with PartsFolder(home / "unnamed.h5"):
        assert main(["forget", "--everywhere", str(home), "--name", NAME]) == 1
    err = capsys.readouterr().err
    assert "unnamed.h5: expected to be its only writer" in err and "people.csv: left as it is until" in err
    assert NAME in (home / "people.csv").read_text("utf-8")
    assert main(["forget", "--everywhere", str(home), "--name", NAME]) == 0
    assert len(EmbeddingTable.read(home / "unnamed.h5")) == 4
    assert main(["audit", str(home), "--name", NAME]) == 0


def test_a_damaged_file_stays_as_it_is_and_is_listed(tmp_path, capsys):
    write_photo(tmp_path / "photos" / NAME / "1.png", 1)
    table, damaged = tmp_path / "in" / "faces.h5", tmp_path / "in" / "damaged.h5"
    table.parent.mkdir()
    update_table(tmp_path / "photos", table, EmbedSettings(), detector=FakeDetector(), embedder=FakeEmbedder())
    damaged.write_bytes(table.read_bytes()[:-100])
    state = damaged.read_bytes()
    assert main(["forget", "--everywhere", str(table.parent), "--name", NAME]) == 1
    assert f"failed: {damaged}: " in capsys.readouterr().err
    assert damaged.read_bytes() == state and len(EmbeddingTable.read(table)) == 0
    assert main(["audit", str(table.parent), "--name", NAME]) == 1


def test_a_young_temporary_file_may_be_somebodys_work(tmp_path, capsys):
    young = tmp_path / ".faces.h5.0123abcd.tmp"
    young.write_bytes(NAME.encode())
    assert main(["forget", "--everywhere", str(tmp_path), "--name", NAME]) == 0
    assert "end what writes it, then delete it" in capsys.readouterr().out
    assert young.exists()


def test_the_last_person_of_a_head(home):
    assert main(["forget", "--everywhere", str(home), "--name", NAME]) == 0
    assert main(["forget", "--everywhere", str(home), "--name", OTHER]) == 0
    assert not (home / "heads" / "family.skops").exists()
    assert len(EmbeddingTable.read(home / "faces.h5")) == 0
    assert main(["audit", str(home / "faces.h5"), "--name", OTHER]) == 0


def test_a_head_or_everywhere(tmp_path, capsys):
    head, folder = str(tmp_path / "family.skops"), str(tmp_path)
    assert main(["forget", "--name", NAME]) == 2
    assert main(["forget", head, "--everywhere", folder, "--name", NAME]) == 2
    assert main(["forget", head, "--name", NAME, "--dry-run"]) == 2
    assert capsys.readouterr().err.count("error: ") == 3


def test_thumbnails_of_the_persons_photos_are_deleted(home):
    workspace = home / "family"
    with PeopleStore(workspace / "people.sqlite") as store:
        theirs = {face.photo_sha256 for face in store.faces_of(store.find_person(NAME).number)}
    before = {path.name[:64] for path in (workspace / "thumbnails").iterdir()}
    main(["forget", "--everywhere", str(home), "--name", NAME])
    assert {path.name[:64] for path in (workspace / "thumbnails").iterdir()} <= before - theirs
    assert theirs < before


def test_groups_of_others_stay(home):
    store = home / "family" / "people.sqlite"
    with PeopleStore(store) as opened:
        opened.record_groups(np.arange(len(opened.faces_in_table())) % 2)
        before = {face.path: face.group for face in opened.faces_in_table()}
    assert main(["forget", "--everywhere", str(home), "--name", NAME]) == 0
    with PeopleStore(store) as opened:
        after = {face.path: face.group for face in opened.faces_in_table()}
    assert len(after) < len(before) and after.items() <= before.items() and set(after.values()) == {0, 1}
