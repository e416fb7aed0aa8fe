"""The threshold over HTTP: what was measured, a choice that lasts, the way back."""

import pytest

from classifiers.files.head_file import load_head
from people.workspace.workspace import Workspace
from tests.people.threshold.made import keep_head, made_head
from webapp.jobs.job import JobFolder
from webapp.jobs.process import do


def choose(client, value, *, expected=None):
    return client.put("/api/v1/threshold", json={"threshold": value, "expected": expected})


def test_rates_of_ones_own_people(client, workspace):
    keep_head(workspace, made_head(40, spread=1.6))
    answer = client.get("/api/v1/threshold").json()
    assert (answer["n_people"], answer["n_photos"], answer["chosen"], answer["needs_job"]) == (40, 120, None, False)
    assert answer["threshold"] == answer["preset"] and answer["curve"]["measured_on"].startswith("LFW")
    rates = answer["rates"]
    assert (rates["n_people"], rates["n_photos"], rates["n_probed_people"], rates["n_probes"]) == (40, 120, 40, 120)
    for band in (rates["fpir"], rates["tpir"]):
        assert len(band["value"]) == len(band["low"]) == len(band["high"]) == len(rates["thresholds"])
        assert all(low <= value <= high for value, low, high in zip(*band.values(), strict=True))
    assert not workspace.rates.exists()  # looking changes nothing


def test_few_people_are_told_by_the_presets_curve_alone(client, workspace):
    keep_head(workspace, made_head(5))
    answer = client.get("/api/v1/threshold").json()
    assert answer["rates"]["fpir"] is None and answer["rates"]["tpir"] is None
    assert (answer["least_people"], answer["least_probed_people"]) == (30, 10)
    assert len(answer["curve"]["n_photos"]) == len(answer["curve"]["thresholds"]) == 5


def test_a_choice_is_saved_and_taken_back(client, workspace):
    keep_head(workspace, made_head(5))
    before = client.get("/api/v1/threshold").json()
    chosen = choose(client, 0.371).json()
    assert (chosen["threshold"], chosen["chosen"], chosen["preset"]) == (0.371, 0.371, before["preset"])
    assert load_head(workspace.head).threshold == 0.371
    assert choose(client, 0.4).json()["error"]["kind"] == "conflict"  # somebody who has not seen it
    assert choose(client, None, expected=0.371).json() == before
    assert Workspace(workspace.folder).settings.threshold == "auto"


def test_what_cannot_be_chosen_is_one_line(client, workspace):
    assert choose(client, 0.5).json()["error"]["kind"] == "no_head"
    assert client.get("/api/v1/threshold").json()["error"]["kind"] == "no_head"
    assert choose(client, 2).status_code == 422
    keep_head(workspace, made_head(5, is_measured=False))
    assert choose(client, None).json()["error"]["message"].startswith("no threshold curve is known")


def test_many_faces_are_measured_by_a_job(client, workspace):
    keep_head(workspace, made_head(60))
    answer = client.get("/api/v1/threshold").json()
    assert answer["needs_job"] and answer["rates"] is None
    job = JobFolder(workspace).add("measure")
    do(workspace, job.id)
    assert JobFolder(workspace).get(job.id).result == {"n_photos": 180}
    answer = client.get("/api/v1/threshold").json()
    assert not answer["needs_job"] and answer["rates"]["n_people"] == 60
    choose(client, 0.3)
    assert client.get("/api/v1/threshold").json()["rates"] == answer["rates"]  # another threshold, the same faces
    keep_head(workspace, made_head(61))
    assert client.get("/api/v1/threshold").json()["needs_job"]


@pytest.mark.parametrize("method", ["get", "put"])
def test_strangers_learn_nothing(stranger, workspace, method):
    keep_head(workspace, made_head(5))
    assert getattr(stranger, method)("/api/v1/threshold").status_code in (401, 403)
