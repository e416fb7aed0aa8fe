"""Tables moved to another network: the faces of before, none looked for again."""

import dataclasses
import logging
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from embedder.errors import TableError
from embedder.pipeline.runner import embed_folder
from embedder.tables.table import EmbeddingTable
from foundation.errors import FingerprintError, InputError
from tests.embedder.fakes import FakeDetector, FakeEmbedder, write_photo
from tests.embedder.runs import embed, same_columns
from tests.embedder.table_files import write_version_1

OTHER = "cd" * 32


class NoDetector(FakeDetector):
    """Has the fakes' settings, and must not be asked."""

    def detect_batch(self, images: Any) -> Any:
        raise AssertionError(f"{len(images)} photos were searched again")


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    folder = tmp_path / "photos"
    for name, red, green in (("Ada/1.png", 1, 5), ("Ada/2.png", 3, 6), ("Bob/1.png", 2, 7), ("Bob/none.png", 0, 8)):
        write_photo(folder / name, red, green=green)
    return folder


@pytest.fixture
def old(tmp_path: Path, photos: Path) -> Path:
    """A table in which a person has drawn a face and named two."""
    path = tmp_path / "old.h5"
    table = embed(photos, path)
    identities, origins, boxes = table.identities.copy(), table.origins.copy(), table.boxes.copy()
    identities[0], identities[1], origins[2], boxes[2] = "Ada Lovelace", "Grace", "drawn", [3, 4, 17, 19]
    origins[4] = "imported"
    dataclasses.replace(table, identities=identities, origins=origins, boxes=boxes).write(path)
    return path


def move(photos: Path, out: Path, old: Path, **options: Any) -> EmbeddingTable:
    chosen = {"detector": NoDetector(), "embedder": FakeEmbedder(OTHER), **options}
    return embed_folder(photos, out, faces_from=old, **chosen)


def test_all_but_the_vectors_stays(tmp_path: Path, photos: Path, old: Path) -> None:
    before, after = EmbeddingTable.read(old), move(photos, tmp_path / "new.h5", old)
    assert same_columns(before.images, after.images)
    assert same_columns(before, dataclasses.replace(after, embeddings=before.embeddings))
    assert after.origins.tolist() == ["detected", "detected", "drawn", "detected", "imported", "detected"]
    assert after.identities[:2].tolist() == ["Ada Lovelace", "Grace"]
    assert after.fingerprint.space.weights_sha256 == OTHER
    note = after.fingerprint.provenance["faces_from"]
    assert note == {"table": "old.h5", "preset": None, "created": before.created}
    assert len(after.embeddings) == 6


def test_it_is_the_table_that_looking_for_faces_gives(tmp_path: Path, photos: Path) -> None:
    embed(photos, tmp_path / "old.h5")
    moved = move(photos, tmp_path / "new.h5", tmp_path / "old.h5")
    anew = embed(photos, tmp_path / "anew.h5", embedder=FakeEmbedder(OTHER))
    assert same_columns(anew, moved) and same_columns(anew.images, moved.images)


def test_one_face_is_not_chosen_a_second_time(tmp_path: Path, photos: Path) -> None:
    before = embed(photos, tmp_path / "old.h5", faces="one")
    after = move(photos, tmp_path / "new.h5", tmp_path / "old.h5", faces="one")
    np.testing.assert_array_equal(before.boxes, after.boxes)


def test_what_changed_since_and_what_is_new_is_searched(
    tmp_path: Path, photos: Path, old: Path, caplog: pytest.LogCaptureFixture
) -> None:
    write_photo(photos / "Ada/2.png", 2, green=60)
    write_photo(photos / "Cy/1.png", 1, green=61)
    detector = FakeDetector()
    with caplog.at_level(logging.WARNING):
        after = move(photos, tmp_path / "new.h5", old, detector=detector)
    assert detector.n_seen == 2
    assert dict(zip(after.images.path.tolist(), after.images.n_faces.tolist(), strict=True)) == {
        "Ada/1.png": 1,
        "Ada/2.png": 2,
        "Bob/1.png": 2,
        "Bob/none.png": 0,
        "Cy/1.png": 1,
    }
    assert "1 of its photos is gone or changed, the first is Ada/2.png" in caplog.text


