"""Bring a workspace up to date: new photos, whose faces they show, groups of the unnamed, a head of the named."""

import logging
from dataclasses import asdict, dataclass, field, replace
from typing import Any

import numpy as np
from filelock import FileLock, Timeout

from classifiers.errors import IdentityError, ThresholdError
from classifiers.files.head_file import save_head
from classifiers.scores.normalization import Background, choose_background
from classifiers.training.calibration import MIN_IDENTITIES
from classifiers.training.train import train_head
from embedder.networks.presets import DEFAULT_PRESET
from embedder.pipeline.runner import TellProgress
from embedder.pipeline.settings import EmbedSettings
from embedder.tables.table import EmbeddingTable
from foundation.paths import display_path
from foundation.text import pluralize
from people.errors import PersonError, WorkspaceError
from people.store.scanned import NO_GROUP
from people.store.store import PeopleStore
from people.workspace.added_faces import update_added_faces
from people.workspace.backups import back_up_before_scan
from people.workspace.grouping import Decided, group_faces
from people.workspace.heads import Denials, with_denials, with_threshold
from people.workspace.moving import update_workspace_table
from people.workspace.table_rows import read_names, record_table
from people.workspace.workspace import SETTINGS_FILE, Workspace

logger = logging.getLogger(__name__)

_IMPORT = "import of folders"


@dataclass(frozen=True)
class ScanReport:
    """What a scan found.

    Attributes
    ----------
    n_photos, n_embedded, n_failed : int
        Files, how many of them were looked at just now, and how many could not be read.
    n_faces, n_named, n_settled : int
        Faces in the table; how many have a name; how many are nobody's, or no face.
    n_imported : int
        Faces that got the name of their folder just now.
    n_groups, n_grouped : int
        Groups that hold unnamed faces, and the unnamed faces in them.
    n_people : int
        People with a face.
    n_out_of_table : int
        Faces with decisions that the table does not hold, because their photo is gone or they are none.
    has_head : bool
        Whether there is a head of the named people.
    n_gone : int
        Deleted and excluded photos that the table still holds.
    failures : list of dict
        ``path``, ``status`` and ``message`` of every file that could not be read.
    """

    n_photos: int
    n_embedded: int
    n_failed: int
    n_faces: int
    n_named: int
    n_settled: int
    n_imported: int
    n_groups: int
    n_grouped: int
    n_people: int
    n_out_of_table: int
    has_head: bool
    n_gone: int = 0
    failures: list[dict[str, str]] = field(default_factory=list)

    def lines(self) -> list[str]:
        """Return the report as lines for a terminal."""
        lines = [
            f"{pluralize(self.n_photos, 'photo')}, {self.n_embedded:,} of them new or changed"
            + (f", {self.n_failed:,} could not be read" if self.n_failed else ""),
            f"{pluralize(self.n_faces, 'face')}: {self.n_named:,} named "
            f"({pluralize(self.n_people, 'person', 'people')}), {self.n_settled:,} nobody's or no face, "
            f"{self.n_faces - self.n_named - self.n_settled:,} without a name",
        ]
        if self.n_gone:
            gone = pluralize(self.n_gone, "deleted or excluded photo")
            lines.append(f"{gone} still among them; scan with --prune removes them")
        if self.n_imported:
            lines.append(f"{pluralize(self.n_imported, 'face')} got the name of their folder")
        if self.n_groups:
            lines.append(f"{pluralize(self.n_groups, 'group')} of unnamed faces, {self.n_grouped:,} faces in them")
        if self.n_out_of_table:
            are = "is" if self.n_out_of_table == 1 else "are"
            faces = f"{pluralize(self.n_out_of_table, 'face')} with decisions"
            lines.append(f"{faces} {are} not in the table any more; the decisions are kept")
        return lines

    def to_json(self) -> dict[str, Any]:
        """Return the report as what JSON can hold."""
        return asdict(self)


def scan(
    workspace: Workspace, *, n_jobs: int = 1, prune: bool = False, progress: bool | TellProgress = False
) -> ScanReport:
    """Do what is due in a workspace; a scan that was interrupted goes on where it stopped.

    Parameters
    ----------
    workspace : Workspace
    n_jobs, prune, progress
        See `embedder.embed_folder`; a callable is also told when faces are being ``grouped`` and the head is
        ``trained``.

    Raises
    ------
    WorkspaceError
        If another scan is running, or there is no photo folder yet.
    StoreError
        If the decisions cannot be read.
    OSError
        If a photo folder is missing or the workspace cannot be written.
    """
    if not workspace.photo_folders:
        raise WorkspaceError(
            f"{display_path(workspace.folder)}: expected photo folders, found none yet; name them in `photos` of its "
            f"{SETTINGS_FILE}, or choose them on the page: facetable serve {display_path(workspace.folder)}"
        )
    try:
        with FileLock(workspace.lock, timeout=0, mode=0o600), PeopleStore(workspace.store, create=True) as store:
            return _scan(workspace, store, n_jobs=n_jobs, prune=prune, progress=progress)
    except Timeout:
        raise WorkspaceError(
            f"{display_path(workspace.folder)}: another scan is running; wait for it to end and run the same "
            "command again"
        ) from None


