"""Workspace: a folder with settings, a table, decisions and heads, and where each of them is."""

import errno
import json
import math
import tomllib
from collections.abc import Sequence
from dataclasses import asdict, dataclass, fields, replace
from pathlib import Path
from typing import Any, Literal, Self

from foundation.atomic import write_bytes_atomically
from foundation.paths import display_path
from people.errors import WorkspaceError

SETTINGS_FILE = "workspace.toml"
THUMBNAILS = "thumbnails"
LIVE_PICTURES = "live"
ENROLLED = "enrolled"
VERSION = 1

_PRIVATE_FOLDER = 0o700
_PREAMBLE = "# A workspace of Facetable; what each line means stands in docs/people.md.\n"


@dataclass(frozen=True)
class WorkspaceSettings:
    """What a workspace is about; the content of its ``workspace.toml``.

    Attributes
    ----------
    photos : tuple of str
        Absolute paths of the photo folders; none where they are yet to be chosen.
    preset : str
        The embedding network, "" for the default.
    identity_from : {"none", "folder"}
        Whether folders are people: ``folder`` takes the first sub-folder's name for a decision about the main face of
        each photo; with ``none`` folders are albums.
    min_face_size : int or "auto"
        Smallest face looked for, in pixels.
    exclude : tuple of str
        Patterns of files to leave out, as in ``.gitignore``.
    videos : bool
        Whether people are looked for in videos, too.
    threshold : float or "auto"
        From which score a face is given a name, -1 to 1; ``auto`` takes the preset's own.
    detector : {"mtcnn", "centerface"}
        What finds faces.
    second_detector : {"", "centerface"}
        What is asked about each face beside, as a witness of what is no face; "" for nothing.

    Raises
    ------
    WorkspaceError
        If a value is none of these.
    """

    photos: tuple[str, ...]
    preset: str = ""
    identity_from: Literal["none", "folder"] = "none"
    min_face_size: int | Literal["auto"] = "auto"
    exclude: tuple[str, ...] = ()
    videos: bool = False
    threshold: float | Literal["auto"] = "auto"
    detector: Literal["mtcnn", "centerface"] = "mtcnn"
    second_detector: Literal["", "centerface"] = ""

    def __post_init__(self) -> None:
        for name in ("photos", "exclude"):
            value = getattr(self, name)
            if not isinstance(value, tuple) or not all(isinstance(item, str) for item in value):
                raise WorkspaceError(f"`{name}` must be a list of texts, got {value!r}")
        if not isinstance(self.preset, str):
            raise WorkspaceError(f"`preset` must be a text, got {self.preset!r}")
        if not isinstance(self.videos, bool):
            raise WorkspaceError(f"`videos` must be true or false, got {self.videos!r}")
        if self.identity_from not in ("none", "folder"):
            raise WorkspaceError(f"`identity_from` must be none or folder, got {self.identity_from!r}")
        if self.detector not in ("mtcnn", "centerface"):
            raise WorkspaceError(f"`detector` must be mtcnn or centerface, got {self.detector!r}")
        if self.second_detector not in ("", "centerface"):
            raise WorkspaceError(f"`second_detector` must be centerface or empty, got {self.second_detector!r}")
        size = self.min_face_size
        if size != "auto" and (isinstance(size, bool) or not isinstance(size, int) or size < 1):
            raise WorkspaceError(f"`min_face_size` must be auto or a number of pixels, got {size!r}")
        chosen = self.threshold
        if chosen != "auto" and not (isinstance(chosen, (int, float)) and _is_score(chosen)):
            raise WorkspaceError(f"`threshold` must be auto or a score from -1 to 1, got {chosen!r}")

    @classmethod
    def from_toml(cls, values: dict[str, Any]) -> Self:
        """Return the settings in the parsed content of a ``workspace.toml``.

        Raises
        ------
        WorkspaceError
            If it is of another version, or a key or value is unknown.
        """
        version = values.pop("version", None)
        if version != VERSION:
            raise WorkspaceError(f"`version` must be {VERSION}, got {version!r}; update facetable to use it")
        names = [field.name for field in fields(cls)]
        unknown = sorted(set(values) - set(names))
        if unknown:
            raise WorkspaceError(f"`{unknown[0]}` is no setting; valid ones: {', '.join(names)}")
        if "photos" not in values:
            raise WorkspaceError("`photos` is missing; name the photo folders in a list")
        chosen: dict[str, Any] = {
            name: tuple(value) if isinstance(value, list) else value for name, value in values.items()
        }
        return cls(**chosen)

    def to_toml(self) -> str:
        """Return what `from_toml` reads, as the text of a file."""
        lines = [_toml_line(name, value) for name, value in asdict(self).items()]
        return "\n".join([_PREAMBLE + f"version = {VERSION}", *lines]) + "\n"


