"""A head on real photos of five people, trained once for a test run."""

import tempfile
from functools import lru_cache
from pathlib import Path

import train_classifier
from embedder import embed_folder


@lru_cache(maxsize=1)
def train_people_head(data: Path) -> Path:
    """Return a head file trained on `data`/people/train, made with the command line's own settings."""
    folder = Path(tempfile.mkdtemp(prefix="facetable-head-"))
    embed_folder(data / "people" / "train", folder / "people.h5", min_face_size="auto")
    head = folder / "people.skops"
    if train_classifier.main([str(folder / "people.h5"), "-o", str(head)]) != 0:
        raise RuntimeError("train_classifier.py failed")
    return head
