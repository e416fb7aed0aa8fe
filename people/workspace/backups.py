"""Copies of the decisions, and the way back to one."""

import shutil
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

from foundation.atomic import atomic_path
from foundation.paths import display_path
from people.errors import StoreError, UnheededError
from people.store.reader import PeopleReader
from people.workspace.workspace import Workspace

_SUFFIX = ".sqlite"
_BEFORE_SCAN = "before-scan-"
_KEPT = 10


def back_up(workspace: Workspace, reader: PeopleReader) -> Path:
    """Copy the decisions of a workspace into its backups and return where they are.

    Raises
    ------
    OSError
        If the copy cannot be written.
    """
    workspace.backups.mkdir(mode=0o700, exist_ok=True)
    copy = workspace.backups / f"people-{_now()}-{reader.revision}{_SUFFIX}"
    if not copy.exists():
        reader.back_up(copy)
    return copy


def back_up_before_scan(workspace: Workspace, reader: PeopleReader) -> None:
    """Copy the decisions of a workspace if there are new ones, and keep the newest `_KEPT` such copies.

    Copies that somebody asked for by `back_up` have other names and are never removed.

    Raises
    ------
    OSError
        If the copy cannot be written.
    """
    if reader.revision == 0:
        return
    workspace.backups.mkdir(mode=0o700, exist_ok=True)
    copy = workspace.backups / f"{_BEFORE_SCAN}{reader.revision:08d}{_SUFFIX}"
    if not copy.exists():
        reader.back_up(copy)
    for old in sorted(workspace.backups.glob(f"{_BEFORE_SCAN}*{_SUFFIX}"))[:-_KEPT]:
        old.unlink()


def restore(workspace: Workspace, backup: Path | None = None) -> list[str]:
    """Put a copy in the place of the decisions, which are kept beside it; return what was done, in lines.

    Raises
    ------
    StoreError
        If there is no copy, or it is damaged itself.
    OSError
        If it cannot be read, or the workspace not be written.
    """
    chosen = _newest(workspace) if backup is None else backup
    with PeopleReader(chosen) as reader:
        with suppress(UnheededError):  # its decisions are whole
            reader.check()
        n_decisions = reader.revision
    lines = []
    for suffix in ("", "-wal", "-shm"):
        there = workspace.store.with_name(workspace.store.name + suffix)
        if there.exists():
            aside = there.with_name(f"{workspace.store.name}.before-{_now()}{suffix}")
            there.rename(aside)
            if not suffix:
                lines.append(f"kept what was there as {display_path(aside)}")
    with atomic_path(workspace.store, is_private=True) as temporary:
        shutil.copyfile(chosen, temporary)
    return [f"restored {n_decisions:,} decisions from {display_path(chosen)}", *lines]


def _newest(workspace: Workspace) -> Path:
    copies = sorted(workspace.backups.glob(f"*{_SUFFIX}"), key=lambda copy: copy.stat().st_mtime)
    if not copies:
        raise StoreError(
            f"{display_path(workspace.backups)}: expected a copy of the decisions, found none; name a file"
        )
    return copies[-1]


def _now() -> str:
    return datetime.now(UTC).strftime("%Y%m%dT%H%M%SZ")
