"""Tables of one's own vectors: only vectors are needed, and what cannot be used is named."""

import numpy as np
import pytest

import train_classifier
from classifiers import cluster_table, load_head, train_head
from classifiers.commands.main import main as classifiers_main
from embedder import EmbeddingTable
from foundation.errors import InputError, SpaceMismatchError
from tests.classifiers.people import make_people

PEOPLE = make_people(40, 4)
PLANE = np.eye(2)


def test_vectors_alone_make_a_table():
    table = EmbeddingTable.from_arrays(np.array([[3, 4], [0, -2]]))
    np.testing.assert_allclose(table.embeddings, [[0.6, 0.8], [0.0, -1.0]], atol=1e-7)
    assert table.embeddings.dtype == np.float32
    assert table.identities.tolist() == ["", ""]
    assert table.paths.tolist() == ["row-0", "row-1"]
    assert table.origins.tolist() == ["imported"] * 2
    assert dict(table.fingerprint.space) == {"vectors": "unnamed", "embedding_length": 2}
    assert len(EmbeddingTable.from_arrays(np.zeros((0, 5)))) == 0


def test_vectors_of_any_length_and_type_are_scaled():
    for vectors in ([[1e-30, 0.0]], [[1e30, 0.0]], np.array([[5]], np.uint8), np.array([[1e-300, 1e-300]])):
        np.testing.assert_allclose(np.linalg.norm(EmbeddingTable.from_arrays(vectors).embeddings, axis=1), 1, atol=1e-6)


def test_rows_keep_their_order_and_faces_their_photo(tmp_path):
    paths = [tmp_path / "b.jpg", tmp_path / "b.jpg", tmp_path / "a" / "c.jpg"]
    boxes = [[0, 0, 2, 3], [4, 0, 9, 9], [1, 1, 2, 2]]
    table = EmbeddingTable.from_arrays(np.eye(3), ["Ada", "", "Bo"], paths, boxes=boxes, photo_root=tmp_path)
    assert table.paths.tolist() == ["b.jpg", "b.jpg", "a/c.jpg"]
    assert table.face_indices.tolist() == [0, 1, 0]
    assert table.images.n_faces.tolist() == [2, 1]
    assert table.boxes.tolist() == boxes
    table.write(tmp_path / "own.h5")
    again = EmbeddingTable.read(tmp_path / "own.h5")
    absent = ("time_s", "second_score")  # NaN, which equals nothing
    assert {name: values.tolist() for name, values in again.columns().items() if name not in absent} == {
        name: values.tolist() for name, values in table.columns().items() if name not in absent
    }
    assert again.fingerprint == table.fingerprint


def test_heads_groups_and_files_work_on_them(tmp_path, capsys):
    table = EmbeddingTable.from_arrays(PEOPLE.vectors * 7.0, PEOPLE.identities, space="my-network")
    head = train_head(table)
    assert head.identify(PEOPLE.vectors, fingerprint=table.fingerprint)[0].tolist() == PEOPLE.identities.tolist()
    assert head.threshold_record.source == "calibrated"
    assert len(set(cluster_table(table).labels.tolist())) == 40
    file, head_file = str(tmp_path / "own.h5"), str(tmp_path / "own.skops")
    table.write(file)
    assert train_classifier.main([file, "-o", head_file]) == 0
    assert load_head(head_file).labels == sorted(set(PEOPLE.identities.tolist()))
    assert classifiers_main(["evaluate", file]) == 0
    assert "rank 1             100.0%" in capsys.readouterr().out
    with pytest.raises(SpaceMismatchError, match="vectors my-network"):
        head.identify(PEOPLE.vectors, fingerprint=EmbeddingTable.from_arrays(PEOPLE.vectors).fingerprint)


def test_a_space_is_a_name_its_fields_or_another_tables_fingerprint():
    def space(given: object, vectors: np.ndarray = PLANE) -> dict[str, object]:
        return dict(EmbeddingTable.from_arrays(vectors, space=given).fingerprint.space)

    assert space("clip") == {"vectors": "clip", "embedding_length": 2}
    assert space({"weights_sha256": "ab"}) == {"weights_sha256": "ab", "embedding_length": 2}
    table = EmbeddingTable.from_arrays(np.eye(2), space="clip")
    assert EmbeddingTable.from_arrays(np.eye(2), space=table.fingerprint).fingerprint == table.fingerprint
    with pytest.raises(InputError, match="says that vectors have length 2, got 3"):
        space(table.fingerprint, np.eye(3))


@pytest.mark.parametrize(
    ("vectors", "columns", "message"),
    [
        ([[1.0, np.nan]], {}, "`vectors` must be finite, got NaN or infinity in row 0"),
        ([[1.0, 0.0], [0.0, 0.0]], {}, "`vectors` must not be all zeros, got row 1"),
        ([1.0, 2.0], {}, r"`vectors` must have shape \(n, d\), got \(2,\)"),
        (np.zeros((3, 0)), {}, r"must have shape \(n, d\), got \(3, 0\)"),
        ([["a", "b"]], {}, "`vectors` must be numbers"),
        (np.eye(2), {"identities": ["Ada"]}, "`identities` must have one entry per vector: expected 2, got 1"),
        (np.eye(2), {"identities": [1, 2]}, '`identities` must be text, "" for nobody, got 1 in row 0'),
        (np.eye(2), {"paths": ["a.jpg"]}, "`paths` must have one entry per vector: expected 2, got 1"),
        (np.eye(2), {"paths": ["/a.jpg", "/b.jpg"]}, "relative to a photo folder, got '/a.jpg'; give `photo_root`"),
        (np.eye(2), {"paths": ["/a.jpg", "/b"], "photo_root": "/c"}, "must lie in `photo_root` /c, got '/a.jpg'"),
        (np.eye(3), {"paths": ["a", "b", "a"]}, "must follow one another, got 'a' again in row 2"),
        (np.eye(2), {"paths": ["../a.jpg", "b.jpg"]}, "expected the relative path of a photo"),
        (np.eye(2), {"boxes": np.zeros((2, 2))}, r"`boxes` must have shape \(2, 4\), got \(2, 2\)"),
    ],
)
def test_what_cannot_be_used_is_named(vectors, columns, message):
    with pytest.raises(ValueError, match=message):
        EmbeddingTable.from_arrays(vectors, **columns)
