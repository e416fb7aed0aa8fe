"""Rejection around any classifier."""

import joblib
import numpy as np
import pytest
from sklearn import clone, config_context
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.naive_bayes import GaussianNB
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import Normalizer
from sklearn.utils.estimator_checks import parametrize_with_checks

from classifiers import OpenSetClassifier, tpir_at_fpir_scorer
from classifiers.errors import IdentityError, ThresholdError
from classifiers.heads.estimators import GalleryClassifier, KNNClassifier, LDAClassifier, LogisticClassifier
from classifiers.heads.registry import HEADS, make_head
from classifiers.scikit_learn.labels import Labels
from classifiers.scores.gallery import UNKNOWN
from classifiers.scores.thresholds import find_curve
from foundation.errors import InputError
from tests.classifiers.people import FINGERPRINT, make_people

PEOPLE = make_people(8, 4)
PROBES = make_people(8, 9)
STRANGERS = make_people(20, 1, seed=9)
PRESETS_WEIGHTS = "704afe26766ce6215931b0bde68650835be9518613d40ce101e641708c7d5c78"


@pytest.mark.parametrize(
    "head", [*HEADS, LogisticRegression(), GaussianNB(), RandomForestClassifier(9, random_state=0)]
)
def test_every_head_names_the_enrolled_and_refuses_strangers(head):
    classifier = OpenSetClassifier(head, threshold=0.7).fit(PEOPLE.vectors, PEOPLE.identities, fingerprint=FINGERPRINT)
    assert np.mean(classifier.predict(PROBES.vectors) == PROBES.identities) > 0.9
    assert set(classifier.predict(STRANGERS.vectors)) == {UNKNOWN}
    assert UNKNOWN not in set(classifier.choose(STRANGERS.vectors))
    assert classifier.classes_.tolist() == [f"person {number:03d}" for number in range(8)]


@pytest.mark.parametrize("head", HEADS)
def test_chooses_exactly_what_the_estimator_chooses(head):
    crowd = make_people(15, 3, spread=2.0)
    crowd.vectors[10] = crowd.vectors[3]
    probes = np.vstack([make_people(15, 20, spread=2.0).vectors, crowd.vectors])
    classifier = OpenSetClassifier(head, 0.6).fit(crowd.vectors, crowd.identities)
    expected = make_head(head).fit(crowd.vectors, crowd.identities).predict(probes)
    np.testing.assert_array_equal(classifier.choose(probes), expected)


@pytest.mark.parametrize("head", [*HEADS, LogisticRegression()])
def test_scores_are_the_similarity_to_the_chosen_person(head):
    classifier = OpenSetClassifier(head, 0.6).fit(PEOPLE.vectors, PEOPLE.identities)
    match = classifier.head_.match(STRANGERS.vectors)
    columns = np.searchsorted(classifier.classes_, match.identities)
    expected = classifier.similarity(STRANGERS.vectors)[np.arange(len(columns)), columns]
    np.testing.assert_allclose(match.scores, expected, atol=1e-6)
    nearest = PEOPLE.vectors[match.exemplars]
    np.testing.assert_allclose(match.scores, np.sum(nearest * STRANGERS.vectors, axis=1), atol=1e-6)


@pytest.mark.parametrize("head", [*HEADS, LogisticRegression()])
def test_one_photo_each_and_one_identity(head):
    one_each = make_people(6, 1)
    classifier = OpenSetClassifier(head, threshold=0.7).fit(one_each.vectors, one_each.identities)
    assert classifier.predict(one_each.vectors).tolist() == one_each.identities.tolist()
    alone = OpenSetClassifier(head, threshold=0.7).fit(one_each.vectors[:1], ["Ada"])
    assert alone.predict(one_each.vectors).tolist() == ["Ada"] + [UNKNOWN] * 5
    assert alone.choose(one_each.vectors).tolist() == ["Ada"] * 6


def test_faces_nobody_has_named_are_ignored():
    names = np.where(PEOPLE.identities == "person 003", "", PEOPLE.identities)
    classifier = OpenSetClassifier(threshold=0.7).fit(PEOPLE.vectors, names)
    assert "person 003" not in classifier.classes_
    assert set(classifier.predict(PEOPLE.vectors[names == ""])) == {UNKNOWN}


