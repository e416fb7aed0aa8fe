from pathlib import Path

import numpy as np
import pytest

from embedder.images.photo import Photo
from embedder.pipeline import writer as part_writer
from embedder.pipeline.mapper import FaceMapper, PhotoResult
from embedder.pipeline.settings import EmbedSettings
from embedder.pipeline.writer import PartWriter
from embedder.tables.file import Header
from embedder.tables.table import EmbeddingTable
from tests.embedder.fakes import LENGTH, SIZE_HW, make_encoder

HEADER = Header("/photos", {"space": {"embedding_length": LENGTH}, "provenance": {}}, "")


def some_results(n: int, start: int = 0) -> list[PhotoResult]:
    mapper = FaceMapper(make_encoder(), EmbedSettings())
    photos = [
        Photo(f"Ada/{i:04d}", np.full((*SIZE_HW, 3), i % 4, np.uint8), image_sha256=f"{i:064x}", size=i, mtime_ns=i)
        for i in range(start, start + n)
    ]
    return mapper.embed(mapper.find(photos))


def parts(folder: Path) -> list[EmbeddingTable]:
    return sorted((EmbeddingTable.read(path) for path in folder.iterdir()), key=lambda part: part.images.path[0])


def test_nothing_writes_nothing(tmp_path: Path) -> None:
    writer = PartWriter(tmp_path, HEADER)
    writer.add([])
    writer.flush()
    assert parts(tmp_path) == []


def test_a_part_holds_all_columns(tmp_path: Path) -> None:
    writer = PartWriter(tmp_path, HEADER)
    results = some_results(4)
    writer.add(results)
    assert parts(tmp_path) == []
    writer.flush()
    (part,) = parts(tmp_path)
    assert part.images.path.tolist() == ["Ada/0000", "Ada/0001", "Ada/0002", "Ada/0003"]
    assert part.images.status.tolist() == ["no_face", "ok", "ok", "ok"]
    assert part.images.n_faces.tolist() == [0, 1, 2, 3]
    assert (part.images.height[0], part.images.width[0]) == SIZE_HW
    assert part.images.size.tolist() == part.images.mtime_ns.tolist() == [0, 1, 2, 3]
    assert part.paths.tolist() == ["Ada/0001"] + ["Ada/0002"] * 2 + ["Ada/0003"] * 3
    assert part.face_indices.tolist() == [0, 0, 1, 0, 1, 2]
    assert part.identities.tolist() == ["Ada", "", "Ada", "", "Ada", ""]
    assert [int(sha256, 16) for sha256 in part.image_sha256] == [1, 2, 2, 3, 3, 3]
    np.testing.assert_array_equal(part.embeddings, np.concatenate([result.embeddings for result in results]))
    np.testing.assert_array_equal(part.boxes, np.concatenate([result.faces.boxes for result in results]))
    assert part.created > "2026"


def test_parts_are_cut_by_number(tmp_path: Path) -> None:
    writer = PartWriter(tmp_path, HEADER)
    for start in range(0, 600, 100):
        writer.add(some_results(100, start))
    assert [len(part.images) for part in parts(tmp_path)] == [256, 256]
    writer.flush()
    writer.flush()
    assert [len(part.images) for part in parts(tmp_path)] == [256, 256, 88]


def test_parts_are_cut_by_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    clock = iter([-5.0, 0.0, 29.9, 30.0, 100.0, 129.9, 130.0])
    monkeypatch.setattr(part_writer.time, "monotonic", lambda: next(clock))
    writer = PartWriter(tmp_path, HEADER)
    for n_before, start in ((0, 0), (0, 2), (1, 4)):
        assert len(parts(tmp_path)) == n_before
        writer.add(some_results(2, start))
    assert [len(part.images) for part in parts(tmp_path)] == [4]
    writer.add([])
    assert [len(part.images) for part in parts(tmp_path)] == [4, 2]
