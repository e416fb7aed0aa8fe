"""Files that are replaced in one step: whole at any moment, whatever happens while they are written."""

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO

_NO_ROOM_ERRORS = frozenset({errno.ENOSPC, errno.EFBIG, getattr(errno, "EDQUOT", errno.ENOSPC)})


@contextmanager
def replacing(path: Path) -> Iterator[IO[bytes]]:
    """Yield a binary stream whose content takes the place of `path` when the block ends without an error.

    A link stays a link: the file it leads to is replaced.

    Raises
    ------
    OSError
        If the file cannot be written, naming it; one that was there before stays as it is.
    """
    place = path.resolve()
    temporary = place.with_name(f".{place.name}.{os.getpid()}.tmp")
    try:
        with temporary.open("wb") as stream:
            yield stream
            stream.flush()
            os.fsync(stream.fileno())
        temporary.replace(place)
    except OSError as error:
        if error.errno in _NO_ROOM_ERRORS:
            raise OSError(
                error.errno,
                f"no room to write it ({error.strerror}); what was there before is untouched; "
                "free some space and run the same command again",
                str(path),
            ) from error
        if error.filename == str(temporary) and error.filename2 is None:
            # The user knows the file by its own name alone.
            raise OSError(error.errno, error.strerror, str(path)) from error
        raise
    finally:
        with suppress(OSError):  # where it could not be made, it cannot be removed either
            temporary.unlink()
