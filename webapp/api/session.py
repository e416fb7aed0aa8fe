"""Signing in with a token or a password, and out again."""

from fastapi import APIRouter, Request, Response

from webapp.access.gate import Refusal, client_address, read_cookie
from webapp.access.tokens import TooManyTriesError
from webapp.api.context import Context, ContextOf
from webapp.api.models import Answer, Ask, Name

router = APIRouter(prefix="/session", tags=["session"])


class SignIn(Ask):
    """The start token or the password."""

    secret: Name


class SessionAnswer(Answer):
    """Whether somebody is signed in, and whether a password opens the page."""

    signed_in: bool
    has_password: bool


@router.get("", operation_id="get_session")
def get_session(request: Request, context: ContextOf) -> SessionAnswer:
    """Return whether the caller is signed in."""
    return SessionAnswer(signed_in=request.state.caller is not None, has_password=context.access.password is not None)


@router.post("", operation_id="sign_in")
def sign_in(request: Request, response: Response, context: ContextOf, wanted: SignIn) -> SessionAnswer:
    """Sign in a browser; it gets a cookie that no script can read and no other page can send."""
    try:
        is_right = context.access.opens_session(wanted.secret, client_address(request.scope))
    except TooManyTriesError as error:
        raise Refusal.too_many_tries(error.wait_s) from None
    if not is_right:
        raise Refusal(401, "wrong_secret", "this is neither the token nor the password of this page")
    set_session_cookie(response, context)
    return SessionAnswer(signed_in=True, has_password=context.access.password is not None)


@router.delete("", operation_id="sign_out")
def sign_out(request: Request, response: Response, context: ContextOf) -> SessionAnswer:
    """Sign the browser out."""
    session = read_cookie(request.headers.get("cookie", ""), context.cookie)
    if session is not None:
        context.access.close_session(session)
    response.delete_cookie(context.cookie)
    return SessionAnswer(signed_in=False, has_password=context.access.password is not None)


def set_session_cookie(response: Response, context: Context) -> None:
    """Open a session and give its secret to the browser."""
    response.set_cookie(context.cookie, context.access.open_session(), httponly=True, samesite="strict")
