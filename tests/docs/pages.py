"""The pages of the documentation: their blocks of code, the commands in them, and their Python, which is run."""

import re
import shlex
import sys
import types
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests import PROJECT

PAGES = sorted([PROJECT / "README.md", *(PROJECT / "docs").glob("*.md")])

_BLOCK = re.compile(r"^```(?P<language>[^\n]*)\n(?P<code>.*?)^```", re.DOTALL | re.MULTILINE)
COMMAND = re.compile(
    r"^(?:facetable|python -m (?:embedder|classifiers)|(?:\S+/)?python recognize\.py|docker compose run --rm camera)\s"
)
"""How a command of ours begins."""

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


def shell_lines_of(page: Path) -> Iterator[str]:
    """Yield what a terminal is given in a page's blocks, without variables before it and what explains it.

    A line explains itself after two spaces or ``#``.
    """
    for block in blocks_of(page):
        if block.language in ("", "bash", "console"):
            for line in block.lines():
                line = _VARIABLES.sub("", line.strip()).replace("PHOTO...", "PHOTO")
                line = re.split(r"\s#\s|\s{4,}(?=[a-z\"])", line, maxsplit=1)[0].strip()
                if line:
                    yield line


def commands_of(page: Path) -> Iterator[list[str]]:
    """Yield the words after ``facetable`` of every command in a page's blocks, also those in brackets."""
    for line in shell_lines_of(page):
        if COMMAND.match(line):
            yield shlex.split(COMMAND.sub("facetable ", line).replace("[", "").replace("]", ""))[1:]


def run_python(page: Path) -> dict[str, Any]:
    """Run a page's blocks of Python one after the other, warnings as errors, and return what they have made."""
    module = types.ModuleType("page_of_documentation")
    sys.modules[module.__name__] = module
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for block in blocks_of(page):
            if block.language == "python":
                exec(compile(block.code, page.name, "exec"), vars(module))
    return vars(module)
