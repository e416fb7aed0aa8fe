"""An output: how often each person was seen, in a text file that is written at the end."""

from collections import Counter
from pathlib import Path


class Tally:
    """Count the identities of events; ``--output tally=counts.txt`` names the file."""

    def __init__(self, address: str) -> None:
        self._path = Path(address)
        self._seen: Counter[str] = Counter()

    def write(self, event) -> None:
        """Count an event."""
        if event.identity:
            self._seen[event.identity] += 1

    def close(self) -> None:
        """Write the file."""
        lines = [f"{count} {name}\n" for name, count in sorted(self._seen.items())]
        self._path.write_text("".join(lines), encoding="utf-8")
