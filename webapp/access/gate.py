"""The gate: the one place that every request goes through before anything of ours looks at it."""

import json
import math
from collections.abc import Awaitable, Callable, MutableMapping
from http.cookies import CookieError, SimpleCookie
from typing import Any

from webapp.access.headers import (
    ANSWER_HEADERS,
    PRIVATE_CACHING,
    STATIC_CACHING,
    comes_from_elsewhere,
    is_own_host,
)
from webapp.access.tokens import Access, Caller, Scope, TooManyTriesError

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Message, Receive, Send], Awaitable[None]]

API = "/api/v1/"
SIGN_IN = f"{API}session"
PICTURE_PATHS = tuple(API + path for path in ("recognize", "detect", "embed", "enrol", "find/by-photo"))
"""What takes pictures: multipart or raw, and larger than JSON may be."""

_READ_PATHS = (f"{API}find/by-photo",)
"""What is sent there is looked at and changes nothing."""

_RECOGNIZE_PATHS = tuple(API + path for path in ("recognize", "detect", "embed"))
_SAFE_METHODS = ("GET", "HEAD", "OPTIONS")
_MOST_JSON_BYTES = 1 << 20
MOST_PICTURE_BYTES = 100 << 20


class Refusal(Exception):
    """A request that goes no further: an HTTP status, a kind for programs, a line for people."""

    def __init__(self, status: int, kind: str, message: str, headers: dict[str, str] | None = None) -> None:
        super().__init__(message)
        self.status, self.kind, self.message, self.headers = status, kind, message, headers or {}

    @classmethod
    def too_many_tries(cls, wait_s: float) -> "Refusal":
        """Return the refusal of an address that tried too many wrong secrets."""
        wait = max(1, math.ceil(wait_s))
        return cls(429, "too_many_tries", f"too many wrong tries; wait {wait} s", {"retry-after": str(wait)})


class Gate:
    """Check host, origin, caller, scope and body of each request, and add the headers of each answer.

    What it lets pass finds its `Caller` in ``scope["state"]["caller"]``. What is not below `API` is the same for
    everybody (the page without data) and needs no caller.

    Parameters
    ----------
    app : ASGI application
    access : Access
    host : str
        The address that the server is bound to.
    cookie : str
        Name of the session's cookie; two servers of one machine need two.
    """

    def __init__(self, app: App, access: Access, *, host: str, cookie: str) -> None:
        self._app, self._access, self._host, self._cookie = app, access, host, cookie

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        """Let a request pass, or refuse it."""
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
            return
        try:
            limit = self._check(scope)
        except Refusal as refusal:
            await _refuse(scope, receive, send, refusal)
            return
        answered = _Answered(send, scope)
        try:
            await self._app(scope, _bounded(receive, limit), answered)
        except Refusal as refusal:
            if not answered.has_begun:
                await _refuse(scope, receive, send, refusal)

    def _check(self, scope: Message) -> int:
        """Return how many bytes the body may have."""
        headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}
        host, path = headers.get("host", ""), scope["path"]
        if not is_own_host(host, self._host):
            raise Refusal(403, "host", "this address is not called so; open the address that facetable serve printed")
        is_change = scope["type"] == "websocket" or scope["method"] not in _SAFE_METHODS
        foreign = comes_from_elsewhere(headers, host)
        caller = self._caller(headers, scope)
        is_program = caller is not None and "authorization" in headers
        if is_change and (foreign or (foreign is None and not is_program)):
            raise Refusal(403, "origin", "changes are taken from the page itself and from programs with a token alone")
        if path.startswith(API) and path != SIGN_IN:
            if caller is None:
                raise Refusal(401, "signed_out", "open the address that facetable serve printed, or send a token")
            needed = needed_scope(path, is_change=is_change)
            if needed not in caller.scopes:
                raise Refusal(403, "scope", f"this needs a token with the scope {needed}")
        scope.setdefault("state", {})["caller"] = caller
        return _check_body(headers, path) if is_change and scope["type"] == "http" else 0

    def _caller(self, headers: dict[str, str], scope: Message) -> Caller | None:
        kind, _, token = headers.get("authorization", "").partition(" ")
        if kind.lower() == "bearer":
            try:
                return self._access.caller_of_token(token.strip(), client_address(scope))
            except TooManyTriesError as error:
                raise Refusal.too_many_tries(error.wait_s) from None
        session = read_cookie(headers.get("cookie", ""), self._cookie)
        return None if session is None else self._access.caller_of_session(session)


