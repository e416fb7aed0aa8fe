"""Train a head in the place of another: what was said to that one is read first, and nobody changes it meanwhile."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from classifiers.errors import HeadFileError
from classifiers.files.head_file import load_head, refuse_other_file
from classifiers.heads.head import Head
from classifiers.members.editing import locked_for_editing


@contextmanager
def head_to_replace(path: str | Path, *, fresh: bool = False, trust: Sequence[str] = ()) -> Iterator[Head | None]:
    """Yield the head at `path` and hold its lock; None where there is none, or it is not wanted (`fresh`).

    For `trust` see `classifiers.load_head`.

    Raises
    ------
    HeadFileError
        If a file of another kind is there, a head that cannot be read, or one that is being changed.
    OSError
        If the file or its folder cannot be read or written.
    """
    target = Path(path)
    refuse_other_file(target)
    if not target.is_file() or target.stat().st_size == 0:
        yield None
        return
    with locked_for_editing(target):
        yield None if fresh else _load(target, trust)


def _load(path: Path, trust: Sequence[str]) -> Head:
    try:
        return load_head(path, trust=trust)
    except HeadFileError as error:
        raise HeadFileError(
            f"{error}, or give --fresh: what was enrolled in this head and rejected is then dropped"
        ) from error
