"""Begin a job in a process of its own session, and what runs there: ``python -m webapp.jobs.process WORKSPACE JOB``."""

import logging
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

from foundation.errors import FacetableError
from people.workspace.workspace import Workspace
from webapp.errors import JobRunningError
from webapp.jobs.job import Job, JobFolder, JobKind, JobProgress, JobState
from webapp.pictures import cutting

logger = logging.getLogger(__name__)

_MOST_QUESTIONS = 200

Work = Callable[[Workspace, JobProgress], dict[str, Any]]


def begin(workspace: Workspace, kind: JobKind) -> Job:
    """Begin a job and return at once.

    Raises
    ------
    JobRunningError
        If another one is being done.
    OSError
        If the workspace cannot be written, or no process be made.
    """
    folder = JobFolder(workspace)
    folder.path.mkdir(mode=0o700, exist_ok=True)
    with FileLock(folder.path / "begin.lock", mode=0o600):
        running = folder.running()
        if running is not None:
            raise JobRunningError(f"expected no other work, found a {running.kind} that began at {running.begun}")
        job = folder.add(kind)
        subprocess.Popen(
            [sys.executable, "-m", "webapp.jobs.process", str(workspace.folder.resolve()), job.id],
            cwd=Path(__file__).resolve().parents[2],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
    return job


def do(workspace: Workspace, job_id: str) -> Job | None:
    """Do a job; whatever happens is written into its file. Return it, None if somebody does it already."""
    folder = JobFolder(workspace)
    job = folder.get(job_id)
    try:
        lock = folder.lock(job_id).acquire()
    except Timeout:
        return None
    with lock:
        job = replace(job, state="running", pid=os.getpid())
        progress = JobProgress(folder, job, clock=time.monotonic)
        try:
            folder.write(job)
            if folder.is_asked_to_stop(job_id):
                raise KeyboardInterrupt
            result = _WORK[job.kind](workspace, progress)
        except KeyboardInterrupt:
            folder.end(progress.job, "cancelled")
        except (FacetableError, OSError) as error:
            folder.end(progress.job, "failed", message=" ".join(str(error).split()))
        except Exception as error:  # noqa: BLE001 - nobody else would tell
            # An interruption in the middle of an import ends in errors of any kind.
            state: JobState = "cancelled" if folder.is_asked_to_stop(job_id) else "failed"
            folder.end(progress.job, state, message=f"unexpected {type(error).__name__}: {error}")
        else:
            folder.end(progress.job, "done", result=result)
    return folder.get(job_id)


def _scan(workspace: Workspace, progress: JobProgress) -> dict[str, Any]:
    from people.workspace.scan import scan

    return scan(workspace, progress=progress).to_json()


def _suggest(workspace: Workspace, progress: JobProgress) -> dict[str, Any]:
    from embedder.tables.table import EmbeddingTable
    from people.store.reader import PeopleReader
    from people.suggestions.questions import find_questions
    from people.suggestions.saved import save_questions

    progress("compared_people", 0, 0)
    with PeopleReader(workspace.store) as reader:
        revision = reader.revision
        questions = find_questions(reader, EmbeddingTable.read(workspace.table), limit=_MOST_QUESTIONS)
    save_questions(workspace.questions, questions, revision=revision)
    return {"n_questions": len(questions)}


def _measure(workspace: Workspace, progress: JobProgress) -> dict[str, Any]:
    from classifiers.files.head_file import load_head
    from people.threshold.rates import measure_rates, save_rates

    progress("measured", 0, 0)
    measured = measure_rates(load_head(workspace.head))
    save_rates(workspace, measured)
    return {"n_photos": measured.n_photos}


_WORK: dict[JobKind, Work] = {"scan": _scan, "suggest": _suggest, "measure": _measure}


if __name__ == "__main__":
    for number in (signal.SIGINT, signal.SIGTERM):  # a server begun in the background of a shell ignores SIGINT
        signal.signal(number, signal.default_int_handler)
    done = do(Workspace(sys.argv[1]), sys.argv[2])
    if done is not None and done.kind == "scan" and done.state == "done":
        cutting.main(sys.argv[1])  # the job is over for all others; its pictures come when there is time
