"""Who asks: the start token, tokens of other programs, passwords, and the sessions they open."""

import hashlib
import hmac
import secrets
import time
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from foundation.errors import InputError
from foundation.paths import display_path
from webapp.access.passwords import Password
from webapp.access.sessions import Sessions

Scope = Literal["read", "recognize", "edit"]
ALL_SCOPES: frozenset[Scope] = frozenset(("read", "recognize", "edit"))

_FREE_TRIES = 5
_LONGEST_WAIT_S = 60.0
_MOST_REMEMBERED = 1_000
"""Addresses with wrong tries; the oldest go first, so that nobody can fill the memory."""


@dataclass(frozen=True)
class Caller:
    """Who asks and what they may do; `name` is recorded with their decisions."""

    name: str
    scopes: frozenset[Scope]


class TooManyTriesError(Exception):
    """Too many wrong tokens or passwords from one address; `wait_s` seconds are to be waited."""

    def __init__(self, wait_s: float) -> None:
        super().__init__(f"too many wrong tries; wait {wait_s:.0f} s")
        self.wait_s = wait_s


@dataclass
class Access:
    """All that opens the page: tokens, a password, and the sessions of browsers.

    Attributes
    ----------
    start_token : str
        Stands in the printed address; may do everything.
    tokens : mapping
        Token of another program to who it is.
    password : Password, optional
    sessions : Sessions
    """

    start_token: str = field(default_factory=lambda: secrets.token_urlsafe(24))
    tokens: Mapping[str, Caller] = field(default_factory=dict)
    password: Password | None = None
    sessions: Sessions = field(default_factory=Sessions)
    _wrong_tries: OrderedDict[str, tuple[int, float]] = field(default_factory=OrderedDict)

    def caller_of_token(self, token: str, address: str) -> Caller | None:
        """Return who has a token, None for nobody.

        Raises
        ------
        TooManyTriesError
            If the address has tried too many wrong ones.
        """
        self._check_tries(address)
        found = self._find(token)
        self._note_try(address, is_right=found is not None)
        return found

    def opens_session(self, secret: str, address: str) -> bool:
        """Return whether a token that may do everything, or the password, is given.

        Raises
        ------
        TooManyTriesError
            As `caller_of_token`.
        """
        self._check_tries(address)
        caller = self._find(secret)
        is_right = caller is not None and caller.scopes == ALL_SCOPES
        is_right = is_right or (self.password is not None and self.password.verify(secret))
        self._note_try(address, is_right=is_right)
        return is_right

    def open_session(self) -> str:
        """Return the secret of a new session, for a browser's cookie."""
        return self.sessions.open()

    def close_session(self, session: str) -> None:
        """End a session; nothing happens where there is none."""
        self.sessions.close(session)

    def caller_of_session(self, session: str) -> Caller | None:
        """Return who has a session, None if it is none; wrong ones are no tries, for each restart makes some."""
        return Caller("page", ALL_SCOPES) if self.sessions.has(session) else None

    def _find(self, token: str) -> Caller | None:
        found = None
        for known, caller in {self.start_token: Caller("page", ALL_SCOPES), **self.tokens}.items():
            if hmac.compare_digest(_digest(known), _digest(token)):
                found = caller
        return found

    def _check_tries(self, address: str) -> None:
        _, until = self._wrong_tries.get(address, (0, 0.0))
        wait_s = until - time.monotonic()
        if wait_s > 0:
            raise TooManyTriesError(wait_s)

    def _note_try(self, address: str, *, is_right: bool) -> None:
        if is_right:
            self._wrong_tries.pop(address, None)
            return
        n_wrong = self._wrong_tries.pop(address, (0, 0.0))[0] + 1
        wait_s = 0.0 if n_wrong < _FREE_TRIES else min(2.0 ** (n_wrong - _FREE_TRIES), _LONGEST_WAIT_S)
        self._wrong_tries[address] = (n_wrong, time.monotonic() + wait_s)
        while len(self._wrong_tries) > _MOST_REMEMBERED:
            self._wrong_tries.popitem(last=False)


def read_tokens(path: Path) -> dict[str, Caller]:
    """Read a file of tokens: one a line, "TOKEN SCOPES NAME", such as ``4f…c1 read,recognize doorbell``.

    Raises
    ------
    InputError
        If a line is none, or others may read the file.
    OSError
        If it cannot be read.
    """
    check_private(path)
    found: dict[str, Caller] = {}
    for number, line in enumerate(path.read_text("utf-8").splitlines(), 1):
        if not line.strip() or line.startswith("#"):
            continue
        token, _, rest = line.strip().partition(" ")
        scopes, _, name = rest.strip().partition(" ")
        chosen = frozenset(scope for scope in ALL_SCOPES if scope in scopes.split(","))
        if len(token) < 16 or len(chosen) != len(scopes.split(",")) or not name.strip():
            raise InputError(
                f"{display_path(path)}: line {number}: expected a token of 16 letters or more, scopes (of "
                "read,recognize,edit) and a name, such as: 4fd2c7a91be03c55 read,recognize doorbell"
            )
        found[token] = Caller(name.strip(), chosen)
    return found


def check_private(path: Path) -> None:
    """Refuse a file of secrets that others may read.

    Raises
    ------
    InputError
        If they may.
    OSError
        If it is not there.
    """
    if path.stat().st_mode & 0o077:
        raise InputError(
            f"{display_path(path)}: expected secrets that only you may read, found mode "
            f"{path.stat().st_mode & 0o777:o}; run: chmod 600 {display_path(path)}"
        )


def _digest(secret: str) -> bytes:
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).digest()
