"""Events: every decision as it is made, by the page, a command or another program."""

import asyncio
from collections.abc import AsyncIterator
from typing import Annotated

from fastapi import APIRouter, Query, Request
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import StreamingResponse

from webapp.api.context import Context, ContextOf
from webapp.api.models import DecisionAnswer, Number

router = APIRouter(tags=["events"])

_SECONDS_BETWEEN_LOOKS = 0.5
_MOST_AT_ONCE = 500


@router.get("/events", operation_id="watch_decisions", response_class=StreamingResponse)
async def watch_decisions(
    context: ContextOf,
    request: Request,
    after: Annotated[
        Number | None, Query(description="begin with the decision after this one; else with new ones")
    ] = None,
) -> StreamingResponse:
    """Send decisions as server-sent events; each has its number as its id, so that a reader goes on where it was."""
    said = request.headers.get("last-event-id", "")
    first = int(said) if said.isdecimal() and len(said) < 16 else after
    begin = await run_in_threadpool(_revision, context) if first is None else first

    async def events() -> AsyncIterator[str]:
        seen = begin
        yield ": decisions of this workspace\n\n"
        while not await request.is_disconnected():
            for decision in await run_in_threadpool(_decisions_after, context, seen):
                seen = decision.id
                yield f"id: {decision.id}\nevent: decision\ndata: {decision.model_dump_json()}\n\n"
            await asyncio.sleep(_SECONDS_BETWEEN_LOOKS)

    return StreamingResponse(events(), media_type="text/event-stream")


def _revision(context: Context) -> int:
    with context.pool.reader() as reader:
        return reader.revision


def _decisions_after(context: Context, seen: int) -> list[DecisionAnswer]:
    """Return the decisions after number `seen`, the oldest first."""
    with context.pool.reader() as reader:
        n_new = reader.revision - seen
        if n_new <= 0:
            return []
        newest = reader.history(limit=min(n_new, _MOST_AT_ONCE))
        return [DecisionAnswer.of(reader, one) for one in reversed(newest) if one.number > seen]
