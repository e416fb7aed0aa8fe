import numpy as np
import pytest

from recognition.tracking.detection_interval import (
    DetectionIntervalSettings,
    DetectionScheduler,
    FrameRateMeter,
    Speed,
)

SETTINGS = DetectionIntervalSettings()


def frames_between(
    scheduler: DetectionScheduler, interval_s: float, detection_s: float, rest_s: float, n_frames: int = 200
) -> float:
    """Return how many frames there are to a detection, for a machine that takes these times."""
    n_detections = 0
    for _ in range(n_frames):
        detect = scheduler.is_due(interval_s)
        n_detections += detect
        scheduler.record(
            detected=detect, detection_s=detection_s if detect else None, total_s=rest_s + detection_s * detect
        )
    return n_frames / n_detections


def test_a_fast_machine_looks_at_every_frame() -> None:
    assert frames_between(DetectionScheduler(), 1 / 30, 0.01, 0.005) == 1


def test_a_slower_machine_spreads_detection_so_that_it_keeps_up() -> None:
    between = frames_between(DetectionScheduler(), 1 / 30, 0.06, 0.01)
    assert 0.01 + 0.06 / between <= SETTINGS.budget_share / 30
    assert 0.01 + 0.06 / (between - 1) > SETTINGS.budget_share / 30, "no less often than it could"


def test_beside_the_frames_detection_has_a_core_of_its_own() -> None:
    def frames_between(detection_s: float, rest_s: float, budget_s: float | None = None) -> float:
        scheduler, n_detections = DetectionScheduler(budget_s, in_background=True), 0
        for _ in range(200):
            detect = scheduler.is_due(1 / 30)
            n_detections += detect
            scheduler.record(detected=detect, detection_s=detection_s if detect else None, total_s=rest_s)
        return 200 / n_detections

    assert frames_between(0.025, 0.03) == 1
    assert frames_between(0.09, 0.03) == pytest.approx(4, abs=0.1)
    assert frames_between(0.055, 0.01, budget_s=0.03) == pytest.approx(3, abs=0.1), "a budget is for all there is to do"


def test_a_budget_of_ones_own() -> None:
    assert frames_between(DetectionScheduler(budget_s=0.02), 1 / 10, 0.06, 0.01) == pytest.approx(5, abs=0.2)


def test_however_slow_faces_are_looked_for() -> None:
    between = frames_between(DetectionScheduler(), 1 / 30, 1.0, 0.05)
    assert between * 0.05 <= SETTINGS.max_interval_s
    assert frames_between(DetectionScheduler(), 1 / 2, 1.0, 0.6) == 1


def test_a_fixed_number_is_kept() -> None:
    assert frames_between(DetectionScheduler(every=7), 1 / 30, 1.0, 1.0) == pytest.approx(7, abs=0.3)


def test_the_first_frame_is_looked_at() -> None:
    assert DetectionScheduler(every=9).is_due(0.04)


def test_speed() -> None:
    meter = FrameRateMeter()
    assert meter.speed_at(0.0) == Speed(0.0, 0.0, 0.0)
    for number in range(11):
        meter.record(captured_s=number * 0.05 - 0.01 - 0.002 * number, done_s=number * 0.05)
    speed = meter.speed_at(0.5)
    assert speed.frames_per_second == pytest.approx(20)
    latencies_ms = 10 + 2.0 * np.arange(11)
    assert speed.p50_ms == pytest.approx(np.percentile(latencies_ms, 50))
    assert speed.p95_ms == pytest.approx(np.percentile(latencies_ms, 95))


def test_the_speed_falls_while_no_frames_come() -> None:
    meter = FrameRateMeter()
    for number in range(300):
        meter.record(captured_s=number * 0.1, done_s=number * 0.1 + 0.02)
    assert meter.speed_at(29.92).frames_per_second == pytest.approx(10, abs=0.2)
    assert meter.speed_at(32.0).frames_per_second == pytest.approx(8, abs=0.2)
    assert meter.speed_at(36.0).frames_per_second == pytest.approx(4, abs=0.2)
    assert meter.speed_at(41.0).frames_per_second == 0
    meter.record(captured_s=60.0, done_s=60.03)
    meter.record(captured_s=60.1, done_s=60.13)
    assert meter.speed_at(60.13).frames_per_second == pytest.approx(10), "of what came since"
    assert meter.speed_at(60.13).p50_ms == pytest.approx(30)
