"""Take the names that other programs gave faces, where nobody has decided anything here."""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Literal

from embedder.errors import ImageError
from embedder.images.kinds import RAW_SUFFIXES
from foundation.formats import hash_file
from foundation.paths import display_path
from people.errors import PersonError, XmpError
from people.sidecars.orientation import to_upright
from people.sidecars.photo import find_photo, read_header
from people.sidecars.picasa import read_picasa
from people.sidecars.regions import FoundNames, Region, overlap, read_names
from people.sidecars.xmp_tree import parse_xmp, read_sidecar
from people.store.reader import PeopleReader
from people.store.records import Face, check_name
from people.store.scanned import ScannedFace, ScannedFile
from people.store.store import PeopleStore
from people.workspace.workspace import Workspace

Source = Literal["xmp", "picasa"]

_BY: Mapping[Source, str] = {"xmp": "import of XMP", "picasa": "import of Picasa's names"}

LEAST_SHARE = 0.25
"""Intersection over union from which a region is of the face found there. Programs draw a face with hair and chin, or a
whole head: up to twice as wide and high as what a detector finds, which is a quarter of its area."""

_Reader = Callable[[ScannedFile, Path, "ImportReport"], FoundNames]
_ABOUT_WHO = ("is", "is_not", "nobody", "not_a_face")


@dataclass
class ImportReport:
    """What an import found.

    Attributes
    ----------
    names : collections.Counter
        How many faces got each name.
    n_photos : int
        Photos of which another program names somebody.
    n_drawn : int
        Of the named faces, those that no detector had found.
    n_known, n_decided : int
        Faces that have this name already, and those about which something else was decided, which stays.
    left_out : collections.Counter
        How many regions are none of a named face, by reason.
    failures : list of str
        What could not be read, one line each.
    """

    names: Counter[str] = field(default_factory=Counter)
    n_photos: int = 0
    n_drawn: int = 0
    n_known: int = 0
    n_decided: int = 0
    left_out: Counter[str] = field(default_factory=Counter)
    failures: list[str] = field(default_factory=list)

    def fail(self, error: Exception) -> None:
        """Take down what could not be read, once."""
        reason = str(error)
        if isinstance(error, OSError) and error.strerror:
            reason = f"{display_path(error.filename or '')}: {error.strerror}"
        if (line := " ".join(reason.split())) not in self.failures:
            self.failures.append(line)


def import_names(
    workspace: Workspace, store: PeopleStore, *, source: Source = "xmp", is_trial: bool = False
) -> ImportReport:
    """Name faces after the regions that other programs drew; one decision for each name.

    What somebody has decided here always stays, also where it was taken back.

    Parameters
    ----------
    workspace : Workspace
    store : PeopleStore
    source : {"xmp", "picasa"}
        XMP in photos and sidecars, or the files of Picasa.
    is_trial : bool
        Decide nothing; only find out what there is.

    Raises
    ------
    StoreError
        If the decisions cannot be read or written.
    """
    report = ImportReport()
    read: _Reader = _read_xmp if source == "xmp" else _PicasaReader()
    in_table = store.faces_in_table()
    given = _names_given(workspace, store, in_table, read=read, report=report)
    chosen: dict[str, list[Face]] = {}
    for face, name in given.items():
        if _is_free(store, name, face, report):
            chosen.setdefault(name, []).append(face)
    known = {face.face for face in in_table}
    for name, faces in chosen.items():
        report.names[name] = len(faces)
        report.n_drawn += len(set(faces) - known)
        if not is_trial:
            _name(store, faces, name, by=_BY[source])
    return report


def _names_given(
    workspace: Workspace,
    store: PeopleReader,
    in_table: Sequence[ScannedFace],
    *,
    read: _Reader,
    report: ImportReport,
) -> dict[Face, str]:
    """Return whom other programs name, on all photos; of two names for one face, the first in path order."""
    roots = [Path(root) for root in workspace.photo_folders]
    by_path: dict[str, list[ScannedFace]] = {}
    for face in in_table:
        by_path.setdefault(face.path, []).append(face)
    given: dict[Face, str] = {}
    for file in store.files():
        photo = find_photo(roots, file.path)
        if file.kind != "photo" or photo is None:
            continue
        try:
            found = _checked_names(read(file, photo, report), file, photo, report)
        except (XmpError, ImageError, OSError) as error:
            report.fail(error)
            continue
        for name, shown in _place(found, file, by_path.get(file.path, []), report):
            # A photo may lie in two folders, where two programs know it.
            if given.setdefault(shown, name) != name:
                report.left_out["another name for the same face"] += 1
    return given


