"""Errors as answers: a status, a word for programs, a line for people; never a traceback."""

import errno
import logging

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException

from foundation.errors import FacetableError
from people.errors import (
    ConflictError,
    DecisionError,
    PersonError,
    StoreBusyError,
    StoreError,
    UnknownDecisionError,
    UnknownFaceError,
    UnknownPersonError,
    UnknownPhotoError,
)
from webapp.access.gate import Refusal
from webapp.errors import (
    CameraError,
    JobRunningError,
    NoHeadError,
    UnknownCameraError,
    UnknownJobError,
    UnknownPictureError,
    UnknownVisitError,
)

logger = logging.getLogger(__name__)

_STATUSES: tuple[tuple[type[Exception], int, str], ...] = (
    (UnknownPersonError, 404, "unknown_person"),
    (UnknownFaceError, 404, "unknown_face"),
    (UnknownPhotoError, 404, "unknown_photo"),
    (UnknownDecisionError, 404, "unknown_decision"),
    (ConflictError, 409, "conflict"),
    (StoreBusyError, 423, "locked"),
    (StoreError, 500, "store_damaged"),
    (UnknownJobError, 404, "unknown_job"),
    (JobRunningError, 409, "job_running"),
    (UnknownPictureError, 404, "unknown_picture"),
    (NoHeadError, 404, "no_head"),
    (UnknownVisitError, 404, "unknown_visit"),
    (UnknownCameraError, 404, "unknown_camera"),
    (CameraError, 400, "camera"),
    (PersonError, 400, "person"),
    (DecisionError, 400, "decision"),
    (FacetableError, 400, "input"),
)
"""The first that fits."""

_STATUSES_OF_SYSTEM = {
    errno.ENOENT: (404, "gone"),
    errno.EACCES: (403, "read_only"),
    errno.EROFS: (403, "read_only"),
    errno.ENOSPC: (507, "no_room"),
}


def status_of(error: Exception) -> tuple[int, str]:
    """Return status and kind of an error."""
    if isinstance(error, OSError):
        return _STATUSES_OF_SYSTEM.get(error.errno or 0, (500, "system"))
    return next(((status, kind) for known, status, kind in _STATUSES if isinstance(error, known)), (500, "internal"))


def add_handlers(app: FastAPI) -> None:
    """Let an application answer all errors as JSON."""
    app.add_exception_handler(FacetableError, _answer_known)
    app.add_exception_handler(OSError, _answer_known)
    app.add_exception_handler(Refusal, _answer_refusal)
    app.add_exception_handler(RequestValidationError, _answer_invalid)
    app.add_exception_handler(HTTPException, _answer_http)
    app.add_exception_handler(Exception, _answer_unexpected)


def _answer(status: int, kind: str, message: str, headers: dict[str, str] | None = None) -> JSONResponse:
    return JSONResponse({"error": {"kind": kind, "message": message}}, status, headers)


def _answer_known(request: Request, error: Exception) -> JSONResponse:
    status, kind = status_of(error)
    text = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
    return _answer(status, kind, " ".join(text.split()))


def _answer_refusal(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, Refusal)
    return _answer(error.status, error.kind, error.message, error.headers)


def _answer_invalid(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, RequestValidationError)
    first = error.errors()[0]
    place = ".".join(str(part) for part in first["loc"][1:])
    return _answer(422, "invalid", f"{place}: {first['msg']}" if place else str(first["msg"]))


def _answer_http(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, HTTPException)
    kind = {404: "not_found", 405: "method"}.get(error.status_code, "http")
    return _answer(error.status_code, kind, str(error.detail), dict(error.headers or {}))


def _answer_unexpected(request: Request, error: Exception) -> JSONResponse:
    logger.error("unexpected %s: %s", type(error).__name__, error)
    return _answer(500, "internal", f"unexpected {type(error).__name__}; the server's output says more")
