"""Verification figures against scikit-learn and pairs worked by hand."""

from pathlib import Path

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from embedder.training.data.dataset import read_faces_folder
from embedder.training.model.network import TrainingNetwork
from embedder.training.run.evaluation import Evaluator, PairsSource, read_pairs_source
from embedder.training.settings import TrainingSettings
from tests.embedder.training.conftest import SMALL_RUN, make_faces


def _lfw_folder(root: Path) -> Path:
    make_faces(root, n_people=3, n_faces=3)
    for path in sorted(root.rglob("*.png")):
        path.rename(path.with_name(f"{path.parent.name}_{int(path.stem) + 1:04d}.png"))
    return root


def _pairs(folder: Path, text: str) -> PairsSource:
    (folder.parent / "pairs.txt").write_text(text)
    return read_pairs_source(folder, folder.parent / "pairs.txt")


def test_validation_auc_equals_scikit_learns_on_all_pairs(small: None, faces: Path) -> None:
    found = read_faces_folder(faces, source_size=91, validation_split=0.5)
    evaluator = Evaluator(TrainingNetwork(TrainingSettings(**SMALL_RUN), n_classes=2), found, None)
    vectors = evaluator.embed_faces(faces, found.validation_paths)
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-5)
    first, second = np.triu_indices(12, 1)
    same = np.array(found.validation_identities)[first] == np.array(found.validation_identities)[second]
    expected = roc_auc_score(same, (vectors @ vectors.T)[first, second])
    figures = evaluator.evaluate()
    assert evaluator.has_pairs
    assert tuple(figures) == evaluator.columns
    assert figures["validation_auc"] == pytest.approx(expected, abs=1e-6)
    assert evaluator.rank(figures) == figures["validation_auc"]
    assert 0 <= figures["validation_threshold"] <= 2


def test_pairs_that_any_network_tells_apart_are_all_right(small: None, tmp_path: Path) -> None:
    folder = _lfw_folder(tmp_path / "faces")
    for person in ("person_00", "person_01"):
        first = (folder / person / f"{person}_0001.png").read_bytes()
        for number in (2, 3):
            (folder / person / f"{person}_{number:04d}.png").write_bytes(first)
    source = _pairs(folder, "2 1\nperson_00 1 2\nperson_00 1 person_01 1\nperson_01 1 3\nperson_01 2 person_00 3\n")
    found = read_faces_folder(folder, source_size=91)
    evaluator = Evaluator(TrainingNetwork(TrainingSettings(**SMALL_RUN), n_classes=3), found, source)
    figures = evaluator.evaluate()
    assert (figures["lfw_accuracy"], figures["lfw_auc"]) == (1.0, 1.0)
    assert evaluator.rank(figures) == 1.0


def test_missing_faces_are_said_and_count_as_errors(
    small: None, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    folder = _lfw_folder(tmp_path / "faces")
    source = _pairs(folder, "2 1\nperson_00 1 9\nperson_00 1 person_01 1\nperson_01 1 2\nperson_01 2 person_00 9\n")
    assert ": 1 face; each pair" in caplog.text
    found = read_faces_folder(folder, source_size=91)
    figures = Evaluator(TrainingNetwork(TrainingSettings(**SMALL_RUN), n_classes=3), found, source).evaluate()
    assert figures["lfw_accuracy"] <= 0.5  # Two of the four pairs.


def test_without_people_held_back_or_pairs_there_is_nothing_to_verify_on(small: None, faces: Path) -> None:
    found = read_faces_folder(faces, source_size=91)
    evaluator = Evaluator(TrainingNetwork(TrainingSettings(**SMALL_RUN), n_classes=4), found, None)
    assert not evaluator.has_pairs
    assert (evaluator.columns, evaluator.evaluate()) == ((), {})


def test_a_folder_without_the_pairs_faces_is_refused(faces: Path, tmp_path: Path) -> None:
    (tmp_path / "pairs.txt").write_text("2 1\nAda 1 2\nAda 1 Bob 1\nAda 1 3\nAda 2 Bob 1\n")
    with pytest.raises(ValueError, match="expected the photos of the pairs such as Ada/Ada_0001"):
        read_pairs_source(faces, tmp_path / "pairs.txt")
