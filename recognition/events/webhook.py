"""Webhook: POST each event to a URL, in order, with retries, on a thread of its own."""

import logging
import threading
import urllib.error
import urllib.request
from base64 import b64encode
from collections import deque
from http.client import HTTPException
from typing import Any
from urllib.parse import unquote, urlunsplit

from foundation.text import sanitize_for_terminal
from recognition.events.delivery import DeliverySettings, is_delivered, split_address
from recognition.events.event import Event
from recognition.sources.deadline_http import DeadlineHandler, SecureDeadlineHandler

logger = logging.getLogger(__name__)

_TRY_LATER = (408, 425, 429)


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    """Follow no redirection: it would turn the POST into a GET without the event."""

    def redirect_request(self, *_: Any, **__: Any) -> None:
        """Return None: no request follows."""


class WebhookSink:
    """Post each event as JSON to a URL.

    A delivery that fails is tried again with growing pauses, in order. An answer that says that the request itself is
    wrong (4xx), or that the receiver has moved (3xx), drops the event. Frame-by-frame `face` events are not sent.

    Parameters
    ----------
    url : str
        ``http`` or ``https``, with user and password where needed.
    settings : DeliverySettings

    Raises
    ------
    AddressError
        If it is no such URL.
    """

    def __init__(self, url: str, settings: DeliverySettings = DeliverySettings()) -> None:  # noqa: B008
        self._settings = settings
        parts = split_address(url, "webhook", schemes=("http", "https"), example="https://HOST/PATH")
        # The path of a webhook is often its secret.
        self._name = f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}"
        self._url = urlunsplit(parts._replace(netloc=parts.netloc.rpartition("@")[2]))
        self._headers = {"Content-Type": "application/json", "User-Agent": "facetable"}
        if parts.username is not None:
            password = parts.password if parts.password is not None else ""
            secret = b64encode(f"{unquote(parts.username)}:{unquote(password)}".encode()).decode()
            self._headers["Authorization"] = f"Basic {secret}"
        self._opener = urllib.request.build_opener(_NoRedirect(), DeadlineHandler(), SecureDeadlineHandler())
        self._pending: deque[bytes] = deque()
        self._n_dropped = 0
        self._has_warned = False
        self._condition = threading.Condition()
        self._closing = threading.Event()
        self._abandon = threading.Event()
        self._thread = threading.Thread(target=self._deliver, name="webhook", daemon=True)
        self._thread.start()

    def write(self, event: Event) -> None:
        """Queue an event."""
        if not is_delivered(event):
            return
        with self._condition:
            if len(self._pending) >= self._settings.max_pending:
                self._pending.popleft()
                self._n_dropped += 1
            self._pending.append(event.to_json().encode())
            self._condition.notify()

    def close(self) -> None:
        """Wait up to `close_timeout_s` for the last events, and log how many were not delivered."""
        with self._condition:
            self._closing.set()
            self._condition.notify()
        self._thread.join(self._settings.close_timeout_s)
        self._abandon.set()
        n_lost = len(self._pending) + self._n_dropped
        if n_lost:
            logger.warning("%s: %d events could not be delivered", self._name, n_lost)

    def _deliver(self) -> None:
        retries = self._settings.retries
        pause_s = retries.min_pause_s
        while not self._abandon.is_set():
            with self._condition:
                self._condition.wait_for(lambda: self._pending or self._closing.is_set())
                if not self._pending:
                    return
                body = self._pending[0]
            if self._post(body):
                pause_s = retries.min_pause_s
                with self._condition:
                    # Unless it was dropped meanwhile to make room.
                    if self._pending and self._pending[0] is body:
                        self._pending.popleft()
                continue
            if self._closing.wait(pause_s):
                self._abandon.wait(self._settings.closing_pause_s)
            pause_s = retries.after(pause_s)

    def _post(self, body: bytes) -> bool:
        """Return whether the event needs no further attempt: it is delivered, or refused for good."""
        request = urllib.request.Request(self._url, data=body, headers=self._headers, method="POST")
        try:
            with self._opener.open(request, timeout=self._settings.timeout_s):
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
