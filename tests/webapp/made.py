"""A small workspace without networks: drawn faces on drawn photos, recorded as a scan would."""

from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw

from classifiers.files.head_file import save_head
from classifiers.training.train import train_head
from embedder.tables.table import EmbeddingTable, ImageLedger
from foundation.fingerprint import Fingerprint
from foundation.formats import hash_file
from people.store.records import Face
from people.store.scanned import ScannedFile
from people.store.store import PeopleStore
from people.workspace.table_rows import read_named_table
from people.workspace.workspace import Workspace, create_workspace

HOSTILE = '<img src=x onerror=alert(1)> "O\'Neil" & Söhne'
"""A name that would do harm as HTML."""

SIZE = (640, 480)
N_CROWD = 260


def draw_photo(path: Path, colour: tuple[int, int, int], centres: list[tuple[float, float]], radius: float) -> None:
    """Draw round faces at places in fractions of the photo; `radius` in fractions of its height."""
    photo = Image.new("RGB", SIZE, colour)
    draw = ImageDraw.Draw(photo)
    r = radius * SIZE[1]
    for x, y in centres:
        cx, cy = x * SIZE[0], y * SIZE[1]
        draw.ellipse((cx - r, cy - r, cx + r, cy + r), fill=(226, 188, 160))
        for side in (-1, 1):
            draw.ellipse((cx + side * r / 2.5 - r / 8, cy - r / 4, cx + side * r / 2.5 + r / 8, cy), fill=(40, 30, 30))
        draw.arc((cx - r / 2, cy - r / 4, cx + r / 2, cy + r / 1.6), 20, 160, fill=(120, 40, 40), width=2)
    path.parent.mkdir(parents=True, exist_ok=True)
    photo.save(path, exif=b"Exif\x00\x00MM\x00*\x00\x00\x00\x08\x00\x00\x00\x00\x00\x00")


def make_photos(folder: Path) -> None:
    """Draw nine photos of two faces each, and one of a crowd."""
    for i in range(9):
        colour = (30 * i, 120, 200 - 20 * i)
        draw_photo(folder / f"album <{i // 3}>" / f"{i}.png", colour, [(0.3, 0.5), (0.7, 0.5)], 0.2)
    crowd = [((i % 20 + 0.5) / 20, (i // 20 + 0.5) / 13) for i in range(N_CROWD)]
    draw_photo(folder / "crowd.png", (90, 110, 90), crowd, 0.03)


def make_workspace(folder: Path, photos: Path) -> Workspace:
    """Make a workspace: Ada has 6 faces, Bob 3, one of a hostile name 260, three faces are a group, six are alone."""
    workspace = create_workspace(folder, [photos])
    with PeopleStore(workspace.store, create=True, by="test") as store:
        faces = record_photos(store, photos)
        store.name(faces[0:12:2], "Ada")
        store.name(faces[12:18:2], "Bob")
        store.name(faces[18:], HOSTILE)
        groups = np.full(len(faces), -1)
        groups[[1, 3, 5]] = 0
        store.record_groups(groups)
    return workspace


def record_photos(store: PeopleStore, photos: Path) -> list[Face]:
    """Record the photos as `make_photos` drew them; return their faces."""
    paths = sorted(photos.rglob("*.png"))
    files = [ScannedFile(path.relative_to(photos).as_posix(), hash_file(path), *SIZE) for path in paths]
    rows = [(i, box) for i, path in enumerate(paths) for box in boxes_of(path)]
    store.record_table(
        files,
        np.array([file for file, _ in rows]),
        face_indices=np.array([sum(other == file for other, _ in rows[:row]) for row, (file, _) in enumerate(rows)]),
        places=np.array([[*box, 0.0] for _, box in rows]),
    )
    return [face.face for face in store.faces_in_table()]


def boxes_of(path: Path) -> list[tuple[float, float, float, float]]:
    if path.name == "crowd.png":
        places = [((i % 20 + 0.5) / 20, (i // 20 + 0.5) / 13) for i in range(N_CROWD)]
        return [(x - 0.02, y - 0.03, x + 0.02, y + 0.03) for x, y in places]
    return [(x - 0.15, 0.3, x + 0.15, 0.7) for x in (0.3, 0.7)]


def add_table(workspace: Workspace, photos: Path, *, alike: float = 0.0) -> None:
    """Write a table with made vectors: left faces, Ada's and Bob's, look like each other, the crowd like nobody.

    So do right ones, and `alike` says how much they look like the left ones.
    """
    rng = np.random.default_rng(0)
    with PeopleStore(workspace.store) as store:
        faces = store.faces_in_table()
    centre = {0.3: 0, 0.7: 1}
    vectors = rng.normal(scale=0.15, size=(len(faces), 16))
    for row, face in enumerate(faces):
        middle = round((face.face.box[0] + face.face.box[2]) / 2, 1)
        vectors[row, centre[middle] if face.path != "crowd.png" else 2 + row % 14] += 1
        if middle == 0.7 and face.path != "crowd.png":
            vectors[row, 0] += alike
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    paths = sorted({face.path for face in faces})
    hash_of = {face.path: face.face.photo_sha256 for face in faces}
    counts = [sum(face.path == path for face in faces) for path in paths]
    n = len(faces)
    EmbeddingTable(
        embeddings=vectors.astype(np.float32),
        identities=np.array([""] * n, object),
        paths=np.array([face.path for face in faces], object),
        face_indices=np.array([face.face_index for face in faces]),
        boxes=np.array([face.box for face in faces], np.float32),
        landmarks=np.zeros((n, 5, 2), np.float32),
        detection_scores=np.ones(n, np.float32),
        image_sha256=np.array([face.face.photo_sha256 for face in faces], object),
        images=ImageLedger(
            path=np.array(paths, object),
            status=np.array(["ok"] * len(paths), object),
            message=np.array([""] * len(paths), object),
            n_faces=np.array(counts),
            width=np.full(len(paths), SIZE[0]),
            height=np.full(len(paths), SIZE[1]),
            image_sha256=np.array([hash_of[path] for path in paths], object),
            size=np.full(len(paths), 1),
            mtime_ns=np.full(len(paths), 10**18),
        ),
        photo_root=str(photos),
        fingerprint=Fingerprint(space={"embedding_length": 16}, provenance={"detector": "made"}),
        created="2026-01-02T03:04:05+00:00",
    ).write(workspace.table)


def add_head(workspace: Workspace) -> None:
    """Train the workspace's head on its named faces."""
    named, _ = read_named_table(workspace.folder)
    workspace.head.parent.mkdir(exist_ok=True)
    save_head(train_head(named, threshold=0.5), workspace.head)
