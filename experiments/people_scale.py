"""How fast the store of decisions is with a million faces: ``python -m experiments.people_scale [--faces N]``.

Made faces: three a photo, twenty a person, every decision names one person. Prints one line a figure.
"""

import argparse
import hashlib
import resource
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from classifiers.scores.neighbors import unit_rows
from people.store import derivation, schema
from people.store.queries import PhotoQuery
from people.store.reader import PeopleReader
from people.store.scanned import NO_GROUP, ScannedFile
from people.store.store import PeopleStore
from people.suggestions.likeness import Likeness

FACES_A_PHOTO = 3
FACES_A_PERSON = 20
ROUNDS = 20
SUGGESTED_FACES = 100_000
LENGTH = 512


def make_store(path: Path, n_faces: int) -> None:
    """Write a store in which every face has a name, as that many decisions would leave it."""
    rows = np.arange(n_faces)
    people = np.random.default_rng(0).permutation(rows) // FACES_A_PERSON
    connection = schema.create_database(path)
    connection.execute("BEGIN")
    photos = [(int(photo) + 1, bytes.fromhex(sha256_of(int(photo)))) for photo in np.unique(rows // FACES_A_PHOTO)]
    connection.executemany("INSERT INTO photos VALUES (?, ?)", photos)
    connection.executemany(
        "INSERT INTO faces (photo, x_min, y_min, x_max, y_max) VALUES (?, ?, ?, ?, ?)",
        ((int(row) // FACES_A_PHOTO + 1, *place(int(row))) for row in rows),
    )
    n_people = int(people.max()) + 1
    connection.executemany("INSERT INTO people (first_name) VALUES (?)", ((f"Person {i}",) for i in range(n_people)))
    connection.executemany(
        "INSERT INTO decisions (at, by, kind, person) VALUES ('2026-01-01T00:00:00+00:00', 'made', 'is', ?)",
        ((i + 1,) for i in range(n_people)),
    )
    connection.executemany(
        "INSERT INTO decision_faces VALUES (?, ?)", zip((people + 1).tolist(), (rows + 1).tolist(), strict=True)
    )
    derivation.derive_all(connection)
    connection.execute("COMMIT")
    connection.close()


def sha256_of(photo: int) -> str:
    """Return a hash for a made photo."""
    return hashlib.sha256(str(photo).encode()).hexdigest()


def place(row: int, shift: float = 0.0) -> tuple[float, float, float, float]:
    """Return the box of a made face, moved by `shift`."""
    left = 0.05 + 0.3 * (row % FACES_A_PHOTO) + shift
    return left, 0.2, left + 0.2, 0.5


def record_table(store: PeopleStore, n_faces: int) -> None:
    """Match all faces of a table whose boxes lie a little elsewhere, as another detector would find them."""
    rows = np.arange(n_faces)
    files = [
        ScannedFile(f"{photo // 1000}/{photo}.jpg", sha256_of(photo), 4000, 3000, "2019-06-30T12:00:00")
        for photo in range(-(-n_faces // FACES_A_PHOTO))
    ]
    places = np.array([(*place(row, 0.02), 0.0) for row in rows.tolist()])
    missing = store.record_table(files, rows // FACES_A_PHOTO, face_indices=rows % FACES_A_PHOTO, places=places)
    if missing:
        raise RuntimeError(f"expected every face to be found again, {missing:,} were not")
    store.record_groups(np.full(n_faces, NO_GROUP))


def timed(what: str, run: Callable[[], Any], *, rounds: int = 1) -> Any:
    """Run, print the median of the seconds it took, and return its result."""
    seconds = []
    for _ in range(rounds):
        begun = time.perf_counter()
        result = run()
        seconds.append(time.perf_counter() - begun)
    print(f"{what}: {np.median(seconds):.4f} s (at most {max(seconds):.4f})", flush=True)
    return result


def main() -> None:
    """Make a store and print how long each thing takes."""
    parser = argparse.ArgumentParser(description="Speed of the store of decisions.")
    parser.add_argument("--faces", type=int, default=1_000_000)
    n_faces = parser.parse_args().faces
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "people.sqlite"
        timed("make the store", lambda: make_store(path, n_faces))
        print(f"{n_faces:,} faces of {-(-n_faces // FACES_A_PERSON):,} people, {path.stat().st_size / 2**20:.0f} MB")
        with PeopleStore(path) as store:
            timed("match all faces after embedding again", lambda: record_table(store, n_faces))
        timed("open", lambda: PeopleReader(path).close(), rounds=ROUNDS)
        with PeopleStore(path) as store:
            people = timed("list people", store.people, rounds=ROUNDS)
            one, two = people[0].number, people[1].number
            timed("find two together", lambda: store.find_photos(PhotoQuery((one, two))), rounds=ROUNDS)
            timed("find one", lambda: store.find_photos(PhotoQuery((one,))), rounds=ROUNDS)
            face = store.faces_of(two)[0]
            timed("name a face", lambda: store.name([face], "Person 7"), rounds=ROUNDS)
            timed("undo", store.undo, rounds=ROUNDS)
            timed("merge two people", lambda: store.merge(one, two))
            timed("undo the merge", store.undo)
        print(f"peak memory so far: {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20:.2f} GB")
        vectors = unit_rows(np.random.default_rng(1).standard_normal((SUGGESTED_FACES, LENGTH)).astype(np.float32))
        sets = np.array_split(np.arange(SUGGESTED_FACES), SUGGESTED_FACES // 10)
        likeness = timed(
            f"compare {len(sets):,} sets of {SUGGESTED_FACES:,} faces: means",
            lambda: Likeness.measure(vectors, sets, None),
        )
        timed("compare them: pairs", lambda: likeness.pairs_above(likeness.threshold - 0.12))
        print(f"peak memory: {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20:.2f} GB")


if __name__ == "__main__":
    main()
