"""Faces to try a network on: which people are taken, each face found once and cut out in every way."""

from pathlib import Path

import numpy as np
import pytest

from embedder.choosing import sample
from embedder.choosing.sample import read_sample
from embedder.detection.alignment import CropRule
from foundation.errors import InputError
from tests.embedder.fakes import NO_FACE, FakeDetector, write_photo

RULES = (CropRule(8, 0.0), CropRule(8, 32.0), CropRule(8, alignment="similarity"))


def write_people(folder: Path, n: int) -> Path:
    for number in range(n):
        for photo in range(2):
            write_photo(folder / f"p{number:02}" / f"{photo}.png", 1, green=10 * number + photo)
    return folder


def test_people_of_two_faces_are_taken_and_each_photo_is_searched_once(tmp_path: Path) -> None:
    folder = write_people(tmp_path, 11)
    write_photo(folder / "alone" / "1.png", 1)
    write_photo(folder / "once seen" / "1.png", 1)
    write_photo(folder / "once seen" / "2.png", NO_FACE)
    write_photo(folder / "root.png", 1)
    detector = FakeDetector()
    found = read_sample(folder, RULES, detector=detector)
    assert found.people.tolist() == sorted([*range(11)] * 2) and found.n_people == 11
    assert detector.n_seen == 24
    assert all(found.cut(rule).shape == (22, 8, 8, 3) for rule in RULES)
    np.testing.assert_array_equal(found.cut(RULES[0])[:, 0, 0, 1], [10 * n + i for n in range(11) for i in range(2)])
    assert found.some(5).people.tolist() == [0, 0, 1, 1, 2, 2]


def test_of_many_people_some_are_taken_evenly_and_always_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sample, "MAX_FACES", 30)
    folder = write_people(tmp_path, 20)
    first, second = (read_sample(folder, RULES, detector=FakeDetector()) for _ in range(2))
    np.testing.assert_array_equal(first.crops, second.crops)
    assert first.cut(RULES[0])[::2, 0, 0, 1].tolist() == [10 * n for n in range(0, 20, 2)]


def test_too_few_people_are_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="at least 10 of them with two photos that show a face, found 9; add people"):
        read_sample(write_people(tmp_path, 9), RULES, detector=FakeDetector())
    write_photo(tmp_path / "p09" / "0.png", NO_FACE)
    write_photo(tmp_path / "p09" / "1.png", 1)
    with pytest.raises(InputError, match="found 9"):
        read_sample(tmp_path, RULES, detector=FakeDetector())
