"""Photos: how a browser shows them."""

from typing import Annotated

from fastapi import APIRouter, Query, Response

from people.browsing.photos import faces_of_photo
from webapp.api.context import ContextOf
from webapp.api.models import Number
from webapp.pictures.photos import locate_photo, render_photo, second_in
from webapp.pictures.thumbnails import read_photo_thumbnail

router = APIRouter(prefix="/photos", tags=["photos"])


@router.get(
    "/{photo}/picture",
    operation_id="get_picture",
    response_class=Response,
    responses={200: {"content": {"image/jpeg": {}}}},
)
def get_picture(
    context: ContextOf,
    photo: Number,
    max_side: Annotated[int, Query(alias="max", ge=16, le=8192, description="longest side in pixels")] = 1600,
    at: Annotated[float, Query(ge=0, le=10**7, description="second in a video")] = 0.0,
) -> Response:
    """Return a photo, or a frame of a video, as JPEG, upright, without metadata."""
    with context.pool.reader() as reader:  # not held while the photo is decoded
        file = reader.photo(photo)
    place = locate_photo(context.workspace, file)
    return Response(render_photo(place, max_side, time_s=second_in(file, at)), media_type="image/jpeg")


@router.get(
    "/{photo}/thumbnail",
    operation_id="get_photo_thumbnail",
    response_class=Response,
    responses={200: {"content": {"image/webp": {}}}},
)
def get_photo_thumbnail(
    context: ContextOf,
    photo: Number,
    at: Annotated[float, Query(ge=0, le=10**7, description="second in a video")] = 0.0,
) -> Response:
    """Return a photo no longer than 320 pixels, made small once and kept; of a video, where a face is next to `at`."""
    with context.pool.reader() as reader:  # not held while the photo is decoded
        file = reader.photo(photo)
        # Of other seconds nothing is kept: there are as many of them as anybody likes to ask for.
        faces = faces_of_photo(reader, file.sha256) if file.kind == "video" else []
        seconds = {face.face.time_s for face in faces} or {0.0}
    second = min(seconds, key=lambda one: abs(one - at))
    return Response(read_photo_thumbnail(context.workspace, file, second), media_type="image/webp")
