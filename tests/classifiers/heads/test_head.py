"""A head's choice, score, threshold and fingerprint check; and that serving loads NumPy alone."""

import copy
import subprocess
import sys
import warnings

import numpy as np
import pytest

from classifiers import OpenSetClassifier
from classifiers.files.head_file import load_head, save_head
from classifiers.heads.decision_rules import NearestRule, VotingRule
from classifiers.heads.head import Head
from classifiers.scores.gallery import UNKNOWN, Gallery
from classifiers.scores.matcher import Matcher
from classifiers.scores.thresholds import Threshold
from foundation.errors import SpaceMismatchError
from tests.classifiers.people import FINGERPRINT, make_people

AXES = Matcher(Gallery.build(np.eye(3), ["Ada", "Bo", "Cy"]))
TILTED = np.array([[0.8, 0.6, 0.0], [0.0, 0.5, 3.0], [0.6, 0.6, 0.6]], np.float32)


def test_a_face_below_the_threshold_is_unknown():
    head = Head(AXES, NearestRule(), 0.75)
    identities, scores = head.identify(TILTED)
    assert identities.tolist() == ["Ada", "Cy", UNKNOWN]
    np.testing.assert_allclose(scores, [0.8, 3 / np.hypot(0.5, 3), 3**-0.5], rtol=1e-6)
    assert scores.dtype == np.float32
    assert head.choose(TILTED).tolist() == ["Ada", "Cy", "Ada"]
    assert head.match(TILTED).exemplars.tolist() == [0, 2, 0]
    assert head.labels == ["Ada", "Bo", "Cy"]


def test_a_score_equal_to_the_threshold_is_named():
    head = Head(AXES, NearestRule(), 0.0)
    assert head.identify(np.zeros((1, 3)))[0].tolist() == ["Ada"]
    head.threshold = 0.5
    assert head.identify(np.zeros((1, 3)))[0].tolist() == [UNKNOWN]


def test_the_score_belongs_to_the_chosen_person_even_if_another_is_nearer():
    gallery = Gallery.build([[1, 0.0], [0.8, 0.6], [0.8, 0.62]], ["Ada", "Bo", "Bo"])
    head = Head(Matcher(gallery), VotingRule(3), 0.5)
    match = head.match([[0.93, 0.36]])
    assert match.identities.tolist() == ["Bo"]
    np.testing.assert_allclose(match.scores, head.similarity([[0.93, 0.36]])[:, 1], rtol=1e-6)


def test_no_probe_gives_no_answer():
    for name in ("gallery", "knn", "svm"):
        people = make_people(3, 2)
        head = OpenSetClassifier(name, 0.6).fit(people.vectors, people.identities).head_
        identities, scores = head.identify(np.zeros((0, 32)))
        assert (identities.shape, scores.shape) == ((0,), (0,))


def test_refuses_vectors_that_cannot_be_compared():
    head = Head(AXES, NearestRule(), 0.5)
    with pytest.raises(ValueError, match="vectors of length 3, got 2"):
        head.identify(np.eye(2))
    with pytest.raises(ValueError, match="NaN or infinity in row 0"):
        head.identify([[np.nan, 0, 0]])
    with pytest.raises(ValueError, match="at least one exemplar"):
        Head(AXES.selected(np.zeros(3, bool)), NearestRule(), 0.5)


def test_refuses_another_space_and_names_the_fields():
    head = Head(AXES, NearestRule(), 0.5, fingerprint=FINGERPRINT)
    other = copy.deepcopy(FINGERPRINT)
    other["space"] |= {"crop_size": 112, "alignment": "similarity"}
    with pytest.raises(SpaceMismatchError, match="expected alignment box, crop_size 160, got alignment simil"):
        head.identify(TILTED, other)
    with pytest.raises(SpaceMismatchError, match=r"got alignment \(not said\)"):
        head.identify(TILTED, {})
    head.identify(TILTED, FINGERPRINT)
    Head(AXES, NearestRule(), 0.5).identify(TILTED, other)


def test_warns_once_of_another_provenance():
    head = Head(AXES, NearestRule(), 0.5, fingerprint=FINGERPRINT)
    other = copy.deepcopy(FINGERPRINT)
    other["provenance"]["precision"] = "int8"
    with pytest.warns(UserWarning, match="embedded with precision fp32, these with precision int8"):
        head.identify(TILTED, other)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        head.identify(TILTED, other)
        head.identify(TILTED, FINGERPRINT)


def test_says_nothing_of_settings_that_decide_no_vector():
    head = Head(AXES, NearestRule(), 0.5, fingerprint=FINGERPRINT)
    settings = {
        "identity_from": "none",
        "faces": "one",
        "max_pixels": 9,
        "min_face_size": 40,
        "exclude": ["a"],
        "ignore_files": {"a": "0"},
    }
    other = {"space": FINGERPRINT["space"], "provenance": {**FINGERPRINT["provenance"], **settings}}
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        head.identify(TILTED, other)
    other["provenance"]["precision"] = "int8"
    with pytest.warns(UserWarning, match="with precision fp32, these with precision int8; names may be a little less"):
        head.identify(TILTED, other)


def test_threshold_keeps_where_it_came_from():
    record = Threshold(0.4, "given", "given by you", n_exemplars=3)
    assert Head(AXES, NearestRule(), record).threshold_record is record
    assert Head(AXES, NearestRule(), 0.4).threshold_record == record


@pytest.mark.parametrize("name", ["gallery", "knn", "svm"])
def test_serving_loads_neither_scikit_learn_nor_skops_nor_pandas(name, tmp_path):
    people = make_people(4, 3)
    save_head(OpenSetClassifier(name, 0.6).fit(people.vectors, people.identities).head_, tmp_path / "h.skops")
    np.save(tmp_path / "x.npy", people.vectors)
    program = (
        "import sys, numpy, classifiers\n"
        "head = classifiers.load_head(sys.argv[1])\n"
        "print(*sorted(set(head.identify(numpy.load(sys.argv[2]))[0])), sep=',')\n"
        "print(sorted({'sklearn', 'skops', 'pandas', 'scipy', 'embedder'} & set(sys.modules)))\n"
    )
    command = [sys.executable, "-c", program, str(tmp_path / "h.skops"), str(tmp_path / "x.npy")]
    lines = subprocess.run(command, capture_output=True, text=True, check=True).stdout.splitlines()
    assert lines == ["person 000,person 001,person 002,person 003", "[]"]


def test_described_in_few_lines(tmp_path):
    people = make_people(3, 2)
    head = OpenSetClassifier(threshold=0.7).fit(people.vectors, people.identities).head_
    assert repr(head).splitlines() == [
        "Head gallery: 3 people, 6 photos, cosine score",
        "  threshold 0.700, given by you",
    ]
    save_head(head, tmp_path / "h.skops")
    assert repr(load_head(tmp_path / "h.skops")).splitlines()[2] == f"  from {tmp_path / 'h.skops'}"
