"""Jobs: their files, whether their process lives, and what is kept of them."""

import os

import pytest

from webapp.errors import UnknownJobError
from webapp.jobs.job import JobFolder, JobProgress


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
    from dataclasses import replace

    job = replace(folder.add("scan"), state="running", pid=os.getpid())
    folder.write(job)
    with folder.lock(job.id):
        assert folder.get(job.id).state == "running"
    assert folder.get(job.id).state == "interrupted"
    assert folder.cancel(job.id).state == "interrupted", "no process is asked to stop that is not the job's"


def test_the_newest_twenty_that_have_ended_are_kept(folder):
    for _ in range(25):
        folder.end(folder.add("scan"), "done")
    running = folder.add("scan")
    assert len(folder.all()) == 21 and folder.all()[0].id >= max(job.id for job in folder.all())[:15]
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