@pytest.mark.filterwarnings("ignore:the threshold is a cosine")
@parametrize_with_checks([OpenSetClassifier(), OpenSetClassifier("svm")])
def test_scikit_learn_checks(estimator, check):
    check(estimator)


@pytest.mark.parametrize(
    ("labels", "stranger"),
    [
        (np.array([30, 4, 100]), -1),
        (np.array([30, 4, 100], np.int8), -1),
        (np.array([-1, 4, 100]), -2),
        (np.array([30, 4, 100], np.uint8), 255),
        (np.array([0.0, 1.0, 2.0]), -1.0),
        (np.array(["Cy", "Ada", "Bo"]), UNKNOWN),
        (np.array(["Cy", "Ada", "Bo"], dtype=object), UNKNOWN),
        (np.array([30, 4, 100], dtype=object), -1),
        ([30, 4, 100], -1),
    ],
)
@pytest.mark.parametrize("head", ["gallery", "svm", "lda"])
def test_labels_come_back_as_they_went_in(labels, stranger, head):
    classifier = OpenSetClassifier(head, 0.7).fit(np.eye(3), labels)
    kind = np.asarray(labels).dtype.kind
    assert classifier.classes_.tolist() == sorted(labels)
    assert classifier.classes_.dtype.kind == classifier.predict(np.eye(3)).dtype.kind == kind
    assert classifier.predict(np.eye(3)).tolist() == classifier.choose(np.eye(3)).tolist() == list(labels)
    assert classifier.predict(-np.eye(3)).tolist() == [stranger] * 3
    assert classifier.unknown_label_ == stranger
    columns = [sorted(labels).index(label) for label in labels]
    np.testing.assert_array_equal(classifier.similarity(np.eye(3)).argmax(axis=1), columns)
    assert classifier.score(np.vstack([np.eye(3), -np.eye(3)]), [*labels, *[stranger] * 3]) == 1.0


def test_true_and_false_leave_a_word_for_strangers():
    classifier = OpenSetClassifier(threshold=0.7).fit(np.eye(2), [True, False])
    assert classifier.predict([[1.0, 0.0], [0.0, 1.0], [-1.0, 0.0]]).tolist() == [True, False, UNKNOWN]


def test_rows_with_the_label_of_strangers_are_nobodys():
    classifier = OpenSetClassifier(threshold=0.7, unknown_label=-1).fit(np.eye(3), [5, 6, -1])
    assert classifier.classes_.tolist() == [5, 6]
    assert classifier.predict(np.eye(3)).tolist() == [5, 6, -1]
    named = OpenSetClassifier(threshold=0.7, unknown_label="unknown").fit(np.eye(3), ["Ada", "Bo", "unknown"])
    assert named.predict(np.eye(3)).tolist() == ["Ada", "Bo", "unknown"]
    assert (
        OpenSetClassifier(unknown_label="nobody", threshold=0.7).fit(np.eye(2), [1, 2]).predict(-np.eye(2)).tolist()
        == ["nobody"] * 2
    )


def test_labels_that_cannot_be_told_apart_or_leave_no_number_are_refused():
    with pytest.raises(InputError, match="two labels of `y` are both written '1'"):
        Labels(np.array([_Written("1", 0), _Written("1", 1)], dtype=object))
    with pytest.raises(InputError, match="must be of one type that can be sorted"):
        OpenSetClassifier().fit(np.eye(2), np.array([1, "Ada"], dtype=object))
    with pytest.raises(InputError, match="leave no int8 for strangers; give `unknown_label`"):
        OpenSetClassifier().fit(np.eye(2), np.array([-128, 3], np.int8))


class _Written:
    """A label that is sorted by a number and written as a text."""

    def __init__(self, text: str, order: int) -> None:
        self.text, self.order = text, order

    def __lt__(self, other: "_Written") -> bool:
        return self.order < other.order

    def __str__(self) -> str:
        return self.text


