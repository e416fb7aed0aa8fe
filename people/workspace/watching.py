"""Scan again whenever photos change, until it is stopped."""

import logging
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from threading import Event
from typing import Any

from embedder.images.exclusion import IGNORE_FILE
from foundation.errors import FacetableError

logger = logging.getLogger(__name__)

_QUIET_SECONDS = 2.0
"""A scan waits until so long nothing has changed, as when a card's photos are copied,"""

_LONGEST_WAIT_SECONDS = 30.0
"""but no longer than this."""

_RETRY_SECONDS = 60.0
"""After a scan that failed the next one comes so soon, even if nothing changes."""

_LOOK_MILLISECONDS = 1_000

_UNFINISHED = (".xmp", ".tmp", ".part", ".crdownload")
"""Endings of sidecars, which are not scanned, and of files that programs are still writing."""


def watch(
    folders: Sequence[str | Path],
    scan_once: Callable[[], object],
    *,
    stop: Event | None = None,
    quiet_seconds: float = _QUIET_SECONDS,
    retry_seconds: float = _RETRY_SECONDS,
) -> None:
    """Scan at once, and after every change in some folders; a scan that fails is reported and tried again.

    What changes during a scan leads to the next one.

    Parameters
    ----------
    folders : sequence of path
    scan_once : callable
    stop : threading.Event, optional
        Ends it when set; otherwise ctrl-C does.
    quiet_seconds, retry_seconds : float
        For how long nothing must have changed, and when a scan that failed is tried again.

    Raises
    ------
    ImportError
        If the package `watchfiles` is not installed.
    OSError
        If a folder is missing.
    KeyboardInterrupt
        Saying that what was scanned is kept.
    """
    from watchfiles import watch as watch_changes

    logging.getLogger("watchfiles").setLevel(logging.WARNING)  # it tells of every change by itself
    due: float | None = 0.0  # when to scan next, of `time.monotonic`
    changes = watch_changes(
        *folders,
        watch_filter=_may_matter,
        debounce=round(max(quiet_seconds, _LONGEST_WAIT_SECONDS) * 1000),
        step=round(quiet_seconds * 1000),
        rust_timeout=_LOOK_MILLISECONDS,
        yield_on_timeout=True,  # its first answer says that it watches
        stop_event=stop,
        raise_interrupt=True,
    )
    try:
        for changed in changes:
            if changed or (due is not None and time.monotonic() >= due):
                due = None if _try(scan_once) else time.monotonic() + retry_seconds
    except KeyboardInterrupt as interrupt:
        raise KeyboardInterrupt(*(interrupt.args or ("no longer watching; what was scanned is kept",))) from None


def _try(scan_once: Callable[[], object]) -> bool:
    try:
        scan_once()
    except FacetableError as error:
        logger.warning("this scan failed, the next one tries again: %s", error)
    except OSError as error:
        place = f"{error.filename}: " if error.filename else ""
        logger.warning("this scan failed, the next one tries again: %s%s", place, error.strerror or error)
    else:
        return True
    return False


def _may_matter(_change: Any, path: str) -> bool:
    """Return whether a scan could see a change: of a photo, a folder, or what is left out."""
    name = Path(path).name
    return name == IGNORE_FILE or not (name.startswith(".") or name.lower().endswith(_UNFINISHED))
