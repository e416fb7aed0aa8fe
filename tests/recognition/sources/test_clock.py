from datetime import UTC, datetime

import pytest

from recognition.sources.clock import Clock, Timeline

CREATED = datetime.fromisoformat("2024-02-29T01:00:00+02:00")


def test_a_file_counts_from_its_creation() -> None:
    assert Timeline.of_file(CREATED).at(0.0) == "2024-02-28T23:00:00.000Z"
    assert Timeline.of_file(CREATED).at(3600.0015) == "2024-02-29T00:00:00.001Z"


@pytest.mark.parametrize(("created", "time_s"), [(None, 1.0), (CREATED, None), (datetime.max.replace(tzinfo=UTC), 1e9)])
def test_nobody_knows(created: datetime | None, time_s: float | None) -> None:
    assert Timeline.of_file(created).at(time_s) is None


def test_a_live_source_goes_by_the_wall_clock_of_now() -> None:
    wall_s, steady_s = 1.8e9, 70.0
    timeline = Timeline.of_live(50.0, Clock(lambda: wall_s, lambda: steady_s))
    assert timeline.at(20.0) == "2027-01-15T08:00:00.000Z"
    assert timeline.at(18.75) == "2027-01-15T07:59:58.750Z", "what was seen before now is told with its own time"
    wall_s += 3600.0  # the clock is set
    assert timeline.at(20.0) == "2027-01-15T09:00:00.000Z"
