"""What the named people say about thresholds: it is what the evaluation of heads says, and silent where it must be."""

import json

import numpy as np
import pytest

from classifiers.heads.decision_rules import NearestRule
from classifiers.training.calibration import expected_rates
from classifiers.training.held_out import score_held_out
from people.threshold.rates import LEAST_PEOPLE, mark_of, measure_rates, read_rates, save_rates
from tests.people.threshold.made import made_head, made_workspace


@pytest.fixture(scope="module")
def head():
    return made_head(LEAST_PEOPLE + 10, spread=1.6)


def test_rates_at_each_threshold_are_those_of_a_calibration(head):
    measured = measure_rates(head)
    held_out = score_held_out(head.matcher, lambda _: NearestRule())
    assert (measured.n_people, measured.n_photos, measured.n_probed_people, measured.n_probes) == (40, 120, 40, 120)
    assert 0 < measured.lowest_for(0.1) < measured.lowest_for(0.026)
    for place in range(0, len(measured.thresholds), 97):
        expected = expected_rates(held_out, measured.thresholds[place])
        for name in ("fpir", "tpir"):
            band = getattr(measured, name)
            shown = {side: getattr(band, side)[place] for side in ("value", "low", "high")}
            assert shown == pytest.approx(expected[name], abs=1e-5), (name, measured.thresholds[place])
    assert 0.2 < measured.tpir.value[measured.at(0.5)] < 0.95  # neither all nor nothing: the comparison can fail


def test_beyond_the_ends_all_or_nothing_is_named(head):
    measured = measure_rates(head)
    assert (measured.fpir.value[0], measured.fpir.value[-1], measured.tpir.value[-1]) == (1, 0, 0)
    assert measured.at(-1) == 0 and measured.at(1) == len(measured.thresholds) - 1
    assert measured.thresholds[measured.at(0.5)] == 0.5
    np.testing.assert_allclose(np.diff(measured.thresholds), 0.001)


def test_the_lowest_threshold_lets_no_more_through(head):
    measured = measure_rates(head)
    lowest = measured.lowest_for(0.05)
    place = measured.at(lowest)
    assert measured.fpir.value[place] <= 0.05 < measured.fpir.value[place - 1]


@pytest.mark.parametrize(("n_people", "n_each", "known"), [(29, 2, (False, True)), (9, 2, (False, False))])
def test_few_people_say_nothing(n_people, n_each, known):
    measured = measure_rates(made_head(n_people, n_each))
    assert (measured.fpir is not None, measured.tpir is not None) == known
    assert measured.lowest_for(0.1) is None


def test_people_with_one_photo_each_play_strangers_and_are_not_found():
    measured = measure_rates(made_head(LEAST_PEOPLE, 1))
    assert measured.fpir is not None and measured.tpir is None and measured.n_probes == 0


def test_one_person_alone_is_no_error():
    assert measure_rates(made_head(1, 1)).fpir is None


def test_it_is_kept_for_these_faces_alone_and_holds_no_name(head, tmp_path):
    workspace = made_workspace(tmp_path, head)
    measured = measure_rates(head)
    assert read_rates(workspace, measured.mark) is None
    save_rates(workspace, measured)
    assert read_rates(workspace, mark_of(head)) == measured
    assert read_rates(workspace, mark_of(made_head(5))) is None
    assert b"Person" not in workspace.rates.read_bytes() and workspace.rates.stat().st_mode & 0o077 == 0
    for damaged in (b"", b"[1]", b'{"version": 1}', json.dumps({**measured.to_json(), "version": 2}).encode()):
        workspace.rates.write_bytes(damaged)
        assert read_rates(workspace, measured.mark) is None
