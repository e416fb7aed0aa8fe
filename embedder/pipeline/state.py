"""What a table and its part files hold when a run begins, and whether this run may go on with it."""

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from embedder.pipeline.stored_faces import check_continued
from embedder.tables.assembly import Entry, path_order, read_entries, without_damaged
from embedder.tables.file import Header, TableFileReader
from embedder.tables.parts import PartsFolder
from foundation.errors import FingerprintError
from foundation.fingerprint import (
    device_differences,
    followed_fields,
    same_settings,
    setting_differences,
    version_differences,
)
from foundation.paths import display_path
from foundation.text import pluralize

logger = logging.getLogger(__name__)

# How many photos of a table are looked for in a folder that may be a copy of the table's own.
_N_LOOKED_FOR = 200


@dataclass(frozen=True)
class TableState:
    """Header and ledger entries of a table and its part files.

    Attributes
    ----------
    header : Header or None
        Of the finished table, None if there is none.
    known : dict
        The entry of each path, in path order; a part's wins over the finished table's.
    is_whole : bool
        Whether the finished table holds no vector that it must not, so that it may stay as it is.
    is_renamed : bool
        Whether the finished table or a part file was named by another identity rule than that of this run.
    """

    header: Header | None
    known: dict[str, Entry]
    is_whole: bool = True
    is_renamed: bool = False


def header_before(parts: PartsFolder) -> Header | None:
    """Return the header of the table of `parts` or, where there is none yet, of a part file; None for a new table.

    Raises
    ------
    TableError
        If the file is damaged or something else.
    """
    for source in [parts.table] if parts.table.exists() else parts.parts()[:1]:
        with TableFileReader(source) as file:
            return file.header
    return None


def load_state(parts: PartsFolder, header: Header) -> TableState:
    """Return what the table of `parts` and its part files hold.

    Parameters
    ----------
    parts : PartsFolder
        Locked. Parts that are in the finished table already are deleted from it.
    header : Header
        Of the run that begins.

    Raises
    ------
    FingerprintError
        If something there was made with other settings, or from another folder, which still exists and of which the new
        one is no copy.
    TableError
        If the finished table is damaged or something else; single vectors that no table may hold are only dropped,
        with a warning.
    """
    before: Header | None = None
    found: list[tuple[Path, Header, list[Entry]]] = []
    if parts.table.exists():
        before, entries = read_entries(parts.table)
        found.append((parts.table, before, entries))
    for part in parts.parts():
        part_header, entries = read_entries(part)
        if before is not None and part_header.created <= before.created:
            part.unlink()  # a run that was killed between finishing the table and deleting its parts
            continue
        found.append((part, part_header, entries))
    for source, source_header, entries in found:
        is_same_root = _are_same_folders(source_header.all_roots, header.all_roots, entries)
        _check_same_settings(source, source_header, header, table=parts.table, is_same_root=is_same_root)
        if source != parts.table:
            check_continued(source_header, header, source=source)
    known: dict[str, Entry] = {}
    is_whole = True
    for source, _, entries in found:
        sound = without_damaged(source, entries)
        is_whole &= source != parts.table or len(sound) == len(entries)
        known |= {entry.path: entry for entry in sound}
    headers = [(source, source_header) for source, source_header, _ in found]
    _warn_of_versions(headers, header)
    return TableState(
        before,
        {path: known[path] for path in sorted(known, key=path_order)},
        is_whole,
        is_renamed=any(_identity_rule(one) != _identity_rule(header) for _, one in headers),
    )


def entries_of(parts: PartsFolder, names: list[str]) -> list[Entry]:
    """Return the entries that the part files hold for `names`, the newest of each.

    Raises
    ------
    ChildProcessError
        If there is none for a name: a worker has not done its share.
    """
    found = {entry.path: entry for part in parts.parts() for entry in read_entries(part)[1]}
    missing = [name for name in names if name not in found]
    if missing:
        raise ChildProcessError(
            f"{parts.table}: expected {pluralize(len(names), 'photo')} from the workers, "
            f"{len(missing):,} missing, the first {missing[0]}; run the same command again to go "
            "on"
        )
    return [found[name] for name in names]


def _check_same_settings(source: Path, before: Header, header: Header, *, table: Path, is_same_root: bool) -> None:
    differences = setting_differences(before.fingerprint, header.fingerprint)
    if not is_same_root:
        differences.append(f"photo folder {', '.join(before.all_roots)} before, {', '.join(header.all_roots)} now")
    if differences:
        begin_anew = "" if source == table else f" or delete {display_path(source.parent)} to begin anew"
        is_other = before.fingerprint.space.weights_sha256 != header.fingerprint.space.weights_sha256
        move = f" (with --from {display_path(table)} no face is looked for again)" if is_other and is_same_root else ""
        wanted = same_settings(before.fingerprint, header.fingerprint) if is_same_root else ""
        go_on = f"to go on pass {wanted}; otherwise " if wanted else ""
        raise FingerprintError(
            f"{display_path(table)}: expected the settings it was begun with, found other ones: "
            f"{'; '.join(differences)}; {go_on}give another -o{begin_anew}{move}"
        )


def _identity_rule(header: Header) -> object:
    return followed_fields(header.fingerprint).get("identity_from")


def _are_same_folders(before: Sequence[str], now: Sequence[str], entries: Sequence[Entry]) -> bool:
    """Return whether the folders of now are those of before, moved or copied, whose photos are `entries`."""
    if set(before) == set(now):
        return True
    if len(before) != len(now):
        return False
    if all(not Path(old).is_dir() or any(_is_same_folder(Path(old), new) for new in now) for old in before):
        return True
    return _hold_most_of(entries[:: -(-len(entries) // _N_LOOKED_FOR) or 1], now)


def _hold_most_of(entries: Sequence[Entry], folders: Sequence[str]) -> bool:
    """Return whether most of the photos lie in `folders` under the same path, of the same size."""
    n_found = sum(any(_has_size(Path(folder, entry.path), entry.size) for folder in folders) for entry in entries)
    return 2 * n_found > len(entries)


def _has_size(photo: Path, size: int) -> bool:
    try:
        return photo.stat().st_size == size
    except OSError:
        return False


def _is_same_folder(folder: Path, other: str) -> bool:
    try:
        return folder.samefile(other)
    except OSError:
        return False


def _warn_of_versions(headers: list[tuple[Path, Header]], header: Header) -> None:
    for source, before in headers:
        versions = version_differences(before.fingerprint, header.fingerprint)
        devices = device_differences(before.fingerprint, header.fingerprint)
        if versions or devices:
            how = "with other package versions" if versions else "on another device"
            logger.warning(
                "%s: made %s: %s; its vectors are kept", display_path(source), how, ", ".join(versions + devices)
            )
            return