def test_integer_labels_are_cross_validated():
    labels = np.repeat(np.arange(8), 4)
    scores = cross_val_score(OpenSetClassifier(threshold=0.6), PEOPLE.vectors, labels, cv=4, error_score="raise")
    assert scores.tolist() == [1.0] * 4
    assert (
        cross_val_score(OpenSetClassifier(threshold=0.6), PEOPLE.vectors, labels, scoring="accuracy", cv=4).min() == 1
    )


def test_settings_are_searched_in_a_pipeline():
    pipeline = make_pipeline(Normalizer(), OpenSetClassifier(threshold=0.6))
    grid = {"opensetclassifier__head": ["gallery", KNNClassifier(3)], "opensetclassifier__threshold": [0.6, 0.999]}
    search = GridSearchCV(pipeline, grid, cv=2).fit(PEOPLE.vectors, PEOPLE.identities)
    assert search.best_params_["opensetclassifier__threshold"] == 0.6
    assert search.score(PROBES.vectors, PROBES.identities) > 0.9
    assert tpir_at_fpir_scorer(0.01)(search, PROBES.vectors, PROBES.identities) > 0.9
    assert clone(pipeline).get_params()["opensetclassifier__threshold"] == 0.6


def test_a_pickle_decides_the_same(tmp_path):
    classifier = OpenSetClassifier("svm", threshold=0.7).fit(PEOPLE.vectors, PEOPLE.identities)
    joblib.dump(classifier, tmp_path / "classifier.joblib")
    again = joblib.load(tmp_path / "classifier.joblib")
    np.testing.assert_array_equal(again.predict(PROBES.vectors), classifier.predict(PROBES.vectors))


def test_paths_are_routed_through_a_pipeline():
    paths = [f"{row}.jpg" for row in range(len(PEOPLE.vectors))]
    with config_context(enable_metadata_routing=True):
        classifier = OpenSetClassifier(threshold=0.6).set_fit_request(paths=True)
        pipeline = make_pipeline(Normalizer(), classifier).fit(PEOPLE.vectors, PEOPLE.identities, paths=paths)
    assert pipeline[-1].head_.gallery.paths.tolist() == paths


def test_it_is_shown_in_a_notebook():
    assert "OpenSetClassifier" in OpenSetClassifier(threshold=0.7)._repr_html_()
    assert repr(OpenSetClassifier(threshold=0.7)) == "OpenSetClassifier(threshold=0.7)"


@pytest.mark.parametrize("n_people", [2, 8])
def test_values_of_the_decision_are_there_where_similarity_decides(n_people):
    people = make_people(n_people, 4, spread=2.0)
    probes = make_people(n_people, 50, spread=2.0, seed=3).vectors
    for classifier in (OpenSetClassifier(threshold=-1.0), GalleryClassifier(), LogisticClassifier(), LDAClassifier()):
        values = classifier.fit(people.vectors, people.identities).decision_function(probes)
        assert values.shape == ((len(probes),) if n_people == 2 else (len(probes), n_people))
        columns = (values > 0).astype(int) if n_people == 2 else values.argmax(axis=1)
        np.testing.assert_array_equal(classifier.classes_[columns], classifier.predict(probes))
    for head in ("knn", "svm", "logreg", LogisticRegression()):
        assert not hasattr(OpenSetClassifier(head, 0.5).fit(people.vectors, people.identities), "decision_function")


def test_equally_alike_people_are_decided_alike():
    twins = np.vstack([PEOPLE.vectors[:1]] * 2)
    classifier = OpenSetClassifier(threshold=0.5).fit(twins, ["Bo", "Ada"])
    assert classifier.choose(PROBES.vectors[:1]).tolist() == ["Bo"]
    assert classifier.decision_function(PROBES.vectors[:1])[0] > 0


def test_nothing_is_a_probability():
    assert not hasattr(OpenSetClassifier().fit(np.eye(40), np.arange(40)), "predict_proba")


