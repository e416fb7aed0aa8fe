"""The pages of the documentation: their blocks of code, and the commands in them."""

import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tests import PROJECT

PAGES = sorted([PROJECT / "README.md", *(PROJECT / "docs").glob("*.md")])

_BLOCK = re.compile(r"^```(?P<language>[^\n]*)\n(?P<code>.*?)^```", re.DOTALL | re.MULTILINE)
_COMMAND = re.compile(r"^(?:facetable|python -m (?:embedder|classifiers)|(?:\S+/)?python recognize\.py)\s")
_VARIABLES = re.compile(r"[A-Z]+=\S+ ")


@dataclass(frozen=True)
class Block:
    """A fenced block: its language, and its text."""

    language: str
    code: str

    def lines(self) -> list[str]:
        """Return its lines, those that end in a backslash joined with the next."""
        return self.code.replace("\\\n", " ").splitlines()


def blocks_of(page: Path) -> Iterator[Block]:
    """Yield the blocks of a page in order."""
    for found in _BLOCK.finditer(page.read_text("utf-8")):
        yield Block(found["language"].strip(), found["code"])


def commands_of(page: Path) -> Iterator[list[str]]:
    """Yield the words after ``facetable`` of every whole command in a page's blocks.

    A line explains itself after two spaces or ``#``; options that may be left out stand in brackets.
    """
    for block in blocks_of(page):
        if block.language not in ("", "bash", "console"):
            continue
        for line in block.lines():
            line = _VARIABLES.sub("", line.strip())
            if not _COMMAND.match(line) or "…" in line:
                continue
            line = re.split(r"\s#\s|\s{4,}(?=[a-z\"])", line.replace("PHOTO...", "PHOTO"), maxsplit=1)[0]
            yield shlex.split(line.replace("[", "").replace("]", ""))[1:]