class Workspace:
    """A folder that holds the people of photo folders; see `create_workspace`.

    Parameters
    ----------
    folder : path

    Raises
    ------
    WorkspaceError
        If it is no workspace, or its settings cannot be used.
    """

    def __init__(self, folder: str | Path) -> None:
        self.folder = Path(folder)
        file = self.folder / SETTINGS_FILE
        if not file.is_file():
            raise WorkspaceError(
                f"{display_path(self.folder)}: expected a workspace, found none (no {SETTINGS_FILE} in it); make one: "
                f"facetable init {display_path(self.folder)} --photos FOLDER"
            )
        try:
            self.settings = WorkspaceSettings.from_toml(tomllib.loads(file.read_text("utf-8")))
        except (tomllib.TOMLDecodeError, UnicodeDecodeError, RecursionError) as error:
            raise WorkspaceError(
                f"{display_path(file)}: expected settings in TOML, found other text ({error})"
            ) from error
        except WorkspaceError as error:
            raise WorkspaceError(f"{display_path(file)}: {error}") from error

    def set_photo_folders(self, folders: Sequence[str | Path]) -> None:
        """Look at other photo folders from now on; all else in the settings file stays to the letter.

        Parameters
        ----------
        folders : sequence of path

        Raises
        ------
        WorkspaceError
            If one holds the workspace.
        OSError
            If one is missing, or the settings cannot be written.
        """
        roots = _photo_roots(folders, self.folder)
        self._write_setting(replace(self.settings, photos=roots), "photos")

    def set_threshold(self, threshold: float | Literal["auto"]) -> None:
        """Name faces from another score on, beginning with the next head that is made.

        Parameters
        ----------
        threshold : float or "auto"
            The score, or the preset's own again.

        Raises
        ------
        WorkspaceError
            If it is no score.
        OSError
            If the settings cannot be written.
        """
        self._write_setting(replace(self.settings, threshold=threshold), "threshold")

    def _write_setting(self, settings: WorkspaceSettings, name: str) -> None:
        """Write one of `settings` into its line; all else in the file stays to the letter."""
        file = self.folder / SETTINGS_FILE
        lines = file.read_text("utf-8").splitlines(keepends=True)
        begin, end = _lines_of(lines, name)
        if lines and not lines[-1].endswith("\n"):
            lines[-1] += "\n"
        lines[begin:end] = [_toml_line(name, getattr(settings, name)) + "\n"]
        write_bytes_atomically(file, "".join(lines).encode(), is_private=True)
        self.settings = settings

    @property
    def photo_folders(self) -> tuple[str, ...]:
        """The folders that scans look into: those of the settings, then the workspace's own once they are there."""
        own = [str(folder.resolve()) for folder in (self.enrolled, self.live_pictures) if folder.is_dir()]
        return tuple(dict.fromkeys([*self.settings.photos, *own]))

    @property
    def enrolled(self) -> Path:
        """The folder of pictures that somebody was enrolled with."""
        return self.folder / ENROLLED

    @property
    def rates(self) -> Path:
        """What the named people say about thresholds; machine-made."""
        return self.folder / "rates.json"

    @property
    def table(self) -> Path:
        """The embedding table; machine-made, there after the first scan."""
        return self.folder / "faces.h5"

    @property
    def next_table(self) -> Path:
        """The table in the making where settings were changed, until it takes the place of the other."""
        return self.folder / "faces.next.h5"

    @property
    def store(self) -> Path:
        """The decisions."""
        return self.folder / "people.sqlite"

    @property
    def head(self) -> Path:
        """The head of all named people; machine-made, there once somebody is named and scanned."""
        return self.folder / "heads" / "people.skops"

    @property
    def backups(self) -> Path:
        """The folder of copies of the decisions."""
        return self.folder / "backups"

    @property
    def thumbnails(self) -> Path:
        """The folder of faces cut out small, named after their photo's SHA-256; machine-made."""
        return self.folder / THUMBNAILS

    @property
    def live_pictures(self) -> Path:
        """The folder of faces before a camera that somebody has decided about, named after their SHA-256; photos."""
        return self.folder / LIVE_PICTURES

    @property
    def questions(self) -> Path:
        """Questions that wait to be asked; machine-made."""
        return self.folder / "questions.json"

    @property
    def lock(self) -> Path:
        """The file that a scan locks."""
        return self.folder / "scan.lock"


