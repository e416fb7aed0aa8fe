"""Groups of faces as rows of CSV files: the faces with what is known of them, the groups, the figures."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from classifiers.groups.grouping import FaceTable, NamedGroups, face_keys

Row = tuple[object, ...]

CLUSTER_COLUMNS = {
    "cluster_faces": ("photo", "face", "cluster", "cluster_name", "identity", "similarity"),
    "cluster_groups": ("cluster", "cluster_name", "n_faces", "n_identities", "is_poor"),
    "cluster_rates": ("measure", "value"),
}


def cluster_rows(table: FaceTable, groups: NamedGroups, result: Mapping[str, Any]) -> dict[str, list[Row]]:
    """Return the rows of each file of `CLUSTER_COLUMNS`.

    Parameters
    ----------
    table : FaceTable
    groups : NamedGroups
        Of the table's rows.
    result : mapping
        As `classifiers.groups.summary.summarize` returns it.
    """
    faces: list[Row] = [
        (path, face, int(label), name, identity, float(score))
        for (path, face), label, name, identity, score in zip(
            face_keys(table), groups.labels, groups.names, table.identities, groups.clustering.scores, strict=True
        )
    ]
    of_groups: list[Row] = []
    for label in np.unique(groups.labels):
        inside = groups.labels == label
        names, identities = set(groups.names[inside]) - {""}, set(table.identities[inside]) - {""}
        poor = int(groups.poor[inside].all())
        of_groups.append((int(label), min(names, default=""), int(inside.sum()), len(identities), poor))
    counts = ("n_faces", "n_groups", "n_lone_faces", "n_poor_faces", "n_identified_faces", "n_splits", "n_merges")
    rates: list[Row] = [(name, result[name]) for name in (*counts, "threshold")]
    for kind in ("bcubed", "pairwise"):
        rates += [(f"{kind}_{name}", value) for name, value in (result[kind] or {}).items()]
    return {"cluster_faces": faces, "cluster_groups": of_groups, "cluster_rates": rates}
