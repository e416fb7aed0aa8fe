"""Jobs in processes of their own: real scans of real photos, stopped, killed and gone on with."""

import os
import shutil
import signal
import time

import pytest

from people.store.reader import PeopleReader
from people.workspace.workspace import Workspace, create_workspace
from webapp.errors import JobRunningError
from webapp.jobs.job import ENDED, Job, JobFolder
from webapp.jobs.process import begin, do


def wait(workspace: Workspace, job: Job, *, until=ENDED) -> Job:
    """Return the job once it is in one of the states."""
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline:
        now = JobFolder(workspace).get(job.id)
        if now.state in until:
            return now
        time.sleep(0.05)
    raise AssertionError(f"still {now}")


@pytest.fixture
def family(data, tmp_path) -> Workspace:
    """Return a workspace of nine real photos and a broken one, not scanned yet."""
    shutil.copytree(data / "people" / "train", tmp_path / "photos")
    (tmp_path / "photos" / "broken.jpg").write_bytes(b"\xff\xd8\xff broken")
    return create_workspace(tmp_path / "family", [tmp_path / "photos"])


@pytest.mark.realdata
def test_a_scan_is_done_in_a_process_of_its_own_session(family):
    job = begin(family, "scan")
    with pytest.raises(JobRunningError, match="expected no other work, found a scan"):
        begin(family, "scan")
    running = wait(family, job, until=("running", *ENDED))
    assert running.pid != os.getpid()
    if running.state == "running":
        assert os.getsid(running.pid) == running.pid
    done = wait(family, job)
    assert (done.state, done.message, done.stage) == ("done", "", "trained")
    assert (done.result["n_photos"], done.result["n_faces"], done.result["n_failed"]) == (10, 9, 1)
    assert [failure["path"] for failure in done.result["failures"]] == ["broken.jpg"]
    with PeopleReader(family.store) as reader:
        assert len(reader.files()) == 10
    deadline = time.monotonic() + 120
    while len(list(family.thumbnails.rglob("*.webp"))) < 18 and time.monotonic() < deadline:
        time.sleep(0.05)
    assert len(list(family.thumbnails.rglob("*.webp"))) == 18, "nine faces and their photos, after the job has ended"


@pytest.mark.realdata
def test_a_scan_that_is_stopped_or_killed_is_gone_on_with(family):
    first = wait(family, begin(family, "scan"), until=("running", *ENDED))
    JobFolder(family).cancel(first.id)
    JobFolder(family).cancel(first.id)  # a second press finds nothing that could be lost
    assert wait(family, first).state in ("cancelled", "done")
    second = wait(family, begin(family, "scan"), until=("running", *ENDED))
    if second.state == "running":
        os.kill(second.pid, signal.SIGKILL)
    assert wait(family, second).state in ("interrupted", "done")
    assert wait(family, begin(family, "scan")).result["n_faces"] == 9


def test_why_a_job_failed_is_written_down(tmp_path):
    workspace = create_workspace(tmp_path / "family", [])
    job = JobFolder(workspace).add("scan")
    do(workspace, job.id)
    failed = JobFolder(workspace).get(job.id)
    assert failed.state == "failed" and "expected photo folders, found none yet" in failed.message
