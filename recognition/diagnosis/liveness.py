"""Health check of a container: whether its first process has done anything since the last check.

A loop that waits for a camera wakes up every second; one that hangs is never given to a core again.
"""

import sys
import tempfile
from pathlib import Path

_SERVICE = Path("/proc/1")
_NOTE = Path(tempfile.gettempdir(), "facetable-liveness")


def is_alive(process: Path = _SERVICE, note: Path = _NOTE) -> bool:
    """Return whether a process was given to a core since `is_alive` was last asked, and note how often for the next.

    Parameters
    ----------
    process : Path
        Of Linux, such as ``/proc/1``.
    note : Path
        Where the count is kept between two checks.
    """
    count = str(_switches(process))
    before = note.read_text(encoding="utf-8") if note.is_file() else ""
    note.write_text(count, encoding="utf-8")
    return count != before


def _switches(process: Path) -> int:
    """Return how often the threads of a process were given to a core."""
    statuses = [path.read_text(encoding="utf-8") for path in process.glob("task/*/status")]
    lines = [line.partition(":") for status in statuses for line in status.splitlines()]
    return sum(int(value) for name, _, value in lines if name.endswith("voluntary_ctxt_switches"))


if __name__ == "__main__":
    sys.exit(0 if is_alive() else 1)
