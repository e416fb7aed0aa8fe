"""Pictures that come with a request: multipart or raw, read in a private file that is gone afterwards."""

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from fastapi import Depends, Request
from fastapi.concurrency import run_in_threadpool
from starlette.datastructures import UploadFile

from foundation.errors import InputError

if TYPE_CHECKING:
    import numpy as np

MAX_PIXELS = 100_000_000
"""Of a picture that somebody sends: half of what is read from one's own disk."""

_CONTENT = {"schema": {"type": "string", "format": "binary"}}


def describe_upload(*names: str) -> dict[str, Any]:
    """Return what OpenAPI says of a body that holds pictures: fields of a form, or one picture as it is."""
    fields = {name: {"type": "string", "format": "binary"} for name in names}
    form = {"schema": {"type": "object", "required": list(names), "properties": fields}}
    content: dict[str, Any] = {"multipart/form-data": form}
    if len(names) == 1:
        content |= {"image/*": _CONTENT, "application/octet-stream": _CONTENT}
    return {"requestBody": {"required": True, "content": content}}


async def read_pictures(request: Request, *names: str) -> "list[np.ndarray]":
    """Return the pictures of a request's form fields, or its body as the only one: uint8 (h, w, 3), upright RGB.

    Raises
    ------
    InputError
        If one is missing.
    ImageError
        If one is no picture, damaged, or has more than `MAX_PIXELS`.
    """
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind != "multipart/form-data":
        if len(names) > 1:
            raise InputError(f"expected a form with {' and '.join(names)}, found one body; send multipart/form-data")
        return [await run_in_threadpool(decode_upload, await request.body(), "the picture")]
    pictures = []
    async with request.form(max_files=len(names), max_fields=10) as form:
        for name in names:
            part = form.get(name)
            if not isinstance(part, UploadFile):
                raise InputError(f"expected a file in the form's field `{name}`, found none")
            pictures.append(await run_in_threadpool(decode_upload, await part.read(), name))
    return pictures


async def _one_picture(request: Request) -> "np.ndarray":
    (picture,) = await read_pictures(request, "file")
    return picture


async def _two_pictures(request: Request) -> "list[np.ndarray]":
    return await read_pictures(request, "a", "b")


OnePicture = Annotated[Any, Depends(_one_picture)]
TwoPictures = Annotated[Any, Depends(_two_pictures)]


def decode_upload(content: bytes, name: str) -> "np.ndarray":
    """Return the picture of a file that somebody sent, uint8 (h, w, 3), upright RGB; `name` is for messages.

    Raises
    ------
    InputError, ImageError
        As `read_pictures`.
    """
    from embedder.errors import ImageError
    from embedder.images.reading import read_image

    if not content:
        raise InputError(f"{name}: expected a picture, found nothing")
    with tempfile.TemporaryDirectory(prefix="facetable-") as folder:  # for its owner alone
        path = Path(folder) / "picture"
        path.write_bytes(content)
        try:
            return read_image(path, max_pixels=MAX_PIXELS)
        except ImageError as error:
            # How many pixels a program may send is not for it to choose.
            raise ImageError(str(error).replace(str(path), name).replace(" or raise --max-pixels", "")) from None
