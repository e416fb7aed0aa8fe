"""Schedule files and the rates they give."""

import math
from pathlib import Path

import pytest

from embedder.training.model.schedules import LearningRateSchedule, ScheduleError, parse_schedule, read_schedule_text
from tests import PROJECT


def read_schedule_file(path: Path) -> LearningRateSchedule:
    return parse_schedule(read_schedule_text(path), str(path))


CASIA = PROJECT / "data" / "learning_rate_schedule_casia.txt"


def test_the_casia_schedule_holds_each_rate_until_the_next_line() -> None:
    schedule = read_schedule_file(CASIA)
    assert [schedule.rate(epoch, 0, 10) for epoch in (1, 59, 60, 79, 80, 90)] == [
        0.05,
        0.05,
        0.005,
        0.005,
        0.0005,
        0.0005,
    ]
    assert schedule.stop_epoch == 91


def test_comments_blank_lines_and_a_bare_dash_are_read(tmp_path: Path) -> None:
    path = tmp_path / "rates.txt"
    path.write_text("\n# rates\n1 : 1e-2  # first\r\n\n5: -\n")
    assert read_schedule_file(path) == LearningRateSchedule(((1, 0.01),), stop_epoch=5)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("0: 0.05\n60; 0.005\n", r"line 2: expected 'epoch: rate', got '60; 0.005'; write 'epoch: rate'"),
        ("0: 0.05\n6o: 0.005\n", r"line 2: expected a whole number of at least 0 before the colon, got '6o'"),
        ("0: 0,05\n", r"line 1: expected a positive rate or -1 after the colon, got '0,05'"),
        ("0: -2\n", r"line 1: expected a positive rate or -1 after the colon, got '-2'"),
        ("0: nan\n", r"line 1: expected a positive rate or -1"),
        ("0: 0.1\n9: 0.2\n9: 0.1\n", r"line 3: expected an epoch above 9, got 9; sort the lines by epoch"),
        ("5: 0.1\n", r"line 1: expected the first line to begin at epoch 0 or 1, got 5"),
        ("0: 0.1\n5: -1\n7: 0.1\n", r"line 3: expected nothing after the line whose rate is -1, got '7: 0.1'"),
        ("# nothing\n", r"expected lines 'epoch: rate', found none"),
        ("0: -1\n", r"expected lines 'epoch: rate', found none"),
        ("\x00\xff: 3", r"line 1: expected a whole number"),
    ],
)
def test_a_typo_is_refused_with_file_and_line(tmp_path: Path, text: str, message: str) -> None:
    path = tmp_path / "rates.txt"
    path.write_text(text, encoding="latin-1")
    with pytest.raises(ScheduleError, match=message) as caught:
        read_schedule_file(path)
    assert str(caught.value).startswith(str(path))


def test_a_missing_file_is_an_os_error(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        read_schedule_file(tmp_path / "absent.txt")


def test_cosine_falls_from_the_rate_to_zero() -> None:
    schedule = LearningRateSchedule(((1, 0.2),), cosine_epochs=10)
    assert schedule.rate(1, 0, 5) == 0.2
    assert schedule.rate(6, 0, 5) == pytest.approx(0.1)
    assert schedule.rate(3, 0, 5) == pytest.approx(0.1 * (1 + math.cos(math.pi * 0.2)))
    assert schedule.rate(11, 0, 5) == pytest.approx(0.0)
    assert schedule.rate(12, 3, 5) == pytest.approx(0.0)


def test_warm_up_rises_step_by_step_and_then_the_cosine_begins() -> None:
    schedule = LearningRateSchedule(((1, 1.0),), cosine_epochs=4, warmup_epochs=2)
    rates = [schedule.rate(1 + step // 4, step % 4, 4) for step in range(16)]
    assert rates[:8] == pytest.approx([(step + 1) / 9 for step in range(8)])
    assert rates[8] == 1.0
    assert rates[12] == pytest.approx(0.5)
    assert all(0 < rate <= 1 for rate in rates)
