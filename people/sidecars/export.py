"""Write who is on the photos of a workspace into sidecars beside them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from embedder.errors import ImageError
from embedder.images.kinds import VIDEO_SUFFIXES
from foundation.atomic import write_bytes_atomically
from foundation.formats import hash_file
from foundation.paths import display_path
from people.errors import XmpError
from people.sidecars.embedding import embed_names
from people.sidecars.photo import find_photo, read_header
from people.sidecars.regions import Region
from people.sidecars.schema import LISTS, PEOPLE_TAG, PERSON_IN_IMAGE, SUBJECT, TAGS_LIST
from people.sidecars.xmp_tree import read_sidecar
from people.sidecars.xmp_writing import Wanted, merge
from people.store.reader import PeopleReader
from people.store.scanned import ScannedFace, ScannedFile
from people.store.store import PeopleStore
from people.workspace.workspace import Workspace

SIDECAR_SUFFIX = ".xmp"
_READ_AND_WRITE, _OWNER = 0o666, 0o600


@dataclass(frozen=True)
class ExportSettings:
    """What is written, and where.

    Attributes
    ----------
    to : Path or None
        Folder of the sidecars, with the photos' sub-folders; None for beside the photos.
    suggested : bool
        Also the names that groups probably have, which nobody has confirmed.
    lists : tuple of str
        Those of `people.sidecars.schema.LISTS` that get the names, too.
    is_trial : bool
        Write nothing; only find out what would be written.
    into_photos : bool
        Write into the photos themselves, not beside them.
    """

    to: Path | None = None
    suggested: bool = False
    lists: tuple[str, ...] = ()
    is_trial: bool = False
    into_photos: bool = False


@dataclass
class ExportReport:
    """What an export did.

    Attributes
    ----------
    written, removed : list of str
        Paths of photos whose sidecar was written, and of those whose sidecar said nothing any more.
    n_unchanged : int
        Sidecars that said it already.
    n_regions : int
        Named faces, in written and unchanged ones.
    failures : dict
        Path of a photo to why nothing was written for it.
    """

    written: list[str] = field(default_factory=list)
    removed: list[str] = field(default_factory=list)
    n_unchanged: int = 0
    n_regions: int = 0
    failures: dict[str, str] = field(default_factory=dict)


def export_sidecars(workspace: Workspace, reader: PeopleReader, settings: ExportSettings) -> ExportReport:
    """Write a sidecar for each photo with a named face, and take back what was said of others; photos stay as they are.

    With `settings.into_photos` the photos themselves are written to (`people.sidecars.embedding`), for which `reader`
    must be a `PeopleStore`.

    Raises
    ------
    StoreError
        If the decisions cannot be read.
    """
    names = _names(reader, suggested=settings.suggested)
    by_path: dict[str, list[ScannedFace]] = {}
    for face in reader.faces_in_table():
        by_path.setdefault(face.path, []).append(face)
    roots = [Path(root) for root in workspace.settings.photos]
    report = ExportReport()
    files = {file.path: file for file in reader.files()}
    for path, faces in sorted(by_path.items()):
        if Path(path).suffix.lower() in VIDEO_SUFFIXES or _is_own(workspace, path):
            continue  # a video; or a picture that no other program sees
        named = {face.row: (face, names[face.row]) for face in faces if face.row in names}
        try:
            shown = list(named.values())
            if settings.into_photos:
                _embed_in_photo(reader, files[path], shown, roots=roots, settings=settings, report=report)
            else:
                _export_photo(files[path], shown, roots=roots, settings=settings, report=report)
        except (XmpError, ImageError, OSError) as error:
            report.failures[path] = _reason(error)
    return report


def _is_own(workspace: Workspace, path: str) -> bool:
    """Return whether a picture lies in a folder of the workspace's own."""
    return any((folder / path).is_file() for folder in (workspace.enrolled, workspace.live_pictures))


