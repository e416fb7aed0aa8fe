"""Enrolling somebody with pictures: hints on one that is not kept, and pictures that are, with reasons where not."""

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated

from fastapi import APIRouter, Depends, Request
from fastapi.concurrency import run_in_threadpool
from starlette.datastructures import UploadFile

from classifiers.members.enrolment import Flaw, FlawKind
from foundation.errors import InputError
from people.enrolling.enrolment import Candidate, EnrolmentReport, PictureState, enrol_pictures, judge
from people.enrolling.pictures import EnrolledPicture
from people.store.records import MAX_NAME_LENGTH
from webapp.api.context import Context, ContextOf, Store
from webapp.api.models import Answer, DecisionAnswer
from webapp.errors import NoHeadError
from webapp.naming.head import workspace_head
from webapp.programs.networks import encoder_of
from webapp.programs.uploads import OnePicture, decode_upload, describe_upload

if TYPE_CHECKING:
    import numpy as np

    from classifiers.heads.head import Head
    from classifiers.members.face_samples import PhotoFaces

router = APIRouter(prefix="/enrol", tags=["enrol"])

MOST_PICTURES = 50
"""In one request."""

_BINARY = {"type": "string", "format": "binary"}
_FORM = {
    "requestBody": {
        "required": True,
        "content": {
            "multipart/form-data": {
                "schema": {
                    "type": "object",
                    "required": ["name", "file"],
                    "properties": {
                        "name": {"type": "string"},
                        "force": {"type": "boolean", "default": False},
                        "file": {"type": "array", "items": _BINARY, "maxItems": MOST_PICTURES},
                    },
                }
            }
        },
    }
}


class FlawAnswer(Answer):
    """What is wrong with a picture: `kind` for programs, `text` for people, and what was `measured` against a `limit`.

    `name` is whom it is taken for, or was said not to be.
    """

    kind: FlawKind
    text: str
    measured: float | None
    limit: float | None
    name: str

    @classmethod
    def of(cls, flaw: Flaw) -> "FlawAnswer":
        """Return a flaw as it is sent."""
        return cls(
            kind=flaw.kind, text=flaw.text, name=flaw.name, measured=_sent(flaw.measured), limit=_sent(flaw.limit)
        )


class HintsAnswer(Answer):
    """How good a picture is to know somebody by: it is where there are no `flaws`.

    `box` is its main face's, in pixels of the upright picture; null where it shows none.
    """

    width: int
    height: int
    box: tuple[float, float, float, float] | None
    flaws: list[FlawAnswer]


class PictureAnswer(Answer):
    """What became of a picture: refused for its `flaws`, `known` to show the person already, or enrolled."""

    state: PictureState
    flaws: list[FlawAnswer]


class EnrolAnswer(Answer):
    """What became of each picture, and the decision; null where none was enrolled."""

    pictures: list[PictureAnswer]
    decision: DecisionAnswer | None


class _Wanted:
    """Who is to be enrolled with what."""

    def __init__(self, name: str, pictures: "Sequence[np.ndarray]", *, force: bool) -> None:
        self.name, self.pictures, self.force = name, pictures, force


async def _wanted(request: Request) -> _Wanted:
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind != "multipart/form-data":
        raise InputError("expected a form with `name` and `file`, found another body; send multipart/form-data")
    async with request.form(max_files=MOST_PICTURES, max_fields=10) as form:
        name, force = form.get("name"), form.get("force", "false")
        files = [part for part in form.getlist("file") if isinstance(part, UploadFile)]
        if not isinstance(name, str) or not 0 < len(name) <= 5 * MAX_NAME_LENGTH:
            raise InputError("expected a name in the form's field `name`, found none, or too long a one")
        if force not in ("true", "false"):
            raise InputError("expected true or false in the form's field `force`, found something else")
        if not files:
            raise InputError("expected one picture or more in the form's field `file`, found none")
        pictures = [await run_in_threadpool(decode_upload, await part.read(), "file") for part in files]
    return _Wanted(name, pictures, force=force == "true")


@router.post("/check", operation_id="check_picture", openapi_extra=describe_upload("file"))
def check_picture(context: ContextOf, picture: OnePicture) -> HintsAnswer:
    """Return how good a picture is to know somebody by; it is not kept."""
    faces = _faces_on(context, picture, "picture", "0" * 64)
    box = None
    if faces.samples:
        left, top, right, bottom = (round(float(side), 1) for side in faces.samples[faces.main].box)
        box = (left, top, right, bottom)
    height, width = picture.shape[:2]
    return HintsAnswer(width=width, height=height, box=box, flaws=[FlawAnswer.of(flaw) for flaw in judge(faces)])


@router.post("", operation_id="enrol_person", openapi_extra=_FORM)
def enrol_person(context: ContextOf, store: Store, wanted: Annotated[_Wanted, Depends(_wanted)]) -> EnrolAnswer:
    """Keep good pictures of one person in the workspace, and name their main faces; the next scan learns them."""
    candidates = []
    for pixels in wanted.pictures:
        picture = EnrolledPicture.of(pixels)
        candidates.append(Candidate(picture, _faces_on(context, picture.pixels, picture.name, picture.sha256)))
    report = enrol_pictures(context.workspace, store, candidates, wanted.name, head=_head(context), force=wanted.force)
    return _answer(store, report)


def _answer(store: Store, report: EnrolmentReport) -> EnrolAnswer:
    return EnrolAnswer(
        pictures=[
            PictureAnswer(state=one.state, flaws=[FlawAnswer.of(flaw) for flaw in one.flaws]) for one in report.outcomes
        ],
        decision=None if report.decision is None else DecisionAnswer.of(store, report.decision),
    )


def _faces_on(context: Context, pixels: "np.ndarray", path: str, sha256: str) -> "PhotoFaces":
    from classifiers.members.face_samples import PhotoFaces, samples_of

    encoded = encoder_of(context).encode(pixels)
    if not len(encoded):
        return PhotoFaces([], 0)
    return PhotoFaces(samples_of(encoded, path, sha256), int(encoded.faces.primary(pixels.shape[:2])))


def _head(context: Context) -> "Head | None":
    """Return the head that faces are compared with; None before the first, and until a scan uses a new network."""
    try:
        head = workspace_head(context)
    except NoHeadError:
        return None
    made_as = encoder_of(context).fingerprint["space"]
    return head if head.fingerprint is None or dict(head.fingerprint.space) == made_as else None


def _sent(number: float | None) -> float | None:
    return None if number is None or not math.isfinite(number) else round(number, 3)