def is_workspace(path: str | Path) -> bool:
    """Return whether `path` is the folder of a workspace; a folder that may not be read is none."""
    try:
        return (Path(path) / SETTINGS_FILE).is_file()
    except PermissionError:
        return False


def table_at(path: str | Path) -> Path:
    """Return the table of the workspace at `path`; `path` itself where it is no workspace.

    Raises
    ------
    WorkspaceError
        If the workspace was not scanned yet.
    """
    return _made_at(path, "table", "a table", "make it: facetable scan {folder}")


def head_at(path: str | Path) -> Path:
    """Return the head of the workspace at `path`; `path` itself where it is no workspace.

    Raises
    ------
    WorkspaceError
        If the workspace has no head yet.
    """
    remedy = "name somebody with facetable people {folder} name, then run facetable scan {folder}"
    return _made_at(path, "head", "a head", remedy)


def _made_at(path: str | Path, attribute: str, noun: str, remedy: str) -> Path:
    """Return a file that a scan makes in the workspace at `path`; `path` itself where it is no workspace."""
    if not is_workspace(path):
        return Path(path)
    made: Path = getattr(Workspace(path), attribute)
    if not made.is_file():
        folder = display_path(path)
        raise WorkspaceError(
            f"{folder}: expected a workspace with {noun}, found none yet; {remedy.format(folder=folder)}"
        )
    return made


def create_workspace(folder: str | Path, photos: Sequence[str | Path], **settings: Any) -> Workspace:
    """Make a workspace, readable by its owner alone.

    Parameters
    ----------
    folder : path
        A folder that is not there yet, or is empty.
    photos : sequence of path
        The photo folders; none where they are yet to be chosen.
    **settings
        Other attributes of `WorkspaceSettings`.

    Raises
    ------
    WorkspaceError
        If the folder holds something, or lies within a photo folder, where scans would read what it keeps.
    OSError
        If a photo folder is missing, or the workspace cannot be written.
    """
    place = Path(folder)
    if is_workspace(place):
        raise WorkspaceError(
            f"{display_path(place)}: is a workspace already; scan it: facetable scan {display_path(place)}"
        )
    if place.exists() and (not place.is_dir() or any(place.iterdir())):
        raise WorkspaceError(
            f"{display_path(place)}: expected an empty folder or none, found something; give another name"
        )
    chosen = WorkspaceSettings(_photo_roots(photos, place), **settings)
    place.mkdir(mode=_PRIVATE_FOLDER, parents=True, exist_ok=True)
    place.chmod(_PRIVATE_FOLDER)
    write_bytes_atomically(place / SETTINGS_FILE, chosen.to_toml().encode(), is_private=True)
    return Workspace(place)


def _photo_roots(photos: Sequence[str | Path], place: Path) -> tuple[str, ...]:
    """Return absolute paths of photo folders, each once; refuse what is no folder, and one that holds `place`."""
    roots = []
    for photo_folder in map(Path, photos):
        if not photo_folder.is_dir():
            found = "a file" if photo_folder.exists() else "nothing"
            raise FileNotFoundError(
                errno.ENOENT, f"expected a folder of photos, found {found}; check the path", str(photo_folder)
            )
        root = photo_folder.resolve()
        if place.resolve().is_relative_to(root):
            raise WorkspaceError(
                f"{display_path(place)}: lies within the photo folder {display_path(root)}; make the workspace "
                "beside it"
            )
        roots.append(str(root))
    return tuple(dict.fromkeys(roots))


def _is_score(value: float) -> bool:
    return not isinstance(value, bool) and math.isfinite(value) and -1.0 <= value <= 1.0


def _toml_line(name: str, value: Any) -> str:
    # JSON's strings, numbers and lists of strings are TOML's, too.
    return f"{name} = {json.dumps(value, ensure_ascii=False)}"


def _lines_of(lines: Sequence[str], name: str) -> tuple[int, int]:
    """Return where a setting begins and ends in the lines of a settings file; a list may take several.

    Of one that is not there, that is the end of the file.
    """
    begin = next((i for i, line in enumerate(lines) if line.split("=")[0].strip().strip("\"'") == name), len(lines))
    for end in range(begin + 1, len(lines) + 1):
        try:
            tomllib.loads("".join(lines[begin:end]))
        except tomllib.TOMLDecodeError:
            continue
        return begin, end
    return begin, len(lines)
