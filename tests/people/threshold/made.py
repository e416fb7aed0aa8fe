"""A workspace whose head knows made people: vectors around directions of their own, of the default preset."""

import json
from pathlib import Path

import numpy as np

from classifiers.files.head_file import save_head
from classifiers.heads.decision_rules import NearestRule
from classifiers.heads.head import Head
from classifiers.scores.gallery import Gallery
from classifiers.scores.matcher import Matcher
from classifiers.scores.person_means import NEAREST_OR_MEAN
from classifiers.scores.preset_files import SHIPPED_FOLDER
from people.workspace.heads import with_threshold
from people.workspace.workspace import Workspace, create_workspace

RECORD = json.loads((SHIPPED_FOLDER / "704afe26766c.json").read_text())
"""What was measured for the default preset."""

_LENGTH = 512


def made_head(n_people: int, n_each: int = 3, *, spread: float = 1.0, is_measured: bool = True) -> Head:
    """Return a head of `n_people` with `n_each` faces; a network that nobody has measured without `is_measured`."""
    rng = np.random.default_rng(0)
    centres = np.repeat(rng.normal(size=(n_people, 32)), n_each, axis=0)
    vectors = np.pad(centres + rng.normal(scale=spread, size=centres.shape), ((0, 0), (0, _LENGTH - 32)))
    names = [f"Person {number:03}" for number in range(n_people) for _ in range(n_each)]
    units = (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32)
    matcher = Matcher(Gallery.build(units, names), None, person_score=NEAREST_OR_MEAN)
    space = (
        {**RECORD["space"], "weights_sha256": RECORD["weights_sha256"]}
        if is_measured
        else {"embedding_length": _LENGTH}
    )
    head = Head(matcher, NearestRule(), 0.5, fingerprint={"space": space, "provenance": {}})
    return with_threshold(head, None) if is_measured else head


def made_workspace(folder: Path, head: Head) -> Workspace:
    """Return a workspace with a head."""
    photos = folder / "photos"
    photos.mkdir()
    workspace = create_workspace(folder / "family", [photos])
    keep_head(workspace, head)
    return workspace


def keep_head(workspace: Workspace, head: Head) -> None:
    """Write a head where the workspace has it."""
    workspace.head.parent.mkdir(exist_ok=True)
    save_head(head, workspace.head)
