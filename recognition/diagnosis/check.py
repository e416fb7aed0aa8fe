"""Checks that cannot stop each other: each ends in lines to read, and in what is broken."""

import getpass
import os
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from foundation.installation import explain_import_error
from foundation.text import sanitize_for_terminal

_CACHE_VARIABLE = "FACETABLE_CACHE"
_SHORTEST_USER = 3
"""Letters of a user's name that is taken out of messages; shorter ones are parts of too many words."""


@dataclass
class Findings:
    """What a check found.

    Attributes
    ----------
    lines : list of str
        What there is, and what is missing and not needed by everybody.
    problems : list of str
        What is broken, with the remedy.
    facts : dict
        The same for programs, as JSON holds it.
    """

    lines: list[str] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)
    facts: dict[str, Any] = field(default_factory=dict)

    def to_json(self) -> dict[str, Any]:
        """Return everything for `json.dumps`."""
        return {"lines": self.lines, "problems": self.problems, **self.facts}


def run_check(check: Callable[[], Findings]) -> Findings:
    """Return what `check` finds; where it fails itself, that is the problem, in one line."""
    try:
        found = check()
    except Exception as error:  # noqa: BLE001 - whatever is broken here is what the report is for
        if isinstance(error, ImportError):
            reason = explain_import_error(error)
        else:
            reason = f"{type(error).__name__}: {error}"
        found = Findings(problems=[reason])
    return Findings(
        [without_private_parts(line) for line in found.lines],
        [without_private_parts(problem) for problem in found.problems],
        found.facts,
    )


def without_private_parts(text: str, environment: Mapping[str, str] = os.environ) -> str:
    """Return `text` as one line without the home folder, the cache's place and the user's name."""
    line = sanitize_for_terminal(" ".join(text.split()))
    places = [(environment.get(_CACHE_VARIABLE, ""), f"${_CACHE_VARIABLE}"), (_home(), "~"), (str(Path.cwd()), ".")]
    for place, name in places:
        if len(place) > 1:
            line = line.replace(place, name)
    user = _user()
    if len(user) >= _SHORTEST_USER and user != "root":
        line = re.sub(rf"(?<![\w]){re.escape(user)}(?![\w])", "USER", line)
    return line


def _home() -> str:
    try:
        return str(Path.home())
    except RuntimeError:  # a container's user need not have one
        return ""


def _user() -> str:
    try:
        return getpass.getuser()
    except (OSError, KeyError):
        return ""
