"""Summarize a clustering in figures, as JSON and as text."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from classifiers.groups.grouping import FaceTable, NamedGroups
from classifiers.groups.metrics import bcubed, corrections, pairwise
from classifiers.people_files.cannot_links import Rows
from foundation.text import pluralize

# Most changes, and most numbers of groups in one line, that are listed.
_MAX_LISTED = 20


def summarize(table: FaceTable, groups: NamedGroups, *, albums: Sequence[str] = ()) -> dict[str, Any]:
    """Return the figures of a clustering, ready for JSON; those that need identities are null without any.

    Identities that are `albums` say nothing about people; where they have most of the faces, none of them does.
    """
    sizes = np.unique(groups.labels[~groups.poor], return_counts=True)[1]
    result: dict[str, Any] = {
        "n_faces": len(groups.labels),
        "n_groups": len(sizes),
        "n_lone_faces": int((sizes == 1).sum()),
        "n_poor_faces": int(groups.poor.sum()),
        "n_named_faces": int((groups.names != "").sum()),
        "method": groups.clustering.method,
        "threshold": groups.clustering.threshold,
        "normalized": groups.clustering.normalized,
        "n_identified_faces": 0,
        "bcubed": None,
        "pairwise": None,
        "n_splits": None,
        "n_merges": None,
        "changes": groups.changes,
        "albums": list(albums),
    }
    identified = table.identities != ""
    of_albums = np.isin(table.identities, list(albums))
    if 2 * of_albums.sum() > identified.sum():
        identified[:] = False
    identified &= ~of_albums
    if identified.any():
        truth, labels = table.identities[identified], _without_poor_group(groups)[identified]
        needed = corrections(truth, labels)
        result |= {
            "n_identified_faces": int(identified.sum()),
            "bcubed": bcubed(truth, labels)._asdict(),
            "pairwise": pairwise(truth, labels)._asdict(),
            **needed._asdict(),
        }
    return result


def _without_poor_group(groups: NamedGroups) -> Rows:
    """Return the labels (n,) with each face that is too poor to be told apart alone: together they are nobody."""
    labels = groups.labels.copy()
    labels[groups.poor] = labels.max(initial=0) + 1 + np.arange(groups.poor.sum())
    return labels


def report(result: Mapping[str, Any]) -> list[str]:
    """Return the figures of `summarize` as lines of text."""
    kind = "normalized similarity" if result["normalized"] else "cosine"
    lines = [
        f"{pluralize(result['n_faces'], 'face')} in {pluralize(result['n_groups'], 'group')}, "
        f"{pluralize(result['n_lone_faces'], 'lone face')} among them "
        f"(method {result['method']}, threshold {result['threshold']:.3f} of {kind})"
    ]
    if result["n_poor_faces"]:
        lines.append(
            f"{pluralize(result['n_poor_faces'], 'face')} too blurred or too small to be told apart: in a group of "
            "their own, poor (--keep-poor groups them like the others)"
        )
    if result["bcubed"] is not None:
        lines.append(f"against the identities of {pluralize(result['n_identified_faces'], 'face')}:")
        lines += [
            f"  {title:8} precision {rates['precision']:.4f}, recall {rates['recall']:.4f}, F {rates['f']:.4f}"
            for title, rates in (("BCubed", result["bcubed"]), ("pairwise", result["pairwise"]))
        ]
        lines.append(
            f"  to put it right: {pluralize(result['n_splits'], 'split')} and {pluralize(result['n_merges'], 'merge')}"
        )
    if result["changes"] is not None:
        lines += _report_changes(result["changes"], result["n_named_faces"])
    return lines


def _report_changes(changes: Mapping[str, Any], n_named: int) -> list[str]:
    lines = [
        f"since the last run: {pluralize(changes['n_new_faces'], 'new face')}, {changes['n_gone_faces']:,} gone, "
        f"{changes['n_moved_faces']:,} in another group; with a name: {n_named:,}, "
        f"{changes['n_newly_named_faces']:,} of them newly"
    ]
    if changes["n_refused_faces"]:
        lines.append(f"  {pluralize(changes['n_refused_faces'], 'face')} taken out of a named group (column is_not)")
    lines += [f"  group {old} falls into {_listed(new)}" for old, new in changes["split_groups"].items()]
    lines += [f"  groups {_listed(old)} come together in {new}" for new, old in changes["merged_groups"].items()]
    lines += [f"  group {group} gains {pluralize(count, 'face')}" for group, count in changes["grown_groups"].items()]
    if changes["new_groups"]:
        lines.append(f"  new groups: {_listed(changes['new_groups'])}")
    n_more = len(lines) - 1 - _MAX_LISTED
    return lines if n_more <= 0 else [*lines[: _MAX_LISTED + 1], f"  and {pluralize(n_more, 'more change')}"]


def _listed(numbers: Sequence[int]) -> str:
    more = len(numbers) - _MAX_LISTED
    return ", ".join(map(str, numbers[:_MAX_LISTED])) + (f" and {more:,} more" if more > 0 else "")
