"""A map of an embedding table: faces that are alike lie near each other.

::

    python -m experiments.embedding_map faces.h5 -o map.png [--photos DIR] [--method tsne|pca] [--max-faces 400]

Every face is drawn as a thumbnail in a frame of its identity's colour (grey: nobody has named it). t-SNE (van der
Maaten & Hinton, JMLR 9, 2008) shows neighbourhoods well and distances badly; ``pca`` the other way round.
"""

import argparse
import logging
import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from foundation.command_line import EXIT_DONE, run_script
from foundation.errors import InputError
from foundation.paths import check_folder
from foundation.text import pluralize

logger = logging.getLogger(__name__)

METHODS = ("tsne", "pca")
_SIDE = 2400
_THUMBNAIL = 64
_FRAME = 4
_NOBODY = (150, 150, 150)
_PERPLEXITY = 30.0


def _add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("table", type=Path, metavar="TABLE", help="embedding table (faces.h5)")
    parser.add_argument("-o", "--out", type=Path, required=True, metavar="FILE", help="the picture (PNG)")
    parser.add_argument(
        "--photos", type=Path, metavar="DIR", help="where the photos are now (default: as in the table)"
    )
    parser.add_argument("--method", choices=METHODS, default="tsne", help="(default: tsne)")
    parser.add_argument(
        "--max-faces",
        type=int,
        default=400,
        metavar="N",
        help="of a larger table, people with the most faces are drawn (default: 400)",
    )
    parser.add_argument(
        "--per-person", type=int, default=12, metavar="N", help="at most so many faces of a person (default: 12)"
    )
    parser.add_argument("--seed", type=int, default=0, metavar="N")


def _run(arguments: argparse.Namespace) -> int:
    from embedder.tables.table import EmbeddingTable

    check_folder(arguments.photos, "--photos")
    table = EmbeddingTable.read(arguments.table)
    if len(table) < 3:
        raise InputError(
            f"{arguments.table}: expected at least 3 faces to lay out, got {len(table)}; embed more photos"
        )
    table = table.select(
        choose_faces(table.identities.tolist(), arguments.max_faces, per_identity=arguments.per_person)
    )
    places = lay_out(table.embeddings, method=arguments.method, seed=arguments.seed)
    root = Path(table.photo_root) if arguments.photos is None else arguments.photos
    thumbnails = [_thumbnail(root / str(path), box) for path, box in zip(table.paths, table.boxes, strict=True)]
    draw_map(places, thumbnails, table.identities.tolist(), arguments.out)
    n_identities = len(set(table.identities.tolist()) - {""})
    print(f"{arguments.out}: {pluralize(len(table), 'face')} of {pluralize(n_identities, 'identity', 'identities')}")
    return EXIT_DONE


def choose_faces(identities: Sequence[str], n_faces: int, *, per_identity: int) -> np.ndarray:
    """Return which faces to draw, bool (n,): identities with most faces first, the unnamed faces last.

    >>> choose_faces(["", "ann", "bob", "bob", "bob"], 3, per_identity=2).tolist()
    [False, True, True, True, False]
    """
    found = np.asarray(identities, dtype=object).astype(str)
    names, counts = np.unique(found, return_counts=True)
    order = sorted(range(len(names)), key=lambda i: (names[i] == "", -counts[i], names[i]))
    rows = np.concatenate([np.flatnonzero(found == names[i])[:per_identity] for i in order])
    return np.isin(np.arange(len(found)), rows[:n_faces])


def lay_out(embeddings: np.ndarray, *, method: str = "tsne", seed: int = 0) -> np.ndarray:
    """Return a place in the unit square, float (n, 2), for each of at least three embeddings (n, d)."""
    from sklearn.decomposition import PCA
    from sklearn.manifold import TSNE

    if method == "pca":
        places = PCA(2, random_state=seed).fit_transform(embeddings)
    else:
        perplexity = min(_PERPLEXITY, (len(embeddings) - 1) / 3)
        places = TSNE(2, perplexity=perplexity, init="pca", metric="cosine", random_state=seed).fit_transform(
            embeddings
        )
    low, high = places.min(axis=0), places.max(axis=0)
    return (places - low) / np.maximum(high - low, 1e-12)


def draw_map(places: np.ndarray, thumbnails: Sequence[np.ndarray], identities: Sequence[str], path: Path) -> None:
    """Write a picture with each uint8 RGB thumbnail at its place (n, 2) in the unit square.

    Raises
    ------
    OSError
        If the picture cannot be written.
    """
    from PIL import Image

    canvas = np.full((_SIDE, _SIDE, 3), 255, np.uint8)
    colours = _colours(identities)
    size = _THUMBNAIL + 2 * _FRAME
    for place, thumbnail, identity in zip(places, thumbnails, identities, strict=True):
        left, top = (place * (_SIDE - size)).astype(int)
        canvas[top : top + size, left : left + size] = colours[identity]
        canvas[top + _FRAME : top + size - _FRAME, left + _FRAME : left + size - _FRAME] = thumbnail
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(canvas).save(path)


def _thumbnail(path: Path, box: np.ndarray) -> np.ndarray:
    """Return the face as uint8 (64, 64, 3); a grey tile where the photo is gone or unreadable."""
    from embedder.detection.faces import Faces
    from embedder.errors import ImageError
    from embedder.images.reading import read_image

    try:
        image = read_image(path)
    except (OSError, ImageError) as error:
        logger.warning("%s: %s; drawn as a grey tile", path, error)
        return np.full((_THUMBNAIL, _THUMBNAIL, 3), 200, np.uint8)
    face = Faces(np.asarray(box, np.float32)[None], np.zeros((1, 5, 2), np.float32), np.ones(1, np.float32))
    return face.crop(image, size=_THUMBNAIL, margin=32)[0]


def _colours(identities: Sequence[str]) -> dict[str, tuple[int, int, int]]:
    """Return a colour for each identity, all as far apart in hue as they can be."""
    import colorsys

    names = sorted(set(identities) - {""})
    colours = {name: colorsys.hsv_to_rgb(i / len(names), 0.9, 0.85 if i % 2 else 0.6) for i, name in enumerate(names)}
    scaled = {name: (int(255 * red), int(255 * green), int(255 * blue)) for name, (red, green, blue) in colours.items()}
    return scaled | {"": _NOBODY}


if __name__ == "__main__":
    sys.exit(
        run_script(
            "python -m experiments.embedding_map", "Draw a map of an embedding table.", _add_arguments, _run, argv=None
        )
    )