def needed_scope(path: str, *, is_change: bool) -> Scope:
    """Return what a caller must be allowed to: a path that nobody thought of is as guarded as all others.

    >>> needed_scope("/api/v1/people", is_change=False), needed_scope("/api/v1/people/1", is_change=True)
    ('read', 'edit')
    """
    if path.startswith(_RECOGNIZE_PATHS):
        return "recognize"
    if path in _READ_PATHS:
        return "read"
    return "edit" if is_change else "read"


def client_address(scope: Message) -> str:
    """Return the address that asks."""
    client = scope.get("client")
    return "" if client is None else str(client[0])


def read_cookie(header: str, name: str) -> str | None:
    """Return a cookie's value, None where there is none."""
    try:
        found = SimpleCookie(header).get(name)
    except CookieError:
        return None
    return None if found is None else found.value


def _check_body(headers: dict[str, str], path: str) -> int:
    kind = headers.get("content-type", "").partition(";")[0].strip().lower()
    length = headers.get("content-length", "")
    has_body = "transfer-encoding" in headers or length not in ("", "0")
    takes_pictures = path.startswith(PICTURE_PATHS)
    is_picture = takes_pictures and (
        kind.startswith("image/") or kind in ("multipart/form-data", "application/octet-stream")
    )
    if has_body and kind != "application/json" and not is_picture:
        raise Refusal(415, "content_type", f"expected a body of the type application/json, found {kind or 'none'}")
    limit = MOST_PICTURE_BYTES if is_picture else _MOST_JSON_BYTES
    if length.isdecimal() and int(length) > limit:
        raise Refusal(413, "too_large", f"expected a body of at most {limit:,} bytes, found {int(length):,}")
    return limit


def _bounded(receive: Receive, limit: int) -> Receive:
    """Count what really comes: a length need not be stated, nor true."""
    n_bytes = 0

    async def bounded() -> Message:
        nonlocal n_bytes
        message = await receive()
        if message["type"] == "http.request":
            n_bytes += len(message.get("body", b""))
            if n_bytes > limit:
                raise Refusal(413, "too_large", f"expected a body of at most {limit:,} bytes, found more")
        return message

    return bounded


class _Answered:
    """Sends what the application answers, with our headers."""

    def __init__(self, send: Send, scope: Message) -> None:
        self._send, self._path, self.has_begun = send, scope["path"], False

    async def __call__(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.has_begun = True
            caching = STATIC_CACHING if self._path.startswith("/static/") else PRIVATE_CACHING
            message["headers"] = [*message.get("headers", []), *_encoded({**ANSWER_HEADERS, "cache-control": caching})]
        await self._send(message)


async def _refuse(scope: Message, receive: Receive, send: Send, refusal: Refusal) -> None:
    if scope["type"] == "websocket":
        await receive()
        await send({"type": "websocket.close", "code": 1008, "reason": refusal.kind})
        return
    body = json.dumps({"error": {"kind": refusal.kind, "message": refusal.message}}).encode()
    headers = {
        **ANSWER_HEADERS,
        "cache-control": PRIVATE_CACHING,
        "content-type": "application/json",
        "content-length": str(len(body)),
        **refusal.headers,
    }
    await send({"type": "http.response.start", "status": refusal.status, "headers": _encoded(headers)})
    await send({"type": "http.response.body", "body": body})


def _encoded(headers: dict[str, str]) -> list[tuple[bytes, bytes]]:
    return [(name.encode("latin-1"), value.encode("latin-1")) for name, value in headers.items()]