def _name(store: PeopleStore, faces: Sequence[Face], name: str, *, by: str) -> None:
    by, store.by = store.by, by
    try:
        store.name(faces, name)
    finally:
        store.by = by


def _read_xmp(file: ScannedFile, photo: Path, report: ImportReport) -> FoundNames:
    """Return whom the photo itself and its sidecars name; what cannot be read of it hides nothing else."""
    header = read_header(photo)
    found = FoundNames()
    for name, content in _sources(photo, header.xmp, report):
        try:
            one = read_names(parse_xmp(content, name), (file.width, file.height), header.orientation)
        except XmpError as error:
            report.fail(error)
            continue
        for region in one.regions:
            if not region.is_suggested:  # a guess of ours is no decision of somebody
                found.add(region.name, region.box)
        found.tags += [tag for tag in one.tags if tag not in found.tags]
        found.left_out += one.left_out
    return found


class _PicasaReader:
    """Read what Picasa says of a photo; each folder's file once."""

    def __init__(self) -> None:
        self._read_folder = cache(read_picasa)

    def __call__(self, file: ScannedFile, photo: Path, _report: ImportReport) -> FoundNames:
        found = FoundNames()
        faces = self._read_folder(photo.parent).get(photo.name, [])
        is_upright = photo.suffix.lower() in RAW_SUFFIXES
        orientation = 1 if is_upright or not faces else read_header(photo).orientation
        for name, box in faces:
            found.add(name, None if box is None else to_upright(box, orientation))
        return found


def _checked_names(found: FoundNames, file: ScannedFile, photo: Path, report: ImportReport) -> FoundNames:
    """Count what was found on a photo, and refuse it if the photo is another one now."""
    report.left_out += found.left_out
    if found.regions or found.tags:
        report.n_photos += 1
        if hash_file(photo) != file.sha256:
            raise XmpError(f"{file.path}: expected the photo that was scanned, found another; scan the workspace again")
    return found


def _sources(photo: Path, embedded: bytes, report: ImportReport) -> Iterator[tuple[str, bytes]]:
    for sidecar in (photo.with_name(f"{photo.name}.xmp"), photo.with_suffix(".xmp")):
        if sidecar.is_file():
            try:
                yield display_path(sidecar), read_sidecar(sidecar)
            except (XmpError, OSError) as error:
                report.fail(error)
    if embedded:
        yield display_path(photo), embedded


def _place(
    found: FoundNames, file: ScannedFile, faces: Sequence[ScannedFace], report: ImportReport
) -> Iterator[tuple[str, Face]]:
    """Yield each name with the face that it is of: one of the table, or the region itself."""
    own_face = _match(found.regions, faces)
    for i, region in enumerate(found.regions):
        name = _checked(region.name, report)
        if name is not None and i in own_face:
            yield name, own_face[i].face
        elif name is not None:
            yield name, Face(file.sha256, region.box)
    if not found.regions and len(found.tags) == len(faces) == 1:  # who else should it be?
        name = _checked(found.tags[0], report)
        if name is not None:
            yield name, faces[0].face


def _match(regions: Sequence[Region], faces: Sequence[ScannedFace]) -> dict[int, ScannedFace]:
    """Return the face of each region that has one; those that overlap most find each other first, each once."""
    pairs = sorted(
        (
            (overlap(region.box, face.face.box), i, j)
            for i, region in enumerate(regions)
            for j, face in enumerate(faces)
        ),
        key=lambda pair: (-pair[0], pair[1], pair[2]),
    )
    matched: dict[int, ScannedFace] = {}
    taken: set[int] = set()
    for share, i, j in pairs:
        if share >= LEAST_SHARE and i not in matched and j not in taken:
            matched[i] = faces[j]
            taken.add(j)
    return matched


def _checked(name: str, report: ImportReport) -> str | None:
    try:
        return check_name(name)
    except PersonError:
        report.left_out["no name that can be given"] += 1
        return None


def _is_free(store: PeopleReader, name: str, face: Face, report: ImportReport) -> bool:
    """Return whether nobody has said who a face is; count why not."""
    decisions = [decision for decision in store.history(face=face) if decision.kind in _ABOUT_WHO]
    if not decisions:
        return True
    newest = decisions[0]
    is_known = newest.kind == "is" and not newest.is_undone and newest.person is not None
    if is_known and name in (store.person(newest.person or 0).name, store.first_name(newest.person or 0)):
        report.n_known += 1
    else:
        report.n_decided += 1
    return False
