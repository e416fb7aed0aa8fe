"""The decisions of workspaces, their copies, and what the decisions know of the newest table."""

from pathlib import Path

import numpy as np

from classifiers.members.audit import Finding
from embedder.tables.table import EmbeddingTable
from foundation.text import pluralize
from people.forgetting.holder import Outcome, finding
from people.forgetting.person import Person
from people.store import schema
from people.store.reader import PeopleReader
from people.store.scanned import NO_GROUP, ScannedFace
from people.store.store import PeopleStore
from people.workspace.table_rows import record_table
from people.workspace.workspace import SETTINGS_FILE, Workspace

_SQLITE_MAGIC = b"SQLite format 3\0"
_COMPANIONS = ("-wal", "-shm", "-journal")


class Stores:
    """Stores of decisions and their backups; see `people.forgetting.holder.Holder`."""

    noun = "store of decisions"

    def claims(self, path: Path, beginning: bytes) -> bool:
        """Return whether a file is a store, whole or damaged; what SQLite keeps beside it belongs to it."""
        marked = beginning.startswith(_SQLITE_MAGIC) and ".sqlite" in path.name and not path.name.endswith(_COMPANIONS)
        if not marked:
            return False
        with path.open("rb") as stream:
            header = stream.read(72)
        return int.from_bytes(header[68:72], "big") == schema.APPLICATION_ID

    def learn(self, path: Path, person: Person) -> None:
        """Remember the person's faces that the newest table holds, where their place in pixels is known."""
        with PeopleReader(path) as reader:
            people = _people(path, reader, person)
            person.members.setdefault(_workspace_of(path), set()).update(reader.members_of(people))
            others: dict[str, list[str]] = {}
            for other, photo in reader.same_photos().items():
                others.setdefault(photo, []).append(other)
            for number in people:
                person.photos.update(face.photo_sha256 for face in reader.faces_of(number))
                for face in reader.faces_in_table(person=number):
                    box, sha256 = np.array(face.box, np.float32), face.face.photo_sha256
                    for content in (sha256, *others.get(sha256, ())):
                        person.places.setdefault(content, []).append(box)

    def find(self, path: Path, person: Person) -> list[Finding]:
        """Return ``people``, ``faces`` and ``decisions`` of the person, and ``bytes`` that still hold the name."""
        with PeopleReader(path) as reader:
            people = _people(path, reader, person)
            faces = [face for number in people for face in reader.faces_of(number)]
            decisions = [one for number in people for one in reader.history(person=number, limit=1_000_000)]
            files = [file for file in reader.scanned_paths() if person.is_called(file)]
            found = [
                *finding("people", [person.shown] * len(people)),
                *finding("faces", [""] * len(faces)),
                *finding("decisions", [""] * len(decisions)),
                *finding("photos of the newest table", files),
            ]
            if found:
                return found
            others = _names_and_words_of_others(reader, person)
        contents = (_without_words(one.read_bytes(), others) for one in _with_companions(path))
        return finding("bytes", [""] * any(map(person.is_in_bytes, contents)))

    def forget(self, path: Path, person: Person) -> Outcome:
        """Erase the person from the store, from its file and its log; what it knows of the table is made anew."""
        with PeopleStore(path) as store:
            people = _people(path, store, person)
            n_before = store.revision
            store.forget(people, names=[person.name] if person.name else [])
            folder = path.parent
            if (folder / SETTINGS_FILE).is_file() and Workspace(folder).store.samefile(path):
                self._record_table(store, Workspace(folder))
            store.check()
        erased = f"{pluralize(len(people), 'person', 'people')} with faces and decisions"
        return Outcome(f"{erased} erased; {n_before:,} was the newest decision")

    def _record_table(self, store: PeopleStore, workspace: Workspace) -> None:
        """Let the store know the table as it is now, for its rows have moved up; groups of others stay as they are."""
        if not workspace.table.is_file():
            return
        groups = {_place_of(face): face.group for face in store.faces_in_table()}
        record_table(store, EmbeddingTable.read(workspace.table))
        store.record_groups(np.array([groups.get(_place_of(face), NO_GROUP) for face in store.faces_in_table()], int))
        store.purge()


def _place_of(face: ScannedFace) -> tuple[object, ...]:
    return face.path, face.box, face.face.time_s


def _people(path: Path, reader: PeopleReader, person: Person) -> list[int]:
    """Return the numbers of people called so now, and of those who were called otherwise when a copy was made."""
    known = person.members.get(_workspace_of(path), set())
    called = reader.people_called(person.name) if person.name else []
    return sorted({*called, *reader.roots_of(known)})


def _workspace_of(path: Path) -> Path:
    folder = path.resolve().parent
    return folder.parent if folder.name == "backups" else folder


def _names_and_words_of_others(reader: PeopleReader, person: Person) -> set[str]:
    """Return the names of other people, and words, that hold the person's name as a part."""
    names = {name for name in reader.all_names() if person.is_in_text(name) and not person.is_name(name)}
    return names | {word for text in reader.texts_with(person.forms) for word in person.longer_words(text)}


def _without_words(content: bytes, words: set[str]) -> bytes:
    """Return the bytes of a file without words and names in its texts; the bytes do not tell where a text begins."""
    for word in sorted(words, key=len, reverse=True):
        content = content.replace(word.encode("utf-8", "surrogatepass"), b"")
    return content


def _with_companions(path: Path) -> list[Path]:
    places = [path, *(path.with_name(path.name + suffix) for suffix in _COMPANIONS)]
    return [place for place in places if place.is_file()]
