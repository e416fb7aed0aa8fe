"""The head of a workspace's named people, kept between requests."""

from typing import TYPE_CHECKING

from webapp.api.context import Context
from webapp.errors import NoHeadError

if TYPE_CHECKING:
    from classifiers.heads.head import Head


def workspace_head(context: Context) -> "Head":
    """Return the head, loaded again once a scan has written another.

    Raises
    ------
    NoHeadError
        If there is none yet.
    HeadFileError
        If it is damaged.
    """
    from classifiers.files.head_file import load_head

    path = context.workspace.head
    try:
        state = path.stat()
    except FileNotFoundError:
        raise NoHeadError("expected named people that a scan has learned, found none; name somebody and scan") from None
    kept: dict[tuple[int, int], Head] = context.kept("head", dict)
    version = (state.st_ino, state.st_mtime_ns)
    if version not in kept:
        head = load_head(path)
        kept.clear()
        kept[version] = head
    return kept[version]
