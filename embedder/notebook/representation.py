"""What a table says of itself in a few lines, and in a notebook with its first faces."""

import html
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from foundation.fingerprint import Fingerprint
from foundation.text import pluralize, sanitize_for_terminal

# Faces that a notebook shows of a table.
_N_SHOWN = 12


def table_as_text(
    *, embeddings: np.ndarray, identities: np.ndarray, statuses: np.ndarray, fingerprint: Fingerprint, photo_root: str
) -> str:
    """Return two or three lines: how many faces, people and photos, of which network, and where the photos are.

    Parameters
    ----------
    embeddings : (n, d) float32
    identities : (n,) str
    statuses : (m,) str
        Of the photos.
    fingerprint : Fingerprint
    photo_root : str
        ``""`` where it is not known.
    """
    n_people = len(set(identities.tolist()) - {""})
    n_failed = int((~np.isin(statuses, ("ok", "no_face"))).sum())
    made_by = fingerprint.preset or fingerprint.space.get("vectors", "preset not said")
    lines = [
        f"EmbeddingTable: {pluralize(len(identities), 'face')}, {pluralize(n_people, 'person', 'people')}, "
        f"{pluralize(len(statuses), 'photo')}" + (f", {n_failed} of them failed" if n_failed else ""),
        f"  {embeddings.shape[1]} numbers a face, {made_by}",
    ]
    if photo_root:
        lines.append(f"  photos in {photo_root}")
    return "\n".join(sanitize_for_terminal(line) for line in lines)


def table_as_html(
    text: str, *, paths: np.ndarray, boxes: np.ndarray, identities: np.ndarray, find_photo: Callable[[Any], Path]
) -> str:
    """Return `text` and thumbnails of the first faces as HTML."""
    # Here, because the rest needs nothing that reads photos, and loading that takes time.
    from embedder.notebook.pictures import tiles

    rows = range(min(len(paths), _N_SHOWN))
    faces = [(find_photo(paths[row]), boxes[row], str(identities[row])) for row in rows]
    return f"<pre>{html.escape(text)}</pre>{tiles(faces)}"
