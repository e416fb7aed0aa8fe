"""Jobs: their files, whether their process lives, and what is kept of them."""

import os
from dataclasses import replace

import pytest

from webapp.errors import UnknownJobError
from webapp.jobs.job import JobFolder, JobProgress
from webapp.jobs.process import do


@pytest.fixture
def folder(workspace) -> JobFolder:
    return JobFolder(workspace)


def test_a_job_is_what_was_written_and_for_its_owner_alone(folder):
    job = folder.add("scan")
    assert folder.get(job.id) == job and folder.running() == job
    assert (folder.path.stat().st_mode & 0o777, (folder.path / f"{job.id}.json").stat().st_mode & 0o777) == (
        0o700,
        0o600,
    )
    folder.end(job, "done", result={"n_photos": 3})
    ended = folder.get(job.id)
    assert (ended.state, ended.result) == ("done", {"n_photos": 3}) and ended.ended > ended.begun
    assert folder.running() is None


@pytest.mark.parametrize("name", ["nothing", "../people", "20260101T000000-00000000", ""])
def test_what_is_no_job_is_unknown(folder, name):
    with pytest.raises(UnknownJobError, match="expected the number of a job"):
        folder.get(name)


def test_a_job_whose_process_is_gone_was_interrupted(folder):
    job = replace(folder.add("scan"), state="running", pid=os.getpid())
    folder.write(job)
    with folder.lock(job.id):
        assert folder.get(job.id).state == "running"
    assert folder.get(job.id).state == "interrupted"
    assert folder.cancel(job.id).state == "interrupted", "no process is asked to stop that is not the job's"


def test_a_job_that_is_asked_to_stop_was_stopped_however_its_process_ended(folder):
    job = replace(folder.add("scan"), state="running", pid=0)
    folder.write(job)
    with folder.lock(job.id):
        assert folder.cancel(job.id).state == "running"
    assert folder.get(job.id).state == "cancelled"


def test_a_job_that_only_starts_can_be_stopped(folder, workspace):
    job = folder.add("scan")
    assert folder.cancel(job.id).state == "starting"
    assert do(workspace, job.id).state == "cancelled"


def test_the_newest_twenty_that_have_ended_are_kept(folder):
    folder.cancel(folder.add("scan").id)
    folder.end(folder.all()[0], "cancelled")
    ended = [folder.add("scan") for _ in range(25)]
    for job in ended:
        folder.end(job, "done")
    running = folder.add("scan")
    assert [job.id for job in folder.all()] == [running.id, *(job.id for job in reversed(ended[-20:]))]
    assert not list(folder.path.glob("*.stop"))
    assert folder.running() == running


def test_a_damaged_file_is_passed_over(folder):
    job = folder.add("scan")
    (folder.path / f"{job.id}.json").write_text("{")
    assert folder.all() == []


def test_progress_is_written_at_once_for_a_new_stage_and_seldom_within_one(folder):
    moment = 0.0
    job = folder.add("scan")
    progress = JobProgress(folder, job, clock=lambda: moment)
    progress("compared", 0, 10)
    progress("compared", 1, 10)
    assert folder.get(job.id).n_done == 0
    moment = 1.0
    progress("compared", 2, 10)
    assert folder.get(job.id).n_done == 2
    progress("embedded", 3, 10)
    progress("embedded", 10, 10)
    assert (folder.get(job.id).stage, folder.get(job.id).n_done) == ("embedded", 10)
