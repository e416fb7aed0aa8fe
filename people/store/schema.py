"""The SQLite file: its tables, its version, and opening one safely.

Two kinds of tables. The journal (`photos`, `faces`, `people`, `decisions`, `decision_faces`) only ever grows. All
others are derived from it and from the embedding table, and can be made again at any time.
"""

import errno
import os
import sqlite3
from contextlib import closing
from pathlib import Path

from foundation.atomic import PRIVATE_MODE, atomic_path
from foundation.formats import describe_kind
from foundation.paths import display_path
from foundation.text import pluralize
from people.errors import StoreBusyError, StoreError, UnheededError
from people.store.records import KINDS

APPLICATION_ID = 0x46614265
"""Marks our files among all of SQLite's, at byte 68; see https://www.sqlite.org/fileformat.html."""

VERSION = 1
"""``user_version`` of what this code writes."""

BUSY_SECONDS = 10.0
"""How long another process may hold the file before it is an error."""

_QUICK_CHECK_BYTES = 8 << 20
"""Files up to this size are checked whole when they are opened; the check of larger ones takes longer than opening."""

_JOURNAL = f"""
CREATE TABLE photos (
    id INTEGER PRIMARY KEY,
    sha256 BLOB NOT NULL UNIQUE CHECK (length(sha256) = 32)
);
CREATE TABLE faces (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    photo INTEGER NOT NULL REFERENCES photos,
    x_min REAL NOT NULL, y_min REAL NOT NULL, x_max REAL NOT NULL, y_max REAL NOT NULL,
    time_s REAL NOT NULL DEFAULT 0,
    CHECK (x_min < x_max AND y_min < y_max)
);
CREATE INDEX faces_of_photo ON faces (photo);
CREATE TABLE people (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    first_name TEXT NOT NULL CHECK (first_name <> '')
);
CREATE TABLE decisions (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    at TEXT NOT NULL,
    by TEXT NOT NULL,
    kind TEXT NOT NULL CHECK (kind IN ({", ".join(f"'{kind}'" for kind in KINDS)})),
    person INTEGER REFERENCES people,
    other INTEGER REFERENCES people,
    text TEXT NOT NULL DEFAULT '',
    undoes INTEGER REFERENCES decisions
);
CREATE INDEX decisions_of_person ON decisions (person) WHERE person IS NOT NULL;
CREATE INDEX decisions_of_other ON decisions (other) WHERE other IS NOT NULL;
CREATE INDEX merges ON decisions (id) WHERE kind = 'merge';
CREATE INDEX decisions_undoing ON decisions (undoes) WHERE undoes IS NOT NULL;
CREATE TABLE decision_faces (
    decision INTEGER NOT NULL REFERENCES decisions,
    face INTEGER NOT NULL REFERENCES faces,
    PRIMARY KEY (decision, face)
) WITHOUT ROWID;
CREATE INDEX decisions_of_face ON decision_faces (face, decision);
"""

_GUARDED_TABLES = ("photos", "faces", "people", "decisions", "decision_faces")

GUARDS = "".join(
    f"CREATE TRIGGER {table}_keep_{action.lower()} BEFORE {action} ON {table} "
    "BEGIN SELECT RAISE(ABORT, 'decisions are never changed'); END;\n"
    for table in _GUARDED_TABLES
    for action in ("UPDATE", "DELETE")
)
"""Triggers that refuse any change of the journal; only forgetting a person takes them off, within its transaction."""

NO_GUARDS = "".join(
    f"DROP TRIGGER {table}_keep_{action.lower()};\n" for table in _GUARDED_TABLES for action in ("UPDATE", "DELETE")
)

_DERIVED = """
CREATE TABLE undone (decision INTEGER PRIMARY KEY);
CREATE TABLE face_now (
    face INTEGER PRIMARY KEY,
    photo INTEGER NOT NULL,
    state TEXT NOT NULL,
    person INTEGER
);
CREATE INDEX faces_of_person ON face_now (person, photo) WHERE person IS NOT NULL;
CREATE TABLE person_now (
    person INTEGER PRIMARY KEY,
    root INTEGER NOT NULL,
    name TEXT NOT NULL,
    is_hidden INTEGER NOT NULL DEFAULT 0,
    cover INTEGER,
    n_faces INTEGER NOT NULL DEFAULT 0,
    n_photos INTEGER NOT NULL DEFAULT 0
);
CREATE INDEX people_of_root ON person_now (root);
CREATE INDEX people_by_name ON person_now (name);
CREATE INDEX merged_people ON person_now (person, root) WHERE root <> person;
"""