def test_the_default_is_that_of_the_command_line():
    """Score and threshold of `train_head` on a table of the default preset, by its fingerprint alone."""
    fingerprint = {"space": {"weights_sha256": PRESETS_WEIGHTS}, "provenance": {}}
    people = make_people(5, 3, length=512)
    classifier = OpenSetClassifier(fingerprint=fingerprint).fit(people.vectors, people.identities)
    curve = find_curve(fingerprint, score="normalized")  # 15 exemplars, and 5 means that count half
    assert classifier.head_.score_kind == "normalized"
    assert classifier.head_.threshold == curve.at(17.5)
    assert classifier.head_.threshold_record.source == "curve"
    at_fit = OpenSetClassifier().fit(people.vectors, people.identities, fingerprint=fingerprint)
    assert at_fit.head_.threshold == curve.at(17.5)
    cosine = OpenSetClassifier(fingerprint=fingerprint, background=None).fit(people.vectors, people.identities)
    assert cosine.head_.threshold == find_curve(fingerprint, score="cosine").at(17.5)


def test_vectors_nothing_is_known_of_are_calibrated_or_warned_of():
    people = make_people(30, 2)
    calibrated = OpenSetClassifier().fit(people.vectors, people.identities).head_.threshold_record
    assert (calibrated.source, calibrated.fpir) == ("calibrated", 0.01)
    assert OpenSetClassifier(fpir=0.1).fit(people.vectors, people.identities).head_.threshold_record.fpir == 0.1
    with pytest.warns(UserWarning, match="the threshold is a cosine of 0.6, .*8 people cannot measure one"):
        few = OpenSetClassifier().fit(PEOPLE.vectors, PEOPLE.identities)
    assert few.head_.threshold == 0.6
    with pytest.raises(ThresholdError, match="at least 30"):
        OpenSetClassifier(fpir=0.01).fit(PEOPLE.vectors, PEOPLE.identities)


def test_refuses_parameters_that_say_two_things():
    with pytest.raises(InputError, match="`threshold` and `fpir` are two ways to say one thing"):
        OpenSetClassifier(threshold=0.5, fpir=0.01).fit(np.eye(2), ["Ada", "Bo"])
    with pytest.raises(InputError, match="`background` must be a Background, 'preset' or None, got 'none'"):
        OpenSetClassifier(background="none").fit(np.eye(2), ["Ada", "Bo"])


def test_a_weight_counts():
    classifier = OpenSetClassifier(threshold=0.7).fit(np.eye(2), ["Ada", "Bo"])
    assert classifier.score(np.eye(2), ["Ada", "Ada"], sample_weight=[3.0, 1.0]) == 0.75


def test_the_place_of_before_says_where_it_is_now():
    import classifiers.heads.open_set as before

    with pytest.warns(DeprecationWarning, match=r"is classifiers.OpenSetClassifier now, and gone from here in version"):
        assert before.OpenSetClassifier is OpenSetClassifier
    with pytest.raises(AttributeError, match="has no attribute 'OpenSet'"):
        _ = before.OpenSet


def test_refuses_nobody_the_reserved_name_and_bad_vectors():
    with pytest.raises(IdentityError, match="no row has an identity"):
        OpenSetClassifier().fit(np.eye(2), ["", ""])
    with pytest.raises(IdentityError, match="may not be called 'unknown'"):
        OpenSetClassifier().fit(np.eye(2), ["Ada", "unknown"])
    with pytest.raises(ValueError, match="must be finite"):
        OpenSetClassifier().fit([[np.nan, 1.0]], ["Ada"])
    with pytest.raises(ValueError, match="unknown head 'forest'"):
        OpenSetClassifier("forest").fit(np.eye(2), ["Ada", "Bo"])


def test_the_given_estimator_is_left_unfitted():
    forest = RandomForestClassifier(3)
    OpenSetClassifier(forest, 0.6).fit(PEOPLE.vectors, PEOPLE.identities)
    assert not hasattr(forest, "estimators_")


def test_score_counts_strangers_as_right_when_refused():
    classifier = OpenSetClassifier(threshold=0.7).fit(PEOPLE.vectors, PEOPLE.identities)
    assert classifier.score(STRANGERS.vectors, [UNKNOWN] * 20) == 1.0
