"""Photos to vectors in a pipeline: paths, images, what has no face, and clones that load nothing again."""

import joblib
import numpy as np
import pytest
from sklearn import clone
from sklearn.base import BaseEstimator
from sklearn.exceptions import SkipTestWarning
from sklearn.model_selection import cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.utils.estimator_checks import check_estimator

import classifiers
import embedder
from classifiers import OpenSetClassifier
from embedder import FaceTransformer, read_image
from embedder.networks.encoder import FaceEncoder
from embedder.scikit_learn import transformer
from foundation.errors import InputError
from tests import PROJECT
from tests.embedder.fakes import LENGTH, NO_FACE, FakeDetector, FakeEmbedder, write_photo


@pytest.fixture
def fake(monkeypatch):
    encoder = FaceEncoder(FakeDetector(), FakeEmbedder())
    monkeypatch.setattr(transformer, "_load_encoder", lambda options: encoder)
    return encoder


def test_paths_and_images_give_the_vector_of_the_main_face(fake, tmp_path):
    paths = [write_photo(tmp_path / "a.png", 3), write_photo(tmp_path / "b.png", 1, green=90)]
    images = [read_image(path) for path in paths]
    expected = [fake.encode(images[0]).embeddings[1], fake.encode(images[1]).embeddings[0]]  # the second is the largest
    column = np.array([[str(path)] for path in paths], dtype=object)
    for given in (paths, [str(path) for path in paths], images, np.stack(images), column, [paths[0], images[1]]):
        vectors = FaceTransformer().fit_transform(given)
        assert vectors.dtype == np.float32
        np.testing.assert_allclose(vectors, expected, atol=1e-6)
    assert FaceTransformer().transform([]).shape == (0, LENGTH)


def test_a_photo_without_a_vector_is_named_or_a_row_of_zeros(fake, tmp_path):
    good, empty = write_photo(tmp_path / "good.png"), write_photo(tmp_path / "empty.png", NO_FACE)
    (tmp_path / "text.png").write_text("no picture")
    photos = [good, empty, tmp_path / "text.png", tmp_path / "missing.png"]
    with pytest.raises(
        InputError, match=r"3 of 4 photos gave no vector: .*empty\.png: no face found; .*text\.png: .*missing"
    ):
        FaceTransformer().transform(photos)
    with pytest.warns(UserWarning, match="their rows are zeros"):
        vectors = FaceTransformer(on_failure="zero").transform(photos)
    assert np.linalg.norm(vectors, axis=1).round(3).tolist() == [1.0, 0.0, 0.0, 0.0]


def test_refuses_what_is_no_photo(fake):
    with pytest.raises(InputError, match="must be a sequence of photos, got one path"):
        FaceTransformer().transform("a.jpg")
    with pytest.raises(
        InputError, match=r"row 0 of `X` must be a path or an image, uint8 \(h, w, 3\), got float64 \(2,\)"
    ):
        FaceTransformer().transform([np.zeros(2)])
    with pytest.raises(InputError, match="one column of paths, got shape"):
        FaceTransformer().transform(np.zeros((3, 4)))
    with pytest.raises(InputError, match="`on_failure` must be one of error, zero, got 'skip'"):
        FaceTransformer(on_failure="skip").fit([])
    with pytest.raises(InputError, match="`preset` must be one of"):
        FaceTransformer("no-such-network").fit([])


def test_zero_rows_enrol_nobody_and_are_strangers():
    classifier = OpenSetClassifier(threshold=-2.0).fit([[1.0, 0.0], [0.0, 0.0], [0.0, 1.0]], ["Ada", "Bo", "Cy"])
    assert classifier.classes_.tolist() == ["Ada", "Cy"]
    assert classifier.predict([[0.9, 0.1], [0.0, 0.0]]).tolist() == ["Ada", "unknown"]


def test_it_is_a_step_of_scikit_learn(fake, tmp_path):
    steps = FaceTransformer(min_face_size=40)
    assert clone(steps).get_params() == steps.get_params()
    joblib.dump(steps, tmp_path / "steps.joblib")
    assert joblib.load(tmp_path / "steps.joblib").min_face_size == 40
    assert steps.get_feature_names_out().tolist()[:2] == ["facetransformer0", "facetransformer1"]
    assert len(steps.get_feature_names_out()) == 512
    assert steps.fingerprint == fake.fingerprint
    assert "FaceTransformer" in steps._repr_html_()
    # scikit-learn's checks are for tables of numbers, and say so.
    with pytest.warns(SkipTestWarning, match="requires input"):
        check_estimator(steps)


def test_every_public_estimator_is_checked_or_says_why_not():
    """`OpenSetClassifier` passes them (tests/classifiers/scikit_learn); its tags leave out the transformer."""
    public = [getattr(package, name) for package in (embedder, classifiers) for name in package.__all__]
    estimators = {one for one in public if isinstance(one, type) and issubclass(one, BaseEstimator)}
    assert estimators == {OpenSetClassifier, FaceTransformer}
    assert "scikit-learn's own checks leave it out" in (PROJECT / "docs" / "scikit-learn.md").read_text("utf-8")


def test_a_frame_comes_out_where_one_is_asked_for(fake, tmp_path, monkeypatch):
    pandas = pytest.importorskip("pandas")
    monkeypatch.setattr(FaceTransformer, "_n_features_out", LENGTH)
    paths = pandas.DataFrame({"path": [str(write_photo(tmp_path / "a.png")), str(write_photo(tmp_path / "b.png", 2))]})
    frame = FaceTransformer().set_output(transform="pandas").fit_transform(paths)
    assert frame.shape == (2, LENGTH)
    assert frame.columns.tolist() == [f"facetransformer{number}" for number in range(LENGTH)]


@pytest.mark.realdata
def test_a_pipeline_is_fitted_on_file_names(data):
    folders = [path for path in sorted((data / "people" / "train").iterdir()) if len(list(path.iterdir())) > 1]
    photos = [(str(photo), folder.name) for folder in folders for photo in sorted(folder.iterdir())]
    paths, names = map(list, zip(*photos, strict=True))
    faces = FaceTransformer()
    pipeline = make_pipeline(faces, OpenSetClassifier(fingerprint=faces.fingerprint))
    assert cross_val_score(pipeline, paths, names, cv=2).tolist() == [1.0, 1.0]
    pipeline.fit(paths, names)
    assert pipeline.predict(paths[:1]).tolist() == names[:1]
    assert pipeline[-1].head_.threshold_record.source == "curve"
    assert pipeline[-1].head_.score_kind == "normalized"
