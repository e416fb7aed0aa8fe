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

PAGES = sorted([PROJECT / "README.md", *(PROJECT / "docs").rglob("*.md")])

TERMINAL = ("", "bash", "console", "sh", "shell")
"""Languages of blocks that are typed into a terminal; on these pages most have none."""

_BLOCK = re.compile(
    r"^(?:<!-- not run: (?P<reason>[^>]+?) -->\n+)?```(?P<language>[^\n]*)\n(?P<code>.*?)^```", re.DOTALL | re.MULTILINE
)
COMMAND = re.compile(
    r"^(?:facetable|python -m (?:embedder|classifiers)|(?:\S+/)?python recognize\.py|docker compose run --rm camera)\s"
)
"""How a command of ours begins."""

_VARIABLES = re.compile(r"[A-Z]+=\S+ ")


@dataclass(frozen=True)
class Block:
    """A fenced block: its language, its text, and why no test runs it, where the page says so."""

    language: str
    code: str
    not_run: str | None = None

    def lines(self) -> list[str]:
        """Return its lines, those that end in a backslash joined with the next."""
        return self.code.replace("\\\n", " ").splitlines()


def blocks_of(page: Path) -> Iterator[Block]:
    """Yield the blocks of a page in order."""
    yield from blocks_in(page.read_text("utf-8"))


def blocks_in(text: str) -> Iterator[Block]:
    """Yield the blocks of a page's text; ``<!-- not run: WHY -->`` above one says that no test runs it."""
    for found in _BLOCK.finditer(text):
        yield Block(found["language"].strip(), found["code"], found["reason"])


def shell_lines_in(block: Block) -> Iterator[str]:
    """Yield what a terminal is given, without variables before it and what explains it: four spaces or ``#`` and on."""
    for line in block.lines():
        line = _VARIABLES.sub("", line.strip()).replace("PHOTO...", "PHOTO")
        line = re.split(r"\s#\s|\s{4,}(?=[a-z])|\s{2,}(?=\")", line, maxsplit=1)[0].strip()
        if line:
            yield line


def shell_lines_of(page: Path) -> Iterator[str]:
    """Yield the lines for a terminal of all of a page's blocks."""
    for block in blocks_of(page):
        if block.language in TERMINAL:
            yield from shell_lines_in(block)


def words_of(line: str) -> list[str]:
    """Return the words after ``facetable`` of a command of ours, also those in brackets."""
    return shlex.split(COMMAND.sub("facetable ", line).replace("[", "").replace("]", ""))[1:]


def commands_of(page: Path) -> Iterator[list[str]]:
    """Yield the words after ``facetable`` of every command in a page's blocks."""
    for line in shell_lines_of(page):
        if COMMAND.match(line):
            yield words_of(line)


def run_python(page: Path) -> dict[str, Any]:
    """Run a page's blocks of Python one after the other, warnings as errors, and return what they have made."""
    module = types.ModuleType("page_of_documentation")
    sys.modules[module.__name__] = module
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for block in blocks_of(page):
            if block.language == "python" and block.not_run is None:
                exec(compile(block.code, page.name, "exec"), vars(module))
    return vars(module)
