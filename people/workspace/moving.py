"""A workspace whose settings name another network than its table was made with: the table is moved to it."""

import logging
import os
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from shutil import rmtree
from typing import Any

from embedder.networks.joined import find_preset
from embedder.pipeline.runner import TellProgress, update_table
from embedder.pipeline.settings import EmbedSettings
from embedder.pipeline.summary import EmbedSummary
from embedder.tables.file import TableFileReader
from foundation.errors import FingerprintError
from foundation.fingerprint import Fingerprint, Space
from foundation.paths import display_path
from people.workspace.workspace import Workspace

logger = logging.getLogger(__name__)

_DIGITS = 12


def update_workspace_table(
    workspace: Workspace,
    settings: EmbedSettings,
    *,
    n_jobs: int,
    prune: bool,
    progress: bool | TellProgress,
    same_photos: Mapping[str, str] | None = None,
) -> EmbedSummary:
    """Bring a workspace's table up to date; where it is of another network, embed its faces with that of `settings`.

    Where other settings were changed, all photos are looked at again. With another network faces stay where they are,
    so that all decisions about them hold. Until such a move is done, the table of before is there, and a move that was
    interrupted goes on with the next scan; then it stays as ``faces-before.h5``, for it may hold faces of photos that
    are out of reach.

    Photos are known by `same_photos`, see `embedder.pipeline.runner.update_table`.

    Raises
    ------
    FacetableError, OSError
        As `embedder.embed_folder`.
    """
    photos, table = workspace.photo_folders, workspace.table
    before, wanted = _fingerprint(table), _space(settings.preset)
    # A table that names no preset was made with a network given as an object: nobody has chosen another one for it.
    if before is None or before.preset is None or before.space == wanted:
        options: dict[str, Any] = {"n_jobs": n_jobs, "prune": prune, "progress": progress}
        return _update(workspace, settings, **options, same_photos=same_photos)
    logger.info(
        "%s: its faces are embedded anew with %s, in place of %s; where they are, names and decisions stay",
        display_path(table),
        settings.preset,
        before.preset,
    )
    moved = table.with_name(f"faces-{wanted.weights_sha256[:_DIGITS]}.h5")
    moving = replace(settings, faces_from=str(table))
    summary = update_table(photos, moved, moving, n_jobs=n_jobs, prune=prune, progress=progress)
    _keep(table)
    moved.replace(table)
    return replace(summary, table=str(table))


def _update(workspace: Workspace, settings: EmbedSettings, **options: Any) -> EmbedSummary:
    """Bring the table up to date; where the settings were changed, make it anew beside the one of before."""
    photos, made_anew = workspace.photo_folders, workspace.next_table
    try:
        return update_table(photos, workspace.table, settings, **options)
    except FingerprintError:
        logger.warning(
            "the settings of the workspace have changed: all photos are looked at again; names stay, and the table of "
            "before until that is done"
        )
    try:
        summary = update_table(photos, made_anew, settings, **options)
    except FingerprintError:  # begun with settings that were changed once more
        made_anew.unlink(missing_ok=True)
        rmtree(made_anew.with_name(made_anew.name + ".parts"), ignore_errors=True)
        summary = update_table(photos, made_anew, settings, **options)
    made_anew.replace(workspace.table)
    return replace(summary, table=str(workspace.table))


def _fingerprint(table: Path) -> Fingerprint | None:
    if not table.is_file():
        return None
    with TableFileReader(table) as file:
        return file.header.fingerprint


def _space(name: str) -> Space:
    preset = find_preset(name)
    return Space({**preset.space, **preset.crop_rule.space})


def _keep(table: Path) -> None:
    """Give the content of `table` a second name; a kill leaves it under both."""
    before, temporary = (table.with_name(f"faces-before{suffix}") for suffix in (".h5", ".h5.tmp"))
    temporary.unlink(missing_ok=True)
    os.link(table, temporary)
    temporary.replace(before)
