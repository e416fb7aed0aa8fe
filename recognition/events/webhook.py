"""Events sent to other programs: over HTTP, each as a POST, and over MQTT; retried, in order, without holding up."""

import logging
import threading
import urllib.error
import urllib.request
from base64 import b64encode
from collections import deque
from http.client import HTTPException
from typing import Any
from urllib.parse import SplitResult, unquote, urlsplit, urlunsplit

from foundation.text import sanitize_for_terminal
from recognition.errors import AddressError
from recognition.events.event import Event
from recognition.sources.deadline_http import DeadlineHandler, SecureDeadlineHandler
from recognition.sources.source import is_cut_password, redact_url

logger = logging.getLogger(__name__)

MAX_PENDING = 1000
"""Events that wait for a receiver that is away; older ones are dropped."""

LAST_CHANCE_S = 5.0
"""How long the end of a run waits for events to be delivered."""

_FIRST_PAUSE_S = 0.5
_LONGEST_PAUSE_S = 30.0
_TIMEOUT_S = 5.0
_TRY_LATER = (408, 425, 429)


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    """Follows no redirection: it would make a GET without the event out of the POST."""

    def redirect_request(self, *_: Any, **__: Any) -> None:
        """Return that there is none."""


class WebhookSink:
    """Posts each event as JSON to a URL.

    What fails is tried again with growing pauses, in order. An answer that says the request itself is wrong (4xx),
    or that the receiver has moved (3xx), drops the event. Frame-by-frame `face` events of videos are not sent.

    Parameters
    ----------
    url : str
        ``http`` or ``https``, with user and password where needed.

    Raises
    ------
    AddressError
        If it is no such URL.
    """

    def __init__(self, url: str) -> None:
        parts = _split(url, "webhook", schemes=("http", "https"), example="https://HOST/PATH")
        # Of a webhook the path is often the secret.
        self._name = f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}"
        self._url = urlunsplit(parts._replace(netloc=parts.netloc.rpartition("@")[2]))
        self._headers = {"Content-Type": "application/json", "User-Agent": "facetable"}
        if parts.username is not None:
            password = parts.password if parts.password is not None else ""
            secret = b64encode(f"{unquote(parts.username)}:{unquote(password)}".encode()).decode()
            self._headers["Authorization"] = f"Basic {secret}"
        self._opener = urllib.request.build_opener(_NoRedirect(), DeadlineHandler(), SecureDeadlineHandler())
        self._waiting: deque[bytes] = deque()
        self._n_dropped = 0
        self._has_warned = False
        self._condition = threading.Condition()
        self._closing = threading.Event()
        self._abandon = threading.Event()
        self._thread = threading.Thread(target=self._deliver, name="webhook", daemon=True)
        self._thread.start()

    def write(self, event: Event) -> None:
        """Queue one event."""
        if not _is_sent(event):
            return
        with self._condition:
            if len(self._waiting) >= MAX_PENDING:
                self._waiting.popleft()
                self._n_dropped += 1
            self._waiting.append(event.to_json().encode())
            self._condition.notify()

    def close(self) -> None:
        """Wait a little for the last events, and say how many were not delivered."""
        with self._condition:
            self._closing.set()
            self._condition.notify()
        self._thread.join(LAST_CHANCE_S)
        self._abandon.set()
        n_lost = len(self._waiting) + self._n_dropped
        if n_lost:
            logger.warning("%s: %d events could not be delivered", self._name, n_lost)

    def _deliver(self) -> None:
        pause_s = _FIRST_PAUSE_S
        while not self._abandon.is_set():
            with self._condition:
                self._condition.wait_for(lambda: self._waiting or self._closing.is_set())
                if not self._waiting:
                    return
                body = self._waiting[0]
            if self._post(body):
                pause_s = _FIRST_PAUSE_S
                with self._condition:
                    # Unless it was dropped meanwhile to make room.
                    if self._waiting and self._waiting[0] is body:
                        self._waiting.popleft()
                continue
            # At the end there is no time for long pauses.
            if self._closing.wait(pause_s):
                self._abandon.wait(_FIRST_PAUSE_S)
            pause_s = min(2 * pause_s, _LONGEST_PAUSE_S)

    def _post(self, body: bytes) -> bool:
        """Return whether the event is done with: delivered, or refused for good."""
        request = urllib.request.Request(self._url, data=body, headers=self._headers, method="POST")
        try:
            with self._opener.open(request, timeout=_TIMEOUT_S):
                self._has_warned = False
                return True
        except urllib.error.HTTPError as error:
            error.close()
            if 300 <= error.code < 500 and error.code not in _TRY_LATER:
                self._n_dropped += 1
                self._warn(f"refuses events (HTTP {error.code} {error.reason}); check the address")
                return True
            self._warn(f"cannot be reached (HTTP {error.code}); trying again")
        except (OSError, HTTPException) as error:
            self._warn(f"cannot be reached ({error}); trying again")
        return False

    def _warn(self, what: str) -> None:
        if not self._has_warned:
            self._has_warned = True
            logger.warning("%s: %s", self._name, sanitize_for_terminal(what))


def _split(url: str, option: str, *, schemes: tuple[str, ...], example: str) -> SplitResult:
    """Return the parts of `url`; what is wrong with it is not said, since that may be a part of its password."""
    try:
        parts = urlsplit(url)
        is_usable = parts.scheme.lower() in schemes and parts.hostname and parts.port != 0
        is_usable = is_usable and all("!" <= character <= "~" for character in url)
        str(parts.hostname).encode("idna")  # refuses what no name server can be asked for
    except ValueError:
        is_usable = False
    if not is_usable or is_cut_password(url):
        raise AddressError(
            f"`{option}` must be a URL like {example}, with % codes for special characters, got {redact_url(url)!r}"
        )
    return parts


def _is_sent(event: Event) -> bool:
    return event.event != "face" or event.time_s is None


def _is_done(message: Any) -> bool:
    try:
        return bool(message.is_published())
    except (ValueError, RuntimeError):  # the queue was full, or it was refused
        return False
