"""Files of one JSON object a line: events, and the ledger of `align`."""

import json
from pathlib import Path
from typing import Any

from classifiers.members.audit import Finding
from classifiers.scores.gallery import UNKNOWN
from foundation.atomic import write_bytes_atomically
from foundation.errors import InputError
from people.forgetting.holder import MENTIONED, Outcome, finding
from people.forgetting.person import Person

_LINE = tuple[bytes, dict[str, Any]]


class LineFiles:
    """Events and the ledgers of aligned faces; see `people.forgetting.holder.Holder`."""

    noun = "events file"

    def claims(self, path: Path, beginning: bytes) -> bool:
        """Return whether a file's first line is an event, or an entry of the ledger of `align`."""
        if not beginning.startswith(b"{"):
            return False
        with path.open("rb") as stream:
            line = stream.readline(100_000)
        try:
            record = json.loads(line)
        except ValueError:
            return False
        return isinstance(record, dict) and (
            {"event", "source", "identity"} <= record.keys() or {"photo", "crops", "faces"} <= record.keys()
        )

    def learn(self, path: Path, person: Person) -> None:
        """Remember the pictures of the person."""
        lines = _read(path)
        for _, record in _theirs(lines, person):
            if record.get("crop"):
                person.pictures |= {Path(record["crop"]).resolve(), (path.parent / record["crop"]).resolve()}
            crops = record.get("crops", ())
            person.pictures |= {(path.parent.parent / crop).resolve() for crop in crops}

    def find(self, path: Path, person: Person) -> list[Finding]:
        """Return ``lines`` of the person, those of their tracks included."""
        lines = _read(path)
        theirs = _theirs(lines, person)
        found = finding("lines", [record.get("source", record.get("photo", "")) for _, record in theirs])
        own = {id(record) for _, record in theirs}
        others = [record for _, record in lines if id(record) not in own]
        return found + finding("texts that mention them", _mentions(others, person))

    def forget(self, path: Path, person: Person) -> Outcome:
        """Write the file anew without these lines."""
        lines = _read(path)
        theirs = {id(record) for _, record in _theirs(lines, person)}
        kept = [line for line, record in lines if id(record) not in theirs]
        by_hand = [MENTIONED] * bool(_mentions([one for _, one in lines if id(one) not in theirs], person))
        write_bytes_atomically(path, b"".join(kept), is_private=True)
        return Outcome(f"{len(lines) - len(kept):,} of {len(lines):,} lines removed", by_hand)


def _read(path: Path) -> list[_LINE]:
    lines: list[_LINE] = []
    for number, line in enumerate(path.read_bytes().splitlines(keepends=True), start=1):
        try:
            record = json.loads(line)
        except ValueError:
            record = None
        if not isinstance(record, dict):
            raise InputError(
                f"{path}, line {number}: expected a JSON object, found {line[:40]!r}; remove the line first"
            )
        lines.append((line, record))
    return lines


def _theirs(lines: list[_LINE], person: Person) -> list[_LINE]:
    """Return the lines of the person: of the name, of photos called like them, of tracks that had the name."""
    track_of: list[tuple[object, ...] | None] = []
    begun: dict[tuple[object, ...], int] = {}
    named: set[tuple[object, ...]] = set()
    for _, record in lines:
        if record.get("track") is None:
            track_of.append(None)
            continue
        key = record.get("source"), record["track"]
        # Numbers of tracks begin anew with each run that is appended.
        begun[key] = begun.get(key, 0) + (record.get("event") == "started")
        track = (*key, begun[key])
        track_of.append(track)
        if person.is_name(str(record.get("identity", ""))):
            named.add(track)
    return [line for line, track in zip(lines, track_of, strict=True) if track in named or _is_named(line[1], person)]


def _mentions(records: list[dict[str, Any]], person: Person) -> list[str]:
    return [
        text
        for record in records
        for text in map(record.get, ("source", "source_name", "photo", "crop"))
        if isinstance(text, str) and person.is_mentioned(text, [str(record.get("identity", ""))])
    ]


def _is_named(record: dict[str, Any], person: Person) -> bool:
    texts = [record.get(key) for key in ("source", "source_name", "photo", "name", "crop")]
    paths = [*texts, *record.get("crops", ())]
    name = str(record.get("identity", ""))
    named = [name] if name != UNKNOWN else []
    return person.is_name(name) or any(person.has_place(path, named) for path in paths if isinstance(path, str))
