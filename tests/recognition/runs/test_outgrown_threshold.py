"""A head whose gallery has grown by half since its threshold was calibrated says so when it is loaded."""

import warnings
from pathlib import Path

import pytest

from classifiers import OpenSetClassifier
from classifiers.errors import ThresholdError
from classifiers.files.head_file import save_head
from classifiers.scores.thresholds import Threshold
from recognition.tracking.naming import load_head_with
from tests.classifiers.people import make_people


def saved_head(folder: Path, *, calibrated_for: int) -> Path:
    people = make_people(6, 2)
    threshold = Threshold(0.5, "calibrated", "from your photos", fpir=0.01, n_exemplars=calibrated_for)
    save_head(OpenSetClassifier(threshold=threshold).fit(people.vectors, people.identities).head_, folder / "h.skops")
    return folder / "h.skops"


def test_an_outgrown_threshold_is_warned_of(tmp_path: Path) -> None:
    path = saved_head(tmp_path, calibrated_for=8)
    with pytest.warns(UserWarning, match=r"h\.skops: the threshold was calibrated for 8 photos, the head now has 12"):
        assert load_head_with(path).threshold == 0.5


@pytest.mark.parametrize(("calibrated_for", "threshold"), [(9, None), (8, 0.4)])
def test_others_are_not(tmp_path: Path, calibrated_for: int, threshold: float | None) -> None:
    path = saved_head(tmp_path, calibrated_for=calibrated_for)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        load_head_with(path, threshold)


@pytest.mark.parametrize("threshold", [float("nan"), float("-inf")])
def test_a_threshold_that_names_everybody_or_nobody_is_refused(tmp_path: Path, threshold: float) -> None:
    with pytest.raises(ThresholdError, match="`threshold` must be a finite number of at least -2, got"):
        load_head_with(saved_head(tmp_path, calibrated_for=9), threshold)