def _scan(
    workspace: Workspace, store: PeopleStore, *, n_jobs: int, prune: bool, progress: bool | TellProgress
) -> ScanReport:
    tell = progress if callable(progress) else lambda *_: None
    back_up_before_scan(workspace, store)
    chosen = workspace.settings
    settings = EmbedSettings(
        preset=chosen.preset or DEFAULT_PRESET,
        identity_from=chosen.identity_from,
        min_face_size=chosen.min_face_size,
        exclude=chosen.exclude,
        videos=chosen.videos,
        detector=chosen.detector,
        second_detector=chosen.second_detector or None,
    )
    summary = update_workspace_table(
        workspace, settings, n_jobs=n_jobs, prune=prune, progress=progress, same_photos=store.same_photos()
    )
    table = EmbeddingTable.read(workspace.table)
    n_out_of_table = record_table(store, table)
    changed = update_added_faces(store, table, settings)
    if changed is not None:
        table = changed
        table.write(workspace.table)
        n_out_of_table = record_table(store, table)
    n_imported = _import_folder_names(store, table)
    names, settled = read_names(store, len(table))
    decided = Decided(names, settled, store.links(), {person.number: person.name for person in store.people()})
    background = choose_background(table.fingerprint)
    tell("grouped", 0, 0)
    groups = group_faces(table, decided, background=background)
    store.record_groups(groups)
    is_grouped = (groups != NO_GROUP) & (names == "")
    tell("trained", 0, 0)
    return ScanReport(
        n_photos=len(table.images),
        n_embedded=summary.n_embedded,
        n_failed=len(summary.failures),
        n_faces=len(table),
        n_named=int((names != "").sum()),
        n_settled=int(settled.sum()),
        n_imported=n_imported,
        n_groups=len(np.unique(groups[is_grouped])),
        n_grouped=int(is_grouped.sum()),
        n_people=len(store.people()),
        n_out_of_table=n_out_of_table,
        has_head=_refit_head(workspace, table, decided, background),
        n_gone=len(summary.gone) + len(summary.excluded) - summary.n_pruned,
        failures=summary.failures,
    )


def _import_folder_names(store: PeopleStore, table: EmbeddingTable) -> int:
    """Name faces after their folder about which nobody has decided anything; return how many."""
    untouched = store.undecided_rows()
    by, store.by = store.by, _IMPORT
    n_imported = 0
    try:
        for identity in sorted({str(name) for name in table.identities[untouched]} - {""}):
            rows = [row for row in untouched if table.identities[row] == identity]
            faces = store.faces_of_rows(rows)
            try:
                store.name(faces, identity)
                n_imported += len(faces)
            except PersonError as error:
                logger.warning("the folder %r names nobody: %s", identity, error)
    finally:
        store.by = by
    return n_imported


def _refit_head(workspace: Workspace, table: EmbeddingTable, decided: Decided, background: Background | None) -> bool:
    """Train a head on the named faces, with what was denied as its rejections; return whether there is one."""
    named = replace(table, identities=decided.names)
    chosen = _chosen_threshold(workspace)
    try:
        head = train_head(named, background=background, threshold=chosen)
    except (IdentityError, ThresholdError) as error:
        if isinstance(error, ThresholdError):  # a network of somebody's own, whose thresholds nobody has measured
            logger.warning(
                "no head of the named people, who can be found and listed all the same: %s people at least must be "
                "named to measure a threshold for a network that was never measured",
                MIN_IDENTITIES,
            )
        workspace.head.unlink(missing_ok=True)
        return False
    head = with_denials(head, table, _denials(decided))
    if _chosen_threshold(workspace) != chosen:
        head = with_threshold(head, _chosen_threshold(workspace))
    workspace.head.parent.mkdir(mode=0o700, exist_ok=True)
    save_head(head, workspace.head)
    return True


def _chosen_threshold(workspace: Workspace) -> float | None:
    """Return the threshold that the settings hold now: it may be chosen while a scan is running."""
    chosen = Workspace(workspace.folder).settings.threshold
    return None if chosen == "auto" else chosen


def _denials(decided: Decided) -> Denials:
    return [(row, decided.name_of[person]) for row, person in decided.links.denied if person in decided.name_of]