_ANSWERS = """
CREATE TABLE answers (
    question TEXT PRIMARY KEY,
    answer TEXT NOT NULL,
    at TEXT NOT NULL,
    decision INTEGER REFERENCES decisions
) WITHOUT ROWID;
"""

_SCANNED = """
CREATE TABLE scanned_files (
    id INTEGER PRIMARY KEY,
    sha256 BLOB NOT NULL,
    path TEXT NOT NULL,
    taken TEXT NOT NULL,
    kind TEXT NOT NULL,
    width INTEGER NOT NULL,
    height INTEGER NOT NULL
);
CREATE INDEX scanned_by_hash ON scanned_files (sha256);
CREATE TABLE scanned_faces (
    row INTEGER PRIMARY KEY,
    file INTEGER NOT NULL,
    face_index INTEGER NOT NULL,
    x_min REAL NOT NULL, y_min REAL NOT NULL, x_max REAL NOT NULL, y_max REAL NOT NULL,
    time_s REAL NOT NULL,
    face INTEGER,
    cluster INTEGER NOT NULL
);
CREATE INDEX scanned_of_file ON scanned_faces (file);
CREATE INDEX scanned_of_face ON scanned_faces (face) WHERE face IS NOT NULL;
CREATE INDEX scanned_of_cluster ON scanned_faces (cluster) WHERE cluster >= 0;
"""

_PRAGMAS = (
    f"PRAGMA busy_timeout = {round(BUSY_SECONDS * 1000)}",
    "PRAGMA foreign_keys = ON",
    # A decision is on the disk when its command returns.
    "PRAGMA synchronous = FULL",
    "PRAGMA secure_delete = ON",
    "PRAGMA trusted_schema = OFF",
    "PRAGMA cell_size_check = ON",
    "PRAGMA temp_store = MEMORY",
    "PRAGMA cache_size = -65536",
)


def create_database(path: Path) -> sqlite3.Connection:
    """Make a new store at `path`, readable by its owner alone, and open it.

    Raises
    ------
    FileExistsError
        If something is there.
    OSError
        If the file cannot be made.
    """
    os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_RDWR, PRIVATE_MODE))
    connection = _connect(path, mode="rw")
    try:
        connection.execute("PRAGMA journal_mode = WAL")
        connection.executescript(
            f"BEGIN IMMEDIATE;{_JOURNAL}{GUARDS}{_DERIVED}{_ANSWERS}{_SCANNED}"
            f"PRAGMA application_id = {APPLICATION_ID}; PRAGMA user_version = {VERSION}; COMMIT;"
        )
    except BaseException:
        connection.close()
        path.unlink()
        raise
    return connection


def open_database(path: Path, *, read_only: bool = False) -> sqlite3.Connection:
    """Open a store.

    Parameters
    ----------
    path : Path
    read_only : bool
        Refuse every change; works on folders that cannot be written.

    Raises
    ------
    StoreError
        If it is no store, damaged, of a newer version, or locked for long.
    OSError
        If it is not there or cannot be read.
    """
    _check_file(path)
    if not read_only and not os.access(path, os.W_OK):
        raise PermissionError(
            errno.EACCES, "expected a file that can be written; ask its owner, or make a copy", str(path)
        )
    mode = "ro" if read_only else "rw"
    connection = _connect(path, mode=mode, immutable=read_only and not os.access(path.parent, os.W_OK))
    try:
        _check_version(connection, path)
        _check_content(connection, path)
    except sqlite3.DatabaseError as error:
        connection.close()
        raise explain_sqlite_error(error, path) from error
    except BaseException:
        connection.close()
        raise
    return connection


def back_up(connection: sqlite3.Connection, path: Path) -> None:
    """Write a whole copy of an open store to `path`, which must not be there, readable by its owner alone.

    Raises
    ------
    OSError
        If it cannot be written.
    """
    with atomic_path(path, is_private=True) as temporary, closing(sqlite3.connect(temporary)) as copy:
        connection.backup(copy)
        copy.execute("PRAGMA journal_mode = DELETE")


def check_integrity(connection: sqlite3.Connection, path: Path) -> None:
    """Check every page, index and reference of a store.

    Raises
    ------
    StoreError
        Naming the first fault.
    """
    try:
        faults = [row[0] for row in connection.execute("PRAGMA integrity_check(1)")]
        dangling = connection.execute("PRAGMA foreign_key_check").fetchone()
    except sqlite3.DatabaseError as error:
        raise explain_sqlite_error(error, path) from error
    if faults != ["ok"]:
        raise damaged(path, faults[0].replace("\n", " "))
    if dangling is not None:
        raise damaged(path, f"a row of {dangling[0]} refers to none of {dangling[2]}")


