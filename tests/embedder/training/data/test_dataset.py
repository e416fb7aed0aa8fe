"""What of a folder is trained on, and what is left out and listed."""

from pathlib import Path

import numpy as np
import pytest

from embedder.training.data.dataset import TrainingDataError, TrainingFaces, read_faces_folder
from tests.embedder.training.conftest import make_faces


def _read(root: Path, **options: object) -> TrainingFaces:
    return read_faces_folder(root, source_size=91, **options)  # type: ignore[arg-type]


def test_identities_are_numbered_in_order_of_their_names(faces: Path) -> None:
    found = _read(faces)
    assert found.identities == ("person_00", "person_01", "person_02", "person_03")
    assert len(found.paths) == 24
    assert found.labels.dtype == np.int32
    assert found.labels.tolist() == sorted([0, 1, 2, 3] * 6)
    assert (found.validation_paths, found.skipped, found.dropped, found.n_resized) == ((), (), (), 0)


def test_what_cannot_be_used_is_listed_with_its_reason(tmp_path: Path) -> None:
    root = make_faces(tmp_path / "faces", n_people=3)
    (root / "person_00" / "text.jpg").write_text("no image")
    whole = (root / "person_00" / "000.png").read_bytes()
    (root / "person_01" / "000.png").write_bytes(whole[:200])
    (root / "person_01" / "empty.png").write_bytes(b"")
    (root / "at_the_root.png").write_bytes(whole)
    (root / "alone").mkdir()
    (root / "alone" / "one.png").write_bytes(whole)
    found = _read(root)
    assert [path for path, _ in found.skipped] == [
        "person_00/text.jpg",
        "person_01/000.png",
        "person_01/empty.png",
        "at_the_root.png",
    ]
    assert all(reason for _, reason in found.skipped)
    assert dict(found.skipped)["at_the_root.png"] == "lies in no identity's folder"
    assert found.n_unreadable == 3
    assert found.dropped == (("alone", 1),)
    assert len(found.paths) == 17


def test_faces_of_other_sizes_are_counted(tmp_path: Path) -> None:
    root = make_faces(tmp_path / "faces", n_people=2)
    make_faces(root / "big", n_people=1, n_faces=2, size=120)
    found = _read(root)
    assert found.identities == ("big", "person_00", "person_01")
    assert found.n_resized == 2


def test_validation_holds_back_whole_identities(tmp_path: Path) -> None:
    root = make_faces(tmp_path / "faces", n_people=8, n_faces=2)
    found = _read(root, validation_split=0.25, seed=3)
    held_back = set(found.validation_identities)
    assert len(held_back) == 2
    assert held_back.isdisjoint(found.identities)
    assert len(found.identities) == 6
    assert len(found.validation_paths) == 4
    assert _read(root, validation_split=0.25, seed=3).validation_paths == found.validation_paths
    assert any(
        _read(root, validation_split=0.25, seed=seed).validation_paths != found.validation_paths for seed in range(4)
    )


def test_the_default_holds_back_a_twentieth_from_100_identities_on(tmp_path: Path) -> None:
    root = make_faces(tmp_path / "faces", n_people=100, n_faces=2, size=8)
    assert len(set(_read(root).validation_identities)) == 5
    for path in (root / "person_00").iterdir():
        path.unlink()
    assert _read(root).validation_identities == ()


def test_the_hash_follows_content_and_names(tmp_path: Path) -> None:
    root = make_faces(tmp_path / "faces", n_people=2)
    before = _read(root, record=tmp_path / "faces.csv").sha256
    assert _read(root, record=tmp_path / "faces.csv").sha256 == before
    other = (root / "person_01" / "000.png").read_bytes()
    (root / "person_00" / "000.png").write_bytes(other)
    after = _read(root, record=tmp_path / "faces.csv").sha256
    assert after != before
    (root / "person_00" / "000.png").rename(root / "person_00" / "zzz.png")
    assert _read(root).sha256 not in (before, after)


def test_a_recorded_file_is_not_read_again_and_a_damaged_record_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    from embedder.training.data import dataset

    root, record = make_faces(tmp_path / "faces", n_people=2), tmp_path / "faces.csv"
    n_read = []
    read_image = dataset.read_image
    monkeypatch.setattr(dataset, "read_image", lambda path: (n_read.append(path), read_image(path))[1])
    first = _read(root, record=record)
    assert len(n_read) == 12
    assert _read(root, record=record).sha256 == first.sha256
    assert len(n_read) == 12
    record.write_text("path,size\nperson_00/000.png,x\n")
    assert _read(root, record=record).sha256 == first.sha256
    assert len(n_read) == 24
    assert "is damaged" in caplog.text


@pytest.mark.parametrize(
    ("n_people", "n_faces", "message"),
    [
        (
            0,
            0,
            "expected sub-folders with aligned faces, .* found no image; make them with: facetable align",
        ),
        (
            1,
            5,
            "expected at least two identities with at least 2 faces .* found 1 among 1 identity and 5 readable faces",
        ),
        (
            4,
            1,
            "expected at least two identities with at least 2 faces .* found 0 among 4 identities and 4 readable faces",
        ),
    ],
)
def test_a_folder_without_two_identities_is_refused(tmp_path: Path, n_people: int, n_faces: int, message: str) -> None:
    (tmp_path / "faces").mkdir()
    make_faces(tmp_path / "faces", n_people=n_people, n_faces=n_faces)
    with pytest.raises(TrainingDataError, match=message):
        _read(tmp_path / "faces")


def test_a_split_that_leaves_too_few_is_refused(faces: Path) -> None:
    with pytest.raises(
        TrainingDataError, match=r"`validation_split` 0.9 of 4 identities holds back 4; expected at least two"
    ):
        _read(faces, validation_split=0.9)


def test_a_missing_folder_is_an_os_error(tmp_path: Path) -> None:
    with pytest.raises(OSError, match="absent"):
        _read(tmp_path / "absent")
