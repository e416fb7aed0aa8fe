"""Which files of a folder are left out on request: patterns given by the caller, and ``.facetableignore`` files.

Both follow gitignore's rules (https://git-scm.com/docs/gitignore): from the top, each folder and file is judged by
itself, the last pattern that matches it decides, ``!`` takes it back, a file deeper in the tree decides before one
further up, the caller's patterns decide before all files, and below a folder that is left out nothing is taken back.
The package `pathspec` translates the patterns. Its own decision about a whole path at once is another one: there a
match of a file weighs more than a later one of a folder above it.
"""

import re
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any, cast

from foundation.errors import InputError
from foundation.formats import describe_bytes
from foundation.paths import display_path, storable_text

IGNORE_FILE = ".facetableignore"

_MAX_BYTES = 1 << 20

_FOLDER_MARK = "ps_d"
"""Group in the expressions of `pathspec` for the slash behind what a pattern names."""


@dataclass(frozen=True)
class _Pattern:
    """A pattern that says something.

    Attributes
    ----------
    leaves_out : bool
        What it says: false behind ``!``.
    expression : re.Pattern
        What it matches, also below what it names.
    """

    leaves_out: bool
    expression: re.Pattern[str]

    def names(self, path: str, *, is_folder: bool) -> bool:
        """Return whether it names the file or folder at `path` itself; what is above that was judged before."""
        if _FOLDER_MARK not in self.expression.groupindex:  # such as a/**, which names what is in the folder alone
            return self.expression.search(path) is not None
        own = (-1, len(path))  # behind the path's last name, or none
        text = f"{path}/" if is_folder else path
        return any(found.start(_FOLDER_MARK) in own for found in self.expression.finditer(text))


@dataclass(frozen=True)
class Exclusion:
    """The patterns that hold in one folder.

    Attributes
    ----------
    given : tuple of _Pattern
        The caller's patterns, relative to the folder that was named.
    files : tuple of (PurePosixPath, tuple of _Pattern)
        Of each ignore file its folder and its patterns, the deepest last.
    """

    given: tuple[_Pattern, ...] = ()
    files: tuple[tuple[PurePosixPath, tuple[_Pattern, ...]], ...] = ()

    @classmethod
    def of(cls, patterns: Sequence[str]) -> "Exclusion":
        """Return the exclusion of the caller's patterns alone.

        Raises
        ------
        InputError
            If one is no pattern; it is named.
        """
        literal = [rf"\{pattern}" if pattern.startswith("#") else pattern for pattern in patterns]  # no comments here
        return cls(_compile(literal, "`exclude`"))

    def inside(self, folder: Path, file: Path) -> "tuple[Exclusion, list[str]]":
        """Return what holds in `folder` (relative), which has the ignore `file`, and that file's patterns as stored.

        Raises
        ------
        InputError
            If the file is no text or one of its lines no pattern; a photo meant to be left out must not be read.
        OSError
            If it cannot be read.
        """
        lines = _read_patterns(file)
        base = PurePosixPath(_normal(folder.as_posix()))
        stored = [storable_text(line) for line in lines if line.strip()]
        if not stored:
            return self, []
        return Exclusion(self.given, (*self.files, (base, _compile(lines, display_path(file))))), stored

    def leaves_out(self, path: Path, *, is_folder: bool) -> bool:
        """Return whether the file or folder at `path`, in a folder that is not left out, is left out.

        `path` is relative to the folder that was named.
        """
        if not self.given and not self.files:
            return False
        place = PurePosixPath(_normal(path.as_posix()))
        for base, patterns in reversed([*self.files, (PurePosixPath(), self.given)]):
            within = str(place.relative_to(base))
            for pattern in reversed(patterns):
                if pattern.names(within, is_folder=is_folder):
                    return pattern.leaves_out
        return False


def _read_patterns(file: Path) -> list[str]:
    """Return the lines of an ignore file, those that say nothing empty."""
    with file.open("rb") as stream:
        data = stream.read(_MAX_BYTES + 1)
    if len(data) > _MAX_BYTES or b"\0" in data:
        found = f"more than {_MAX_BYTES:,} bytes" if len(data) > _MAX_BYTES else describe_bytes(data)
        raise InputError(
            f"{display_path(file)}: expected patterns in UTF-8 text, one a line, found {found}; save it as UTF-8 text"
        )
    text = data.decode("utf-8-sig", "surrogateescape")
    return ["" if line.startswith("#") else line for line in (line.rstrip("\r") for line in text.split("\n"))]


def _compile(patterns: Iterable[str], source: str) -> tuple[_Pattern, ...]:
    from pathspec import GitIgnoreSpec

    compiled: list[_Pattern] = []
    for number, pattern in enumerate(patterns, 1):
        try:
            for found in GitIgnoreSpec.from_lines([_as_translated(_normal(pattern))]).patterns:
                if found.include is not None:
                    expression: re.Pattern[str] = cast("Any", found).regex
                    compiled.append(_Pattern(found.include, re.compile(expression.pattern, re.DOTALL)))
        except (ValueError, re.error):
            where = source if source.startswith("`") else f"{source}, line {number}"
            raise InputError(
                f"{where}: expected a pattern as in .gitignore, such as *.png or Private/, got {pattern!r}; mend or "
                "remove it"
            ) from None
    return tuple(compiled)


def _as_translated(pattern: str) -> str:
    """Return a pattern in the form that `pathspec` translates as git means it."""
    if pattern.rstrip() == "!/":
        return ""  # as / alone, it names nothing
    # The folders in a folder, not that folder itself.
    return re.sub(r"(?<=[^/])(/\*\*)+/\s*$", "/**/*/", pattern)


def _normal(text: str) -> str:
    """Compose letters: the same name comes composed from some file systems, decomposed from others."""
    return unicodedata.normalize("NFC", text)
