"""Made workspaces for studies of the page: as many faces as one likes, some named, some in groups without a name."""

from pathlib import Path

import numpy as np

from classifiers.scores.neighbors import unit_rows
from embedder.tables.table import EmbeddingTable, ImageLedger
from experiments.people_scale import FACES_A_PERSON, FACES_A_PHOTO, place, sha256_of
from foundation.fingerprint import Fingerprint
from people.store import derivation, schema
from people.store.scanned import NO_GROUP, ScannedFile
from people.store.store import PeopleStore
from people.workspace.workspace import Workspace, create_workspace

LENGTH = 512
SIZE = (4000, 3000)


def make_workspace(folder: Path, n_faces: int, *, n_people: int, n_groups: int) -> Workspace:
    """Make a workspace: `n_groups` groups of `FACES_A_PERSON` unnamed faces each, all others named.

    Group i is of person i modulo `n_people`. Photos are not there,
    and so there are no thumbnails; the table has vectors.
    """
    photos = folder.parent / f"{folder.name} photos"
    photos.mkdir()
    workspace = create_workspace(folder, [photos])
    n_named = n_faces - n_groups * FACES_A_PERSON
    people = np.arange(n_faces) // FACES_A_PERSON
    people[:n_named] %= n_people
    people[n_named:] = (people[n_named:] - n_named // FACES_A_PERSON) % n_people
    _make_decisions(workspace.store, people[:n_named])
    groups = np.full(n_faces, NO_GROUP)
    groups[n_named:] = np.arange(n_faces - n_named) // FACES_A_PERSON
    paths = [f"{photo // 1000:03}/{photo:07}.jpg" for photo in range(-(-n_faces // FACES_A_PHOTO))]
    with PeopleStore(workspace.store) as store:
        rows = np.arange(n_faces)
        store.record_table(
            [ScannedFile(path, sha256_of(i), *SIZE, "2019-06-30T12:00:00") for i, path in enumerate(paths)],
            rows // FACES_A_PHOTO,
            face_indices=rows % FACES_A_PHOTO,
            places=np.array([(*place(row), 0.0) for row in rows.tolist()]),
        )
        store.record_groups(groups)
    _write_table(workspace, people, paths, photos)
    return workspace


def person_name(number: int) -> str:
    """Return what a made person is called."""
    return f"{'ABCDEFGHIJKLMNOPQRSTUVWXYZ'[number % 26]}da Person {number}"


def _make_decisions(path: Path, people: np.ndarray) -> None:
    """Write a store in which each face has a name, one decision for each `FACES_A_PERSON` faces."""
    rows = np.arange(len(people))
    connection = schema.create_database(path)
    connection.execute("BEGIN")
    photos = [(int(photo) + 1, bytes.fromhex(sha256_of(int(photo)))) for photo in np.unique(rows // FACES_A_PHOTO)]
    connection.executemany("INSERT INTO photos VALUES (?, ?)", photos)
    connection.executemany(
        "INSERT INTO faces (photo, x_min, y_min, x_max, y_max) VALUES (?, ?, ?, ?, ?)",
        ((int(row) // FACES_A_PHOTO + 1, *place(int(row))) for row in rows),
    )
    names = ((person_name(number),) for number in range(int(people.max()) + 1))
    connection.executemany("INSERT INTO people (first_name) VALUES (?)", names)
    first = people[::FACES_A_PERSON].tolist()
    connection.executemany(
        "INSERT INTO decisions (at, by, kind, person) VALUES ('2026-01-01T00:00:00+00:00', 'made', 'is', ?)",
        ((person + 1,) for person in first),
    )
    of_face = zip((rows // FACES_A_PERSON + 1).tolist(), (rows + 1).tolist(), strict=True)
    connection.executemany("INSERT INTO decision_faces VALUES (?, ?)", of_face)
    derivation.derive_all(connection)
    connection.execute("COMMIT")
    connection.close()


def _write_table(workspace: Workspace, people: np.ndarray, paths: list[str], photos: Path) -> None:
    rng = np.random.default_rng(0)
    means = rng.standard_normal((int(people.max()) + 1, LENGTH), np.float32)
    vectors = means[people] + 0.7 * rng.standard_normal((len(people), LENGTH), np.float32)
    n, n_photos = len(people), len(paths)
    of_photo = np.arange(n) // FACES_A_PHOTO
    hashes = np.array([sha256_of(i) for i in range(n_photos)], object)
    boxes = np.array([place(row) for row in range(n)]) * np.tile(SIZE, 2)
    ledger = ImageLedger(
        path=np.array(paths, object),
        status=np.array(["ok"] * n_photos, object),
        message=np.array([""] * n_photos, object),
        n_faces=np.bincount(of_photo, minlength=n_photos),
        width=np.full(n_photos, SIZE[0]),
        height=np.full(n_photos, SIZE[1]),
        image_sha256=hashes,
        size=np.full(n_photos, 1),
        mtime_ns=np.full(n_photos, 10**18),
    )
    EmbeddingTable(
        embeddings=unit_rows(vectors).astype(np.float32),
        identities=np.array([""] * n, object),
        paths=np.array(paths, object)[of_photo],
        face_indices=np.arange(n) % FACES_A_PHOTO,
        boxes=boxes.astype(np.float32),
        landmarks=np.zeros((n, 5, 2), np.float32),
        detection_scores=np.ones(n, np.float32),
        image_sha256=hashes[of_photo],
        images=ledger,
        photo_root=str(photos),
        fingerprint=Fingerprint(space={"embedding_length": LENGTH}, provenance={"detector": "made"}),
        created="2026-01-02T03:04:05+00:00",
    ).write(workspace.table)
