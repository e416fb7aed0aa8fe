"""Heads of the people of a workspace: what was denied of faces, and whether a head is older than the decisions."""

from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING

import numpy as np

from classifiers.heads.decision_rules import NearestRule
from classifiers.heads.head import Head
from classifiers.scores.gallery import Gallery
from classifiers.scores.same_faces import same_face_pairs
from classifiers.scores.thresholds import curve_for
from classifiers.training.calibration import choose_threshold
from foundation.paths import display_path
from people.store.reader import PeopleReader
from people.workspace.workspace import Workspace

if TYPE_CHECKING:
    from embedder.tables.table import EmbeddingTable

Denials = Sequence[tuple[int, str]]
"""Row of a table, and the person who is not seen there."""


def with_denials(head: Head, table: "EmbeddingTable", denials: Denials) -> Head:
    """Return a head that also knows who faces of a table are not, as far as it knows the people."""
    labels = set(head.labels)
    known = [(row, name) for row, name in denials if name in labels]
    if not known:
        return head
    rows = np.array([row for row, _ in known])
    denied = Gallery.build(
        table.embeddings[rows],
        [name for _, name in known],
        paths=table.paths[rows],
        image_sha256=table.image_sha256[rows],
        boxes=table.boxes[rows],
    )
    first, second = same_face_pairs(denied, head.rejections)
    is_new = np.ones(len(denied), np.bool_)
    is_new[first[denied.identities[first] == head.rejections.identities[second]]] = False
    return head.replaced(rejections=head.rejections.added(denied.selected(is_new)))


def with_threshold(head: Head, threshold: float | None) -> Head:
    """Return a workspace's head with another threshold, None for the one it would have if nobody had chosen any.

    Raises
    ------
    ThresholdError
        If it would have none, because nothing was measured for its network and too few people are named.
    """
    curve = curve_for(head.fingerprint, head.matcher.background)
    record = choose_threshold(head.matcher, lambda _: NearestRule(), threshold=threshold, curve=curve)
    return head.replaced(threshold_record=record)


def outdated_note(workspace: Workspace) -> str | None:
    """Return in one line that people were decided about since the head was made, None if nobody was."""
    if not workspace.head.is_file():
        return None
    with PeopleReader(workspace.store) as reader:
        newest = reader.history(limit=1)
    if not newest or datetime.fromisoformat(newest[0].at).timestamp() <= workspace.head.stat().st_mtime:
        return None
    folder = display_path(workspace.folder)
    return f"{folder}: its head is older than the newest decision; facetable scan {folder} brings it up to date"
