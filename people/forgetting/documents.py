"""What is written to be looked at: contact sheets, results in JSON; and what a training run says of its people."""

import base64
import html
import json
import re
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any
from urllib.parse import unquote

from classifiers.members.audit import Finding
from embedder.exchange.coco import CONTRIBUTOR
from foundation.atomic import write_bytes_atomically
from foundation.errors import InputError
from foundation.text import pluralize
from people.forgetting.holder import Outcome, finding
from people.forgetting.person import Person

_SHEET_MARKS = (b'<meta name="viewport" content="width=device-width">', b'<li title="')
_MOST_JSON = 64 << 20
_RUN_FILES = ("identities.txt", "faces.csv", "left_out.tsv", "config.json")
_BY_HAND = "the network was trained on their photos: delete the run, or train again without them"

# Keys that tell the results of compare, verify (of one network, of several), compare-heads, audit, enrol and forget,
# reject, explain, evaluate, cluster, train, people show, people import.
_RESULT_KEYS = (
    {"faces", "distances", "pairs"},
    {"n_pairs", "n_failures_to_enrol"},
    {"n_pairs", "networks"},
    {"heads", "fingerprint"},
    {"name", "n_files", "held", "files"},
    {"head", "name", "enrolled"},
    {"head", "name", "n_forgotten"},
    {"head", "name", "n_removed"},
    {"head", "photo", "faces"},
    {"head", "fingerprint"},
    {"table", "labels"},
    {"threshold", "fingerprint"},
    {"n_identities", "threshold"},
    {"id", "name", "faces"},
    {"names", "n_photos", "n_drawn"},
)
# Of records in a list: people, groups, questions, decisions, and who is with whom, as `facetable people` lists them.
_RECORD_KEYS = (
    {"id", "name", "n_faces", "n_photos"},
    {"group", "n_faces", "suggested_name"},
    {"id", "kind", "n_settled", "text"},
    {"id", "at", "by", "kind", "text"},
    {"name", "with", "n_photos"},
)
# Whose values, also in a list, are names.
_NAME_KEYS = {
    *("name", "names", "identity", "identities", "labels", "suggested_name", "likely", "named", "with"),
    *("choice", "next_identity", "likeness"),
}
_PHOTO_KEYS = {"path", "taken", "faces"}


class ContactSheets:
    """HTML pages of `cluster --html`, `explain --html` and `find --html`; see `people.forgetting.holder.Holder`."""

    noun = "contact sheet"

    def claims(self, path: Path, beginning: bytes) -> bool:
        """Return whether a file is such a page."""
        if not beginning.startswith(b"<!DOCTYPE html>\n<html"):
            return False
        content = path.read_bytes()
        return all(mark in content for mark in _SHEET_MARKS)

    def learn(self, path: Path, person: Person) -> None:
        """Do nothing: a page says nothing that tables do not."""

    def find(self, path: Path, person: Person) -> list[Finding]:
        """Return ``lines`` that name the person, and ``thumbnails`` with their face where faces are compared."""
        lines = [line for line in path.read_text("utf-8").splitlines() if _names(html.unescape(_plain(line)), person)]
        found = finding("lines", [""] * len(lines))
        if person.looks is not None:
            found += finding("thumbnails", [""] * _count_thumbnails(path, person))
        return found

    def forget(self, path: Path, person: Person) -> Outcome:
        """Delete the page, which its command makes again."""
        path.unlink()
        return Outcome("deleted: the command that wrote it makes it again")


def _names(line: str, person: Person) -> bool:
    """Return whether a line names a person, in a link too, where letters may be percent-encoded."""
    return person.is_in_text(line) or ("%" in line and person.is_in_text(unquote(line)))