def test_a_moved_photo_keeps_its_faces_and_takes_the_name_of_its_new_folder(
    tmp_path: Path, photos: Path, old: Path
) -> None:
    (photos / "Cy").mkdir()
    (photos / "Ada/2.png").rename(photos / "Cy/2.png")
    after = move(photos, tmp_path / "new.h5", old)
    rows = after.paths == "Cy/2.png"
    assert after.origins[rows].tolist() == ["detected", "drawn", "detected"]
    assert set(after.identities[rows].tolist()) == {"", "Cy"}


def test_it_goes_on_where_it_was_interrupted(tmp_path: Path, photos: Path, old: Path) -> None:
    class Interrupted(FakeEmbedder):
        def embed(self, crops: np.ndarray) -> np.ndarray:
            if self.n_seen:
                raise KeyboardInterrupt
            return super().embed(crops)

    for number in range(40):  # more than one batch
        write_photo(photos / f"Dan/{number}.png", 1, green=100 + number)
    embed(photos, old)
    out = tmp_path / "new.h5"
    with pytest.raises(KeyboardInterrupt):
        move(photos, out, old, embedder=Interrupted(OTHER))
    assert list(out.with_name("new.h5.parts").glob("*.h5"))
    with pytest.raises(FingerprintError, match=r"new\.h5\.parts: expected --from old\.h5 .* found none"):
        embed(photos, out, embedder=FakeEmbedder(OTHER))
    second = FakeEmbedder(OTHER)
    after = move(photos, out, old, embedder=second)
    assert 0 < second.n_seen < len(after) == 46
    assert after.origins.tolist().count("drawn") == 1


def test_once_finished_it_is_a_table_like_others(tmp_path: Path, photos: Path, old: Path) -> None:
    out = tmp_path / "new.h5"
    move(photos, out, old)
    write_photo(photos / "Cy/1.png", 1, green=61)
    detector = FakeDetector()
    after = embed(photos, out, detector=detector, embedder=FakeEmbedder(OTHER))
    assert detector.n_seen == 1 and after.origins.tolist().count("drawn") == 1
    assert after.fingerprint.provenance["faces_from"]["table"] == "old.h5"


def test_with_several_jobs(tmp_path: Path, photos: Path, old: Path) -> None:
    alone = move(photos, tmp_path / "one.h5", old)
    together = move(photos, tmp_path / "two.h5", old, n_jobs=2, detector=FakeDetector())
    assert same_columns(alone, together)


def test_a_table_of_version_1_is_moved_too(tmp_path: Path, photos: Path) -> None:
    before = embed(photos, tmp_path / "new-style.h5")
    old = write_version_1(tmp_path / "old.h5", before)
    after = move(photos, tmp_path / "new.h5", old)
    assert same_columns(before, dataclasses.replace(after, embeddings=before.embeddings))


@pytest.mark.parametrize(
    ("settings", "named"),
    [
        ({"faces": "one"}, r"`faces` all before, one now; pass faces='all' in Python, --all-faces on the command line"),
        ({"max_pixels": 5000}, "`max_pixels` 200000000 before, 5000 now"),
        ({"detector": FakeDetector(thresholds=(0.1, 0.7, 0.7))}, r"`thresholds` .* before, \[0\.1.* now"),
    ],
)
def test_settings_that_find_other_faces_are_refused(
    tmp_path: Path, photos: Path, old: Path, settings: dict[str, Any], named: str
) -> None:
    with pytest.raises(FingerprintError, match=rf"old\.h5: its faces were found with other settings: {named}"):
        move(photos, tmp_path / "new.h5", old, **settings)
    assert not (tmp_path / "new.h5").exists()


def test_no_table_is_moved_into_itself_and_none_that_is_damaged(tmp_path: Path, photos: Path, old: Path) -> None:
    content = old.read_bytes()
    with pytest.raises(InputError, match=r"old\.h5: its faces cannot go into itself; give another -o"):
        move(photos, old, old)
    assert old.read_bytes() == content
    old.write_bytes(content[:-100])
    with pytest.raises(TableError, match=r"old\.h5: expected a whole table"):
        move(photos, tmp_path / "new.h5", old)


def test_who_gives_another_network_is_told_that_the_table_can_be_moved(tmp_path: Path, photos: Path) -> None:
    out = tmp_path / "old.h5"
    embed(photos, out)
    with pytest.raises(FingerprintError, match=r"`weights_sha256` .*; give another -o \(with --from .*old\.h5 no face"):
        embed(photos, out, embedder=FakeEmbedder(OTHER))
