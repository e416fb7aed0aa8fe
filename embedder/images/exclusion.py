"""Which files of a folder are left out on request: patterns given by the caller, and ``.facetableignore`` files.

Both follow gitignore's rules (https://git-scm.com/docs/gitignore), as the package `pathspec` implements them: the last
pattern that matches decides, ``!`` takes a file back, a file deeper in the tree decides before one further up, the
caller's patterns decide before all files, and below a folder that is left out nothing is taken back.
"""

import re
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any

from foundation.errors import InputError
from foundation.formats import describe_bytes
from foundation.paths import display_path, storable_text

if TYPE_CHECKING:
    from pathspec import GitIgnoreSpec

IGNORE_FILE = ".facetableignore"

_MAX_BYTES = 1 << 20


@dataclass(frozen=True)
class Exclusion:
    """The patterns that hold in one folder.

    Attributes
    ----------
    given : GitIgnoreSpec or None
        The caller's patterns, relative to the folder that was named.
    files : tuple of (PurePosixPath, GitIgnoreSpec)
        Of each ignore file its folder and its patterns, the deepest last.
    """

    given: "GitIgnoreSpec | None" = None
    files: "tuple[tuple[PurePosixPath, GitIgnoreSpec], ...]" = ()

    @classmethod
    def of(cls, patterns: Sequence[str]) -> "Exclusion":
        """Return the exclusion of the caller's patterns alone.

        Raises
        ------
        InputError
            If one is no pattern; it is named.
        """
        literal = [rf"\{pattern}" if pattern.startswith("#") else pattern for pattern in patterns]  # no comments here
        return cls(_compile(literal, "`exclude`") if patterns else None)

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
        """Return whether the file or folder at `path`, relative to the folder that was named, is left out."""
        if self.given is None and not self.files:
            return False
        place = PurePosixPath(_normal(path.as_posix()))
        slash = "/" if is_folder else ""
        rules = list(self.files) + ([] if self.given is None else [(PurePosixPath(), self.given)])
        for base, patterns in reversed(rules):
            found = patterns.check_file(f"{place.relative_to(base)}{slash}").include
            if found is not None:
                return found
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


def _compile(patterns: Iterable[str], source: str) -> "GitIgnoreSpec":
    from pathspec import GitIgnoreSpec

    specs: list[Any] = []
    for number, pattern in enumerate(patterns, 1):
        try:
            specs += GitIgnoreSpec.from_lines([_normal(pattern)]).patterns
        except (ValueError, re.error):
            where = source if source.startswith("`") else f"{source}, line {number}"
            raise InputError(
                f"{where}: expected a pattern as in .gitignore, such as *.png or Private/, got {pattern!r}; mend or "
                "remove it"
            ) from None
    return GitIgnoreSpec(specs)


def _normal(text: str) -> str:
    """Compose letters: the same name comes composed from some file systems, decomposed from others."""
    return unicodedata.normalize("NFC", text)