class Results:
    """Results that commands write with ``--json``; see `people.forgetting.holder.Holder`."""

    noun = "result"

    def claims(self, path: Path, beginning: bytes) -> bool:
        """Return whether a file is JSON with the keys of one of our results."""
        if (
            path.suffix.lower() != ".json"
            or path.stat().st_size > _MOST_JSON
            or not beginning.lstrip().startswith((b"{", b"["))
        ):
            return False
        try:
            record = json.loads(path.read_bytes())
        except (ValueError, RecursionError):
            return False
        return _is_result(record)

    def learn(self, path: Path, person: Person) -> None:
        """Do nothing: a result holds no face."""

    def find(self, path: Path, person: Person) -> list[Finding]:
        """Return the ``texts`` in which the person is named."""
        return finding("texts", _texts_about(json.loads(path.read_bytes()), person))

    def forget(self, path: Path, person: Person) -> Outcome:
        """Write the file anew with ``[name]`` in the name's place, so that its figures stay what they are."""
        record = json.loads(path.read_bytes())
        n_texts = len(_texts_about(record, person))
        text = json.dumps(_redacted(record, person), indent=2, ensure_ascii=False, allow_nan=False) + "\n"
        write_bytes_atomically(path, text.encode("utf-8", "backslashreplace"))
        return Outcome(f"the name replaced in {pluralize(n_texts, 'text')}")


class TrainingRuns:
    """Files in which a training run lists its people; see `people.forgetting.holder.Holder`."""

    noun = "training run"

    def claims(self, path: Path, beginning: bytes) -> bool:
        """Return whether a file is one of a run's folder."""
        if path.name not in _RUN_FILES:
            return False
        config = path.with_name("config.json")
        return (
            path.with_name("identities.txt").is_file() and config.is_file() and b"facetable-run" in config.read_bytes()
        )

    def learn(self, path: Path, person: Person) -> None:
        """Do nothing: a run holds no vectors of single faces."""

    def find(self, path: Path, person: Person) -> list[Finding]:
        """Return the ``lines`` that name the person."""
        try:
            lines = path.read_text("utf-8", "surrogateescape").splitlines()
        except ValueError as error:
            raise InputError(f"{path}: expected text, found other data; restore it") from error
        return finding("lines", [line[:80] for line in lines if person.is_in_text(line)])

    def forget(self, path: Path, person: Person) -> Outcome:
        """Change nothing: what the network has learnt cannot be taken out of it."""
        return Outcome("", [_BY_HAND])


def _is_result(value: Any) -> bool:
    if isinstance(value, dict):
        if isinstance(value.get("info"), dict) and value["info"].get("contributor") == CONTRIBUTOR:
            return True
        return any(keys <= value.keys() for keys in _RESULT_KEYS) or _all_have(value.get("photos"), (_PHOTO_KEYS,))
    return _all_have(value, _RECORD_KEYS)


def _all_have(records: Any, key_sets: Sequence[set[str]]) -> bool:
    """Return whether `records` is a list, not empty, of objects with all keys of one set."""
    return (
        isinstance(records, list)
        and bool(records)
        and any(all(isinstance(one, dict) and keys <= one.keys() for one in records) for keys in key_sets)
    )


def _plain(line: str) -> str:
    return re.sub(r'src="data:[^"]*"', "", line)


def _count_thumbnails(path: Path, person: Person) -> int:
    """Return how many thumbnails of a page show the person's face."""
    n_found = 0
    with tempfile.TemporaryDirectory() as folder:
        picture = Path(folder) / "thumbnail.jpg"
        for data in re.findall(r'src="data:image/jpeg;base64,([^"]+)"', path.read_text("utf-8")):
            picture.write_bytes(base64.b64decode(data))
            n_found += person.look_at(picture)
    return n_found


def _texts_about(value: Any, person: Person, key: str = "") -> list[str]:
    """Return the texts of a record, keys included, in which the person is named."""
    if isinstance(value, str):
        return [value] if _redacted(value, person, key) != value else []
    if isinstance(value, dict):
        texts = [name for name in value if _redacted_key(name, person) != name]
        return texts + [text for name, item in value.items() for text in _texts_about(item, person, name)]
    return [text for item in value for text in _texts_about(item, person, key)] if isinstance(value, list) else []


def _redacted(value: Any, person: Person, key: str = "") -> Any:
    """Return the value of a key without the name: a value that is a name is compared as a whole."""
    if isinstance(value, str):
        return person.redacted_name(value) if key in _NAME_KEYS else person.redacted(value)
    if isinstance(value, dict):
        return {_redacted_key(name, person): _redacted(item, person, name) for name, item in value.items()}
    return [_redacted(item, person, key) for item in value] if isinstance(value, list) else value


def _redacted_key(key: str, person: Person) -> str:
    """Return a key without the name: a person's as a whole, or a path's."""
    return person.redacted(key) if "/" in key or "." in key else person.redacted_name(key)
