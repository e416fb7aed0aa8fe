"""Find by a picture from elsewhere: its faces are kept in memory for an hour, the picture is not."""

import secrets
import time
from collections.abc import Callable
from threading import Lock
from typing import TYPE_CHECKING, Annotated, Any

from fastapi import APIRouter, Depends, Query

from webapp.api.context import Context, ContextOf
from webapp.api.models import Answer
from webapp.errors import UnknownPictureError
from webapp.naming.likeness import likeness_of
from webapp.programs.networks import encoder_of
from webapp.programs.uploads import OnePicture, describe_upload

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from people.search.like import LikeFaces

router = APIRouter(prefix="/find", tags=["find"])

_MOST_KEPT = 32
_SECONDS_KEPT = 3_600.0


class AskedPictures:
    """The faces of pictures that somebody asked for, in memory alone: the newest `_MOST_KEPT`, for an hour.

    Parameters
    ----------
    clock : callable
        Seconds that only grow.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock, self._lock = clock, Lock()
        self._vectors: dict[str, tuple[float, NDArray[np.float32]]] = {}
        self._found: dict[tuple[str, object], LikeFaces] = {}

    def add(self, vectors: "NDArray[np.float32]") -> str:
        """Keep the vectors (n, d) of a picture's faces, and return by which word they are found again."""
        word = secrets.token_urlsafe(12)
        with self._lock:
            self._drop_old()
            while len(self._vectors) >= _MOST_KEPT:
                self._vectors.pop(next(iter(self._vectors)))
            self._vectors[word] = (self._clock(), vectors)
        return word

    def like(self, context: Context, asked: str) -> "LikeFaces":
        """Return the faces of the newest table like one that is kept: ``word.number``.

        Raises
        ------
        UnknownPictureError
            If it is kept no more.
        SpaceMismatchError
            If the table's vectors were made otherwise.
        """
        from people.search.like import find_like_rows

        vectors = likeness_of(context).vectors
        state = (asked, vectors.version)
        with self._lock:
            self._drop_old()
            if state in self._found:
                return self._found[state]
            word, _, number = asked.partition(".")
            _, kept = self._vectors.get(word, (0.0, None))
        if kept is None or not number.isdecimal() or int(number) >= len(kept):
            raise UnknownPictureError("expected a picture that was asked for within an hour, found none; send it again")
        vectors.fingerprint.check_same_space(encoder_of(context).fingerprint, source="the table's")
        found = find_like_rows(kept[int(number)], vectors.blocks(), fingerprint=vectors.fingerprint)
        with self._lock:
            while len(self._found) >= _MOST_KEPT:
                self._found.pop(next(iter(self._found)))
            self._found[state] = found
        return found

    def _drop_old(self) -> None:
        now = self._clock()
        for word in [word for word, (at, _) in self._vectors.items() if now - at > _SECONDS_KEPT]:
            del self._vectors[word]
        self._found = {state: one for state, one in self._found.items() if state[0].partition(".")[0] in self._vectors}


class AskedFaceAnswer(Answer):
    """A face: its box in pixels of the upright picture; `like` is what `find_photos` takes."""

    box: tuple[float, float, float, float]
    like: str


class AskedPictureAnswer(Answer):
    """The faces of a picture; `main` is the number of the largest near the middle, null where there is none."""

    width: int
    height: int
    faces: list[AskedFaceAnswer]
    main: int | None


@router.post("/by-photo", operation_id="ask_by_photo", openapi_extra=describe_upload("file"))
def ask_by_photo(context: ContextOf, picture: OnePicture) -> AskedPictureAnswer:
    """Return by what word photos with faces like those of a picture are found within an hour; nothing is written."""
    encoded = encoder_of(context).encode(picture)
    height, width = picture.shape[:2]
    word = _pictures(context).add(encoded.embeddings) if len(encoded) else ""
    faces = [
        AskedFaceAnswer(box=(left, top, right, bottom), like=f"{word}.{number}")
        for number, (left, top, right, bottom) in enumerate(encoded.faces.boxes.round(1).tolist())
    ]
    main = int(encoded.faces.primary((height, width))) if faces else None
    return AskedPictureAnswer(width=int(width), height=int(height), faces=faces, main=main)


def _pictures(context: Context) -> AskedPictures:
    return context.kept("asked pictures", AskedPictures)


def _like_faces(
    context: ContextOf,
    asked: Annotated[
        str,
        Query(
            alias="like",
            pattern=r"^([\w-]{16}\.\d{1,4})?$",
            description="as `ask_by_photo` tells; the most alike first",
        ),
    ] = "",
) -> "LikeFaces | None":
    return _pictures(context).like(context, asked) if asked else None


Like = Annotated[Any, Depends(_like_faces)]
