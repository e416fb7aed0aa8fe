"""Jobs: begin long work, watch it, stop it."""

import asyncio
from collections.abc import AsyncIterator
from typing import Annotated, Any

from fastapi import APIRouter, Path, Response
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import StreamingResponse

from people.errors import UnknownPhotoError
from webapp.api.context import ContextOf
from webapp.api.models import Answer, Ask
from webapp.jobs.job import ENDED, Job, JobFolder, JobKind, JobState
from webapp.jobs.process import begin
from webapp.pictures.damaged import render_damaged_in_turn
from webapp.pictures.photos import locate_file

router = APIRouter(prefix="/jobs", tags=["jobs"])

JobId = Annotated[str, Path(max_length=40)]

_SECONDS_BETWEEN_LOOKS = 0.25
_FAILURE_SIDE = 320


class JobAnswer(Answer):
    """Long work: what is being done, how far it is, and what came of it.

    `stage` is what is being done; `n_total` is 0 where nobody knows how much that is. `result` is the report of a scan.
    """

    id: str
    kind: JobKind
    state: JobState
    begun: str
    ended: str
    stage: str
    n_done: int
    n_total: int
    message: str
    result: dict[str, Any]

    @classmethod
    def of(cls, job: Job) -> "JobAnswer":
        """Return a job as it is sent."""
        return cls(**{name: getattr(job, name) for name in cls.model_fields})


class JobsAnswer(Answer):
    """The newest jobs, the newest first."""

    jobs: list[JobAnswer]


class JobStart(Ask):
    """What to do."""

    kind: JobKind


@router.post("", operation_id="begin_job", status_code=202)
def begin_job(context: ContextOf, wanted: JobStart) -> JobAnswer:
    """Begin long work, which goes on when the browser or the server is gone."""
    return JobAnswer.of(begin(context.workspace, wanted.kind))


@router.get("", operation_id="list_jobs")
def list_jobs(context: ContextOf) -> JobsAnswer:
    """Return the newest jobs."""
    return JobsAnswer(jobs=[JobAnswer.of(job) for job in JobFolder(context.workspace).all()])


@router.get("/{job}", operation_id="get_job")
def get_job(context: ContextOf, job: JobId) -> JobAnswer:
    """Return a job as it is now."""
    return JobAnswer.of(JobFolder(context.workspace).get(job))


@router.get(
    "/{job}/failures/{place}/picture",
    operation_id="get_picture_of_failure",
    response_class=Response,
    responses={200: {"content": {"image/jpeg": {}}}, 204: {"description": "Nothing can be seen of the file"}},
)
async def get_picture_of_failure(
    context: ContextOf, job: JobId, place: Annotated[int, Path(ge=0, lt=2**31)]
) -> Response:
    """Return what can be seen of a file that a scan could not read: the one at a place of its `result.failures`."""
    found = await run_in_threadpool(JobFolder(context.workspace).get, job)
    failures = found.result.get("failures", [])
    if place >= len(failures):
        raise UnknownPhotoError(f"expected the place of one of {len(failures)} failures, got {place}")
    file = await run_in_threadpool(locate_file, context.workspace, failures[place]["path"])
    content = await render_damaged_in_turn(file, _FAILURE_SIDE)
    return Response(status_code=204) if content is None else Response(content, media_type="image/jpeg")


@router.post("/{job}/cancel", operation_id="cancel_job")
def cancel_job(context: ContextOf, job: JobId) -> JobAnswer:
    """Ask a job to stop; what it has done so far is kept, and the next one goes on there."""
    return JobAnswer.of(JobFolder(context.workspace).cancel(job))


@router.get("/{job}/events", operation_id="watch_job", response_class=StreamingResponse)
async def watch_job(context: ContextOf, job: JobId) -> StreamingResponse:
    """Send the job each time it has changed, as server-sent events, until it has ended."""
    folder = JobFolder(context.workspace)
    first = await run_in_threadpool(folder.get, job)  # an unknown one is 404, not a stream

    async def events() -> AsyncIterator[str]:
        shown, now = None, first
        while True:
            if now != shown:
                yield f"data: {JobAnswer.of(now).model_dump_json()}\n\n"
                shown = now
            if now.state in ENDED:
                return
            await asyncio.sleep(_SECONDS_BETWEEN_LOOKS)
            now = await run_in_threadpool(folder.get, job)

    return StreamingResponse(events(), media_type="text/event-stream")