def damaged(path: Path, why: str) -> StoreError:
    """Return the error for a damaged store, which names the way back."""
    return StoreError(
        f"{display_path(path)}: expected a whole store of decisions, found a damaged one ({why}); nothing was changed, "
        "go on with the newest backup: facetable people WORKSPACE restore"
    )


def unheeded(path: Path, n_faces: int) -> UnheededError:
    """Return the error for a store in which a version before did not heed decisions, which names the repair."""
    return UnheededError(
        f"{display_path(path)}: expected what is shown to follow from the decisions, found "
        f"{pluralize(n_faces, 'face')} "
        'where a merge did not heed an earlier "is not", as in versions before; no decision is lost, put it right, '
        "undoably: facetable people WORKSPACE check --repair"
    )


def explain_sqlite_error(error: sqlite3.Error, path: Path) -> Exception:
    """Return what an error of SQLite means for the store at `path`."""
    code = getattr(error, "sqlite_errorcode", sqlite3.SQLITE_ERROR) & 0xFF
    if code in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
        return StoreBusyError(
            f"{display_path(path)}: expected to write, but another process has held the store for "
            f"{BUSY_SECONDS:.0f} s; wait for it to end and run the same command again"
        )
    if code == sqlite3.SQLITE_READONLY:
        return PermissionError(errno.EACCES, "the store cannot be written; nothing was changed", str(path))
    if code == sqlite3.SQLITE_FULL:
        return OSError(errno.ENOSPC, "no room to write the decision; nothing was changed, free some space", str(path))
    if code in (sqlite3.SQLITE_IOERR, sqlite3.SQLITE_CANTOPEN):
        return OSError(errno.EIO, f"the store could not be read or written ({error})", str(path))
    if isinstance(error, sqlite3.IntegrityError):
        return error
    return damaged(path, str(error))


def _connect(path: Path, *, mode: str, immutable: bool = False) -> sqlite3.Connection:
    uri = f"{path.resolve().as_uri()}?mode={mode}{'&immutable=1' if immutable else ''}"
    try:
        # Transactions are begun and ended by hand, so that each decision is exactly one.
        connection = sqlite3.connect(uri, uri=True, isolation_level=None, timeout=BUSY_SECONDS, check_same_thread=False)
        for pragma in _PRAGMAS:
            connection.execute(pragma)
    except sqlite3.Error as error:
        raise explain_sqlite_error(error, path) from error
    return connection


def _check_file(path: Path) -> None:
    with path.open("rb") as stream:
        beginning = stream.read(100)
    if not beginning.startswith(b"SQLite format 3\0"):
        raise StoreError(
            f"{display_path(path)}: expected a store of decisions, found {describe_kind(path)}; check the path"
        )
    if len(beginning) < 100:
        raise damaged(path, "cut off")
    page_size = int.from_bytes(beginning[16:18], "big")
    page_size = 65536 if page_size == 1 else page_size
    n_pages = int.from_bytes(beginning[28:32], "big")
    wal = path.with_name(path.name + "-wal")
    if n_pages * page_size > path.stat().st_size and not (wal.exists() and wal.stat().st_size):
        raise damaged(path, f"{path.stat().st_size:,} of {n_pages * page_size:,} bytes")


def _check_version(connection: sqlite3.Connection, path: Path) -> None:
    application = connection.execute("PRAGMA application_id").fetchone()[0]
    if application != APPLICATION_ID:
        raise StoreError(
            f"{display_path(path)}: expected a store of decisions, found another program's database; check the path"
        )
    version = connection.execute("PRAGMA user_version").fetchone()[0]
    if version > VERSION:
        raise StoreError(
            f"{display_path(path)}: expected a store of version {VERSION} or before, found {version}; "
            "update facetable to read it"
        )
    if version < 1:
        raise damaged(path, f"version {version}")


def _check_content(connection: sqlite3.Connection, path: Path) -> None:
    """Check small stores whole, large ones where a cut or an overwritten page shows first."""
    if path.stat().st_size <= _QUICK_CHECK_BYTES:
        found = connection.execute("PRAGMA quick_check(1)").fetchone()[0]
        if found != "ok":
            raise damaged(path, found.replace("\n", " "))
    newest = connection.execute("SELECT max(id) FROM decisions").fetchone()[0]
    counted = connection.execute("SELECT seq FROM sqlite_sequence WHERE name = 'decisions'").fetchone()
    if newest is not None and (counted is None or counted[0] < newest):
        raise damaged(path, f"decision {newest} was never counted")