def _names(reader: PeopleReader, *, suggested: bool) -> dict[int, str]:
    """Return the name of each row of the table that has one."""
    name_of = {person.number: person.name for person in reader.people()}
    found = {face.row: name_of[face.person] for face in reader.faces_in_table() if face.person is not None}
    for group in reader.groups() if suggested else []:
        if group.suggested is not None:
            found.update(dict.fromkeys((face.row for face in group.faces), name_of[group.suggested]))
    return found


def _embed_in_photo(
    store: PeopleReader,
    file: ScannedFile,
    named: Sequence[tuple[ScannedFace, str]],
    *,
    roots: list[Path],
    settings: ExportSettings,
    report: ExportReport,
) -> None:
    photo = find_photo(roots, file.path)
    if photo is None:
        if named:
            raise XmpError(
                f"{file.path}: expected the photo, found nothing; scan again, with --prune if it was deleted"
            )
        return
    if not isinstance(store, PeopleStore):
        raise XmpError(f"{file.path}: expected a store that can be written, to record what the photo holds then")
    if not named and not read_header(photo).xmp:
        return
    wanted = _wanted(photo, (file.width, file.height), named, settings)
    done = embed_names(
        photo,
        wanted,
        known=file.has_content,
        record=lambda sha256: store.record_same_photo(file.sha256, sha256),
        is_trial=settings.is_trial,
    )
    report.n_regions += len(named)
    report.n_unchanged += not done and bool(named)
    if done:
        (report.removed if done == "removed" or not named else report.written).append(file.path)


def _wanted(
    photo: Path, size: tuple[int, int], named: Sequence[tuple[ScannedFace, str]], settings: ExportSettings
) -> Wanted:
    regions = tuple(Region(name, face.face.box, face.person is None) for face, name in named)
    return Wanted(regions, size, read_header(photo).orientation, _lists(settings.lists, named))


def _export_photo(
    file: ScannedFile,
    named: Sequence[tuple[ScannedFace, str]],
    *,
    roots: list[Path],
    settings: ExportSettings,
    report: ExportReport,
) -> None:
    path, photo = file.path, find_photo(roots, file.path)
    sidecar = _sidecar_of(path, photo, settings.to)
    before = None if sidecar is None or not sidecar.exists() else read_sidecar(sidecar)
    if not named and before is None:
        return
    if photo is None or sidecar is None:
        raise XmpError(f"{path}: expected the photo, found nothing; scan again, with --prune if it was deleted")
    wanted = Wanted((), (1, 1), 1)
    if named:
        if not file.has_content(hash_file(photo)):
            raise XmpError(f"{path}: expected the photo that was scanned, found another; scan the workspace again")
        wanted = _wanted(photo, (file.width, file.height), named, settings)
    after = merge(before, wanted, display_path(sidecar))
    report.n_regions += len(named)
    if after == before:
        report.n_unchanged += before is not None
        return
    (report.removed if after is None else report.written).append(path)
    if not settings.is_trial:
        _write(sidecar, after, photo)


def _sidecar_of(path: str, photo: Path | None, to: Path | None) -> Path | None:
    if to is not None:
        return to / (path + SIDECAR_SUFFIX)
    return None if photo is None else photo.with_name(photo.name + SIDECAR_SUFFIX)


def _lists(wanted: Sequence[str], named: Sequence[tuple[ScannedFace, str]]) -> Mapping[str, list[str]]:
    names = [name for _, name in named]
    items = {PERSON_IN_IMAGE: names, SUBJECT: names, TAGS_LIST: [PEOPLE_TAG + name for name in names]}
    return {name: items[name] for name in LISTS if name in wanted}


def _write(sidecar: Path, content: bytes | None, photo: Path) -> None:
    if content is None:
        sidecar.unlink()
        return
    sidecar.parent.mkdir(parents=True, exist_ok=True)
    is_new = not sidecar.exists()
    write_bytes_atomically(sidecar, content, is_private=True)
    if is_new:
        # Who may see the photo may see who is on it: other programs often run as another user.
        sidecar.chmod(photo.stat().st_mode & _READ_AND_WRITE | _OWNER)


def _reason(error: Exception) -> str:
    if isinstance(error, OSError) and error.strerror:
        return f"{display_path(error.filename or '')}: {error.strerror}"
    return " ".join(str(error).split())
