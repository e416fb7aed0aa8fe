"""Cameras: list, add, remove, look at."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, suppress
from typing import Annotated

from fastapi import APIRouter, WebSocket, WebSocketDisconnect
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import StreamingResponse
from pydantic import Field

from webapp.api.context import Context, ContextOf
from webapp.api.models import Answer, Ask
from webapp.errors import NoHeadError, UnknownCameraError
from webapp.live.camera_list import add_camera, read_cameras, remove_camera
from webapp.live.messages import pack, picture_of
from webapp.live.visit_answers import visits_of
from webapp.live.visits import Visits
from webapp.live.watching import LiveCameras, Watching

router = APIRouter(prefix="/cameras", tags=["cameras"])


class CameraAnswer(Answer):
    """A camera; its address without user and password."""

    name: str
    address: str


class CamerasAnswer(Answer):
    """All cameras."""

    cameras: list[CameraAnswer]


class CameraAsk(Ask):
    """A camera to add: its number, or the URL of its stream."""

    name: Annotated[str, Field(min_length=1, max_length=100)]
    address: Annotated[str, Field(min_length=1, max_length=2000)]


def _answer(context: Context) -> CamerasAnswer:
    from recognition.sources.source import redact_url

    cameras = read_cameras(context.workspace)
    return CamerasAnswer(
        cameras=[
            CameraAnswer(name=name, address=redact_url(address) if "://" in address else address)
            for name, address in cameras.items()
        ]
    )


def live_cameras(context: Context) -> LiveCameras:
    """Return the cameras of a running application that somebody looks at."""
    visits = visits_of(context)
    return context.kept("live", lambda: LiveCameras(visits.put))


@router.get("", operation_id="list_cameras")
def list_cameras(context: ContextOf) -> CamerasAnswer:
    """Return the cameras of the workspace."""
    return _answer(context)


@router.post("", operation_id="add_camera")
def add(context: ContextOf, wanted: CameraAsk) -> CamerasAnswer:
    """Add a camera."""
    add_camera(context.workspace, wanted.name, wanted.address)
    return _answer(context)


@router.delete("/{name}", operation_id="remove_camera")
async def remove(context: ContextOf, name: str) -> CamerasAnswer:
    """Remove a camera; who looks at it sees no more of it."""
    await run_in_threadpool(remove_camera, context.workspace, name)
    await live_cameras(context).stop_all(name)
    return await run_in_threadpool(_answer, context)


def _address(context: Context, name: str) -> str:
    cameras = read_cameras(context.workspace)
    if name not in cameras:
        raise UnknownCameraError("no camera has this name")
    if not context.workspace.head.is_file():
        raise NoHeadError("nobody is named yet; name somebody and scan")
    return cameras[name]


def _watch(context: Context, name: str, address: str) -> AbstractAsyncContextManager[Watching]:
    """Look at a camera with the head of the workspace, and with the second detector of its photos if they have one."""
    workspace = context.workspace
    return live_cameras(context).watch(
        workspace.head, name, address, second_detector=workspace.settings.second_detector
    )


@router.get("/{name}/stream", operation_id="stream_camera", response_class=StreamingResponse)
async def stream(context: ContextOf, name: str) -> StreamingResponse:
    """Send the camera's pictures, without boxes, as multipart/x-mixed-replace."""
    address = await run_in_threadpool(_address, context, name)

    async def parts() -> AsyncIterator[bytes]:
        async with _watch(context, name, address) as watching:
            number = 0
            while True:
                number, message = await watching.newer_than(number)
                jpeg = picture_of(message)
                if jpeg:
                    head = f"--frame\r\nContent-Type: image/jpeg\r\nContent-Length: {len(jpeg)}\r\n\r\n"
                    yield head.encode() + jpeg + b"\r\n"

    return StreamingResponse(parts(), media_type="multipart/x-mixed-replace; boundary=frame")


@router.websocket("/{name}/live")
async def live(socket: WebSocket, name: str) -> None:
    """Send the newest frame each time the one before is acknowledged."""
    context: Context = socket.app.state.context
    await socket.accept()
    try:
        address = await run_in_threadpool(_address, context, name)
    except (NoHeadError, UnknownCameraError) as error:
        kind = "no_head" if isinstance(error, NoHeadError) else "unknown_camera"
        await socket.send_bytes(pack({"state": kind}))
        await socket.close(1000)
        return
    async with _watch(context, name, address) as watching:
        seen = asyncio.Event()
        visits = visits_of(context)
        tasks = [
            asyncio.create_task(_send(socket, watching, seen, visits)),
            asyncio.create_task(_receive(socket, seen)),
        ]
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def _send(socket: WebSocket, watching: Watching, seen: asyncio.Event, visits: Visits) -> None:
    """Send the newest message, and the next once it was seen: however slow a browser is, it sees no old one.

    A text, the number of a revision, says that there is something new about visits.
    """
    number, revision = -1, -1
    while True:
        number, message = await watching.newer_than(number)
        if visits.revision != revision:
            revision = visits.revision
            await socket.send_text(str(revision))
        seen.clear()
        await socket.send_bytes(message)
        await seen.wait()


async def _receive(socket: WebSocket, seen: asyncio.Event) -> None:
    with suppress(WebSocketDisconnect):
        while True:
            await socket.receive_text()
            seen.set()
