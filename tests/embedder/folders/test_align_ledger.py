import csv
from pathlib import Path

import numpy as np
import pytest

from embedder.detection.faces import Faces
from embedder.folders.align_ledger import CSV_COLUMNS, CSV_NAME, FOLDER, AlignLedger, AlignRecord, face_rows

SETTINGS = {"size": 160, "thresholds": (0.6, 0.7, 0.7)}


def make_record(photo: str, n: int = 1, *, time_ns: int = 1, mtime_ns: int = 5) -> AlignRecord:
    name = photo.rpartition(".")[0]
    faces = [[float(value) for value in range(15)]] * n
    return AlignRecord(
        photo, 100, mtime_ns, "ok" if n else "no_face", name, [f"{name}_{i}.png" for i in range(n)], faces, time_ns
    )


def write_crops(out: Path, record: AlignRecord) -> None:
    for crop in record.crops:
        (out / crop).parent.mkdir(parents=True, exist_ok=True)
        (out / crop).write_bytes(b"crop")


def read_csv(out: Path) -> list[list[str]]:
    with (out / CSV_NAME).open(newline="", encoding="utf-8") as stream:
        return list(csv.reader(stream))


def test_a_new_folder_knows_nothing(tmp_path: Path):
    ledger = AlignLedger(tmp_path / "new", SETTINGS)
    assert ledger.records == {}
    assert not ledger.is_done("a.jpg", 1, 1)
    ledger.write_csv()
    assert read_csv(tmp_path / "new") == [list(CSV_COLUMNS)]


def test_a_finished_photo_is_done_until_it_or_a_crop_changes(tmp_path: Path):
    ledger = AlignLedger(tmp_path, SETTINGS)
    record = make_record("a/b.jpg", 2)
    write_crops(tmp_path, record)
    ledger.add(record)
    ledger.close()
    again = AlignLedger(tmp_path, SETTINGS)
    assert again.records == {"a/b.jpg": record}
    assert again.is_done("a/b.jpg", 100, 5)
    assert not again.is_done("a/b.jpg", 101, 5)
    assert not again.is_done("a/b.jpg", 100, 6)
    (tmp_path / "a/b_1.png").unlink()
    assert not again.is_done("a/b.jpg", 100, 5)


def test_a_photo_without_a_face_is_done(tmp_path: Path):
    ledger = AlignLedger(tmp_path, SETTINGS)
    ledger.add(make_record("a.jpg", 0))
    assert ledger.is_done("a.jpg", 100, 5)


def test_several_ledgers_see_what_the_others_add(tmp_path: Path):
    first, second = AlignLedger(tmp_path, SETTINGS), AlignLedger(tmp_path, SETTINGS)
    first.add(make_record("a.jpg", 0))
    second.add(make_record("b.jpg", 0))
    assert set(first.records) == {"a.jpg"}
    first.refresh()
    second.refresh()
    first.add(make_record("c.jpg", 0))
    second.refresh()
    assert set(first.records) == {"a.jpg", "b.jpg", "c.jpg"}
    assert set(second.records) == {"a.jpg", "b.jpg", "c.jpg"}
    assert len(list((tmp_path / FOLDER).glob("*.jsonl"))) == 2


def test_the_newest_line_of_a_photo_counts(tmp_path: Path):
    first, second = AlignLedger(tmp_path, SETTINGS), AlignLedger(tmp_path, SETTINGS)
    second.add(make_record("a.jpg", 0, time_ns=20, mtime_ns=7))
    first.add(make_record("a.jpg", 0, time_ns=10, mtime_ns=6))
    assert AlignLedger(tmp_path, SETTINGS).records["a.jpg"].mtime_ns == 7


def test_an_unfinished_line_is_not_read_until_it_is_whole(tmp_path: Path):
    writer = AlignLedger(tmp_path, SETTINGS)
    writer.add(make_record("a.jpg", 0))
    writer.add(make_record("b.jpg", 0))
    writer.close()
    part = next((tmp_path / FOLDER).glob("*.jsonl"))
    content = part.read_bytes()
    part.write_bytes(content[:-10])
    reader = AlignLedger(tmp_path, SETTINGS)
    assert set(reader.records) == {"a.jpg"}
    part.write_bytes(content)
    reader.refresh()
    assert set(reader.records) == {"a.jpg", "b.jpg"}


def test_crops_that_a_changed_photo_no_longer_has_are_removed(tmp_path: Path):
    ledger = AlignLedger(tmp_path, SETTINGS)
    before = make_record("a.jpg", 3)
    write_crops(tmp_path, before)
    ledger.add(before)
    ledger.add(make_record("a.jpg", 1, time_ns=2, mtime_ns=6))
    assert [crop for crop in before.crops if (tmp_path / crop).exists()] == ["a_0.png"]


def test_the_csv_holds_all_boxes_in_path_order(tmp_path: Path):
    first, second = AlignLedger(tmp_path, SETTINGS), AlignLedger(tmp_path, SETTINGS)
    second.add(make_record("王/小明, 1.jpg", 2))
    first.add(make_record("a.jpg", 1))
    first.add(make_record("b.jpg", 0))
    first.write_csv()
    header, *rows = read_csv(tmp_path)
    assert header[:8] == ["crop", "photo", "face_index", "x_min", "y_min", "x_max", "y_max", "score"]
    assert [row[:4] for row in rows] == [
        ["a_0.png", "a.jpg", "0", "0.0"],
        ["王/小明, 1_0.png", "王/小明, 1.jpg", "0", "0.0"],
        ["王/小明, 1_1.png", "王/小明, 1.jpg", "1", "0.0"],
    ]
    assert all(len(row) == len(header) for row in rows)


def test_other_settings_are_refused_naming_them(tmp_path: Path):
    AlignLedger(tmp_path, SETTINGS)
    AlignLedger(tmp_path, {"thresholds": [0.6, 0.7, 0.7], "size": 160})
    with pytest.raises(ValueError, match=r"`margin` None before, 32 now; `size` 160 before, 182 now; repeat those"):
        AlignLedger(tmp_path, {**SETTINGS, "size": 182, "margin": 32})


def test_face_rows_are_box_score_and_landmarks():
    faces = Faces(np.array([[1.236, 2, 3, 4]]), np.arange(10).reshape(1, 5, 2), np.array([0.5]))
    assert face_rows(faces) == [[1.24, 2, 3, 4, 0.5, *range(10)]]
    assert face_rows(Faces.empty()) == []
    assert len(face_rows(faces)[0]) == len(CSV_COLUMNS) - len(("crop", "photo", "face_index", "turned"))
