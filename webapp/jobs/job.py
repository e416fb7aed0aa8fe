"""Job: what a long piece of work is, how far it is, and what came of it; one JSON file each."""

import json
import os
import re
import secrets
import signal
from collections.abc import Callable
from dataclasses import asdict, dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal

from filelock import FileLock, Timeout

from foundation.atomic import write_bytes_atomically
from foundation.paths import display_path
from people.workspace.workspace import Workspace
from webapp.errors import UnknownJobError

JobKind = Literal["scan", "suggest", "measure"]
JobState = Literal["starting", "running", "done", "failed", "cancelled", "interrupted"]

ENDED: tuple[JobState, ...] = ("done", "failed", "cancelled", "interrupted")

_MOST_KEPT = 20
_LONGEST_START_S = 30
_ID = re.compile(r"\d{8}T\d{6}(\d{6})?-[0-9a-f]{8}")  # of before: without the fraction of a second


@dataclass(frozen=True)
class Job:
    """A piece of work.

    Attributes
    ----------
    id : str
        Sorts by when it was begun.
    kind : str
        One of `JobKind`.
    state : str
        One of `JobState`; ``interrupted`` is work whose process is gone without a word and that nobody asked to stop.
    begun, ended : str
        ISO 8601, UTC; `ended` is "" before the end.
    pid : int
        Of its process, 0 before that has begun.
    stage : str
        What is being done, such as ``embedded``.
    n_done, n_total : int
        How far that is; `n_total` is 0 where nobody knows.
    message : str
        Why it failed, in one line.
    result : dict
        What came of it.
    """

    id: str
    kind: JobKind
    state: JobState
    begun: str
    ended: str = ""
    pid: int = 0
    stage: str = ""
    n_done: int = 0
    n_total: int = 0
    message: str = ""
    result: dict[str, Any] = field(default_factory=dict)


class JobFolder:
    """The jobs of a workspace, in its folder ``jobs``, for its owner alone.

    Parameters
    ----------
    workspace : Workspace
    """

    def __init__(self, workspace: Workspace) -> None:
        self.path = workspace.folder / "jobs"

    def add(self, kind: JobKind) -> Job:
        """Write down a new job, and forget the oldest that have ended."""
        self.path.mkdir(mode=0o700, exist_ok=True)
        begun = datetime.now(UTC)
        job = Job(f"{begun:%Y%m%dT%H%M%S%f}-{secrets.token_hex(4)}", kind, "starting", _written(begun))
        self.write(job)
        for old in [one for one in self.all() if one.state in ENDED][_MOST_KEPT:]:
            for file in (self._file(old.id), self._lock_file(old.id), self._stop_file(old.id)):
                file.unlink(missing_ok=True)
        return job

    def write(self, job: Job) -> None:
        """Write a job as it is now."""
        content = json.dumps(asdict(job), ensure_ascii=False).encode()
        write_bytes_atomically(self._file(job.id), content, is_private=True)

    def end(self, job: Job, state: JobState, **changes: Any) -> None:
        """Write that a job has ended."""
        self.write(replace(job, state=state, ended=_written(datetime.now(UTC)), **changes))

    def get(self, job_id: str) -> Job:
        """Return a job as it is now.

        Raises
        ------
        UnknownJobError
            If there is none.
        """
        try:
            job = Job(**json.loads(self._file(job_id).read_bytes()))
        except (FileNotFoundError, ValueError, TypeError):
            raise UnknownJobError(f"expected the number of a job, got {job_id!r}") from None
        if job.state in ENDED or self._is_alive(job):
            return job
        # It may have ended between the two looks.
        job = Job(**json.loads(self._file(job_id).read_bytes()))
        if job.state in ENDED:
            return job
        return replace(job, state="cancelled" if self.is_asked_to_stop(job_id) else "interrupted")

    def all(self) -> list[Job]:
        """Return all jobs, the newest first."""
        found = []
        for file in sorted(self.path.glob("*.json"), reverse=True):
            try:
                found.append(self.get(file.stem))
            except UnknownJobError:
                continue  # damaged, or removed meanwhile
        return found

    def running(self) -> Job | None:
        """Return the job that is being done, None if there is none."""
        return next((job for job in self.all() if job.state not in ENDED), None)

    def lock(self, job_id: str) -> FileLock:
        """Return the lock that a job's process holds as long as it lives."""
        return FileLock(self._lock_file(job_id), timeout=0, mode=0o600)

    def cancel(self, job_id: str) -> Job:
        """Ask a job to stop, one that is only starting too; what it has done so far is kept."""
        job = self.get(job_id)
        if job.state in ENDED:
            return job
        # Written before the process is looked at: one that begins now reads it, and one that runs has its number there.
        write_bytes_atomically(self._stop_file(job_id), b"", is_private=True)
        job = self.get(job_id)
        if job.state == "running" and job.pid > 1:
            # Its lock is held, so that the number is still that process's.
            os.kill(job.pid, signal.SIGINT)
        return job

    def is_asked_to_stop(self, job_id: str) -> bool:
        """Return whether somebody has asked the job to stop."""
        return self._stop_file(job_id).exists()

    def _is_alive(self, job: Job) -> bool:
        if job.state == "starting":
            waited = datetime.now(UTC) - datetime.fromisoformat(job.begun)
            if waited.total_seconds() < _LONGEST_START_S:
                return True
        try:
            with self.lock(job.id):
                return False
        except Timeout:
            return True

    def _file(self, job_id: str) -> Path:
        return self.path / f"{_checked(job_id)}.json"

    def _lock_file(self, job_id: str) -> Path:
        return self.path / f"{_checked(job_id)}.lock"

    def _stop_file(self, job_id: str) -> Path:
        return self.path / f"{_checked(job_id)}.stop"


class JobProgress:
    """Writes how far a job is, at most a few times a second.

    Parameters
    ----------
    folder : JobFolder
    job : Job
    clock : callable
        Seconds that only grow.
    """

    SECONDS_BETWEEN = 0.25

    def __init__(self, folder: JobFolder, job: Job, *, clock: Callable[[], float]) -> None:
        self._folder, self.job, self._clock = folder, job, clock
        self._written = -self.SECONDS_BETWEEN

    def __call__(self, stage: str, n_done: int, n_total: int) -> None:
        """Note that `n_done` of `n_total` are done; a new stage is written at once."""
        is_new = stage != self.job.stage
        self.job = replace(self.job, stage=stage, n_done=n_done, n_total=n_total)
        if is_new or n_done == n_total or self._clock() - self._written >= self.SECONDS_BETWEEN:
            self._written = self._clock()
            self._folder.write(self.job)


def _checked(job_id: str) -> str:
    if not _ID.fullmatch(job_id):
        raise UnknownJobError(f"expected the number of a job, got {display_path(job_id)!r}")
    return job_id


def _written(moment: datetime) -> str:
    return moment.isoformat(timespec="milliseconds")
