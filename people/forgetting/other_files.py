"""Saved pictures, what killed processes left, and what is only ever listed: photos and other programs' files."""

import re
import time
from pathlib import Path

from classifiers.members.audit import Finding
from embedder.images.kinds import IMAGE_SUFFIXES, RAW_SUFFIXES
from foundation.formats import hash_file
from people.forgetting.holder import Outcome, finding
from people.forgetting.person import Person
from people.workspace.workspace import ENROLLED, LIVE_PICTURES, THUMBNAILS, is_workspace

_SAVED_PICTURE = re.compile(
    r"(?:unknown-.*-track\d+-frame\d+|crop-.*-(?:track\d+-frame\d+|[0-9a-f]{8}-face\d+)|scene-.*-frame\d+)\.jpg"
)
"""Names as `recognize` gives them with --unknown-dir, --save-crops and --save-scenes."""

_LIVE_PICTURE = re.compile(r"(?P<photo>[0-9a-f]{64})\.jpg")
_THUMBNAIL = re.compile(r"(?P<photo>[0-9a-f]{64})-[-_0-9]+\.webp")

_SCENE_OF = re.compile(r"crop-(?P<stem>.*)-track\d+-(?P<frame>frame\d+)\.jpg")
_LEFT_OVER = re.compile(r"\..*\.[0-9a-f]{8}\.(?:tmp|part\.\w+)")
_STILL_WRITTEN_S = 3_600.0
"""A temporary file that is younger may be another process's work."""

_VIDEO_SUFFIXES = {".mp4", ".mov", ".avi", ".mkv", ".webm", ".m4v", ".mpg", ".mpeg", ".3gp"}
_MOST_TEXT = 20 << 20


class SavedPictures:
    """Faces, unknown faces and scenes that `recognize` saved; see `people.forgetting.holder.Holder`."""

    noun = "saved picture"

    def claims(self, path: Path, beginning: bytes) -> bool:
        """Return whether a picture is called as `recognize` calls them."""
        return beginning.startswith(b"\xff\xd8\xff") and _SAVED_PICTURE.fullmatch(path.name) is not None

    def learn(self, path: Path, person: Person) -> None:
        """Do nothing: events say whose they are."""

    def find(self, path: Path, person: Person) -> list[Finding]:
        """Return ``pictures`` that events of the person name, whose name has theirs, or that show their face."""
        return finding("pictures", [path.name]) if self._shows(path, person) else []

    def forget(self, path: Path, person: Person) -> Outcome:
        """Delete the picture."""
        path.unlink(missing_ok=True)
        return Outcome("deleted")

    def _shows(self, path: Path, person: Person) -> bool:
        if path.resolve() in person.pictures or person.is_in_text(path.stem.replace("-", " ").replace("_", " ")):
            return True
        if path.name in {scene for picture in person.pictures for scene in _scenes_of(picture)}:
            return True
        return person.look_at(path)


class Thumbnails:
    """Faces of a workspace cut out small for its page; see `people.forgetting.holder.Holder`."""

    noun = "thumbnail"

    def claims(self, path: Path, beginning: bytes) -> bool:
        """Return whether a picture is called as thumbnails are, after its photo."""
        return _THUMBNAIL.fullmatch(path.name) is not None and THUMBNAILS in path.parts

    def learn(self, path: Path, person: Person) -> None:
        """Do nothing: the decisions say whose they are."""

    def find(self, path: Path, person: Person) -> list[Finding]:
        """Return ``pictures`` cut out of a photo that shows the person: which face it is, is not looked at."""
        match = _THUMBNAIL.fullmatch(path.name)
        return finding("pictures", [path.name]) if match is not None and match["photo"] in person.places else []

    def forget(self, path: Path, person: Person) -> Outcome:
        """Delete the picture; those of other people are cut again when they are shown."""
        path.unlink(missing_ok=True)
        return Outcome("deleted")


class LivePictures:
    """Faces before a workspace's cameras that were kept with a decision; see `people.forgetting.holder.Holder`."""

    noun = "picture of a camera"

    def claims(self, path: Path, beginning: bytes) -> bool:
        """Return whether a picture lies where a workspace keeps them, called as they are."""
        is_called_so = _LIVE_PICTURE.fullmatch(path.name) is not None and path.parent.name == LIVE_PICTURES
        return is_called_so and is_workspace(path.parent.parent)

    def learn(self, path: Path, person: Person) -> None:
        """Do nothing: the decisions say whose they are."""

    def find(self, path: Path, person: Person) -> list[Finding]:
        """Return the picture itself, where a decision names the person on it, or the face is theirs."""
        match = _LIVE_PICTURE.fullmatch(path.name)
        is_theirs = match is not None and (match["photo"] in person.photos or match["photo"] in person.places)
        return finding("pictures", [path.name]) if is_theirs or person.look_at(path) else []

    def forget(self, path: Path, person: Person) -> Outcome:
        """Delete the picture."""
        path.unlink(missing_ok=True)
        return Outcome("deleted")


class EnrolledPictures:
    """Pictures that a workspace keeps of people who were enrolled; see `people.forgetting.holder.Holder`."""

    noun = "enrolled picture"

    def claims(self, path: Path, beginning: bytes) -> bool:
        """Return whether a picture lies where a workspace keeps them."""
        folder = path.parent
        return beginning.startswith(b"\xff\xd8\xff") and folder.name == ENROLLED and is_workspace(folder.parent)

    def learn(self, path: Path, person: Person) -> None:
        """Do nothing: the decisions say whose they are."""

    def find(self, path: Path, person: Person) -> list[Finding]:
        """Return ``pictures`` with a face that is the person's by a decision, or looks like theirs."""
        is_theirs = hash_file(path) in person.photos or person.look_at(path)
        return finding("pictures", [path.name] if is_theirs else [])

    def forget(self, path: Path, person: Person) -> Outcome:
        """Delete the picture, also where somebody else is on it."""
        path.unlink(missing_ok=True)
        return Outcome("deleted")


class AlignedFaces:
    """Aligned faces that a ledger of `align` lists; see `people.forgetting.holder.Holder`."""

    noun = "aligned face"

    def claims(self, path: Path, beginning: bytes) -> bool:
        """Return whether a picture lies in a folder that `align` made."""
        is_picture = path.suffix.lower() in IMAGE_SUFFIXES
        return is_picture and any((folder / ".align").is_dir() for folder in path.parents[:3])

    def learn(self, path: Path, person: Person) -> None:
        """Do nothing: the ledger says whose they are."""

    def find(self, path: Path, person: Person) -> list[Finding]:
        """Return ``pictures`` of the person's photos."""
        return finding("pictures", [path.name]) if path.resolve() in person.pictures else []

    def forget(self, path: Path, person: Person) -> Outcome:
        """Delete the picture."""
        path.unlink(missing_ok=True)
        return Outcome("deleted")


class LeftOvers:
    """Temporary files that killed processes left; see `people.forgetting.holder.Holder`."""

    noun = "temporary file"

    def claims(self, path: Path, beginning: bytes) -> bool:
        """Return whether a file is called as our temporary files are."""
        return _LEFT_OVER.fullmatch(path.name) is not None

    def learn(self, path: Path, person: Person) -> None:
        """Do nothing: it may be cut anywhere."""

    def find(self, path: Path, person: Person) -> list[Finding]:
        """Return whether its ``bytes`` hold the name or a vector of the person."""
        return finding("bytes", [path.name]) if person.is_in_bytes(path.read_bytes()) else []

    def forget(self, path: Path, person: Person) -> Outcome:
        """Delete the file, unless it is so young that somebody may be writing it."""
        if time.time() - path.stat().st_mtime < _STILL_WRITTEN_S:
            return Outcome("", ["it was written within the last hour: end what writes it, then delete it"])
        path.unlink(missing_ok=True)
        return Outcome("deleted")


class Photos:
    """Photos and videos, which are never changed; see `people.forgetting.holder.Holder`."""

    noun = "photo"

    def claims(self, path: Path, beginning: bytes) -> bool:
        """Return whether a file is a photo or a video by its name."""
        return path.suffix.lower() in IMAGE_SUFFIXES | RAW_SUFFIXES | _VIDEO_SUFFIXES

    def learn(self, path: Path, person: Person) -> None:
        """Do nothing."""

    def find(self, path: Path, person: Person) -> list[Finding]:
        """Return whether the photo is ``called like them``."""
        return finding("called like them", [path.name]) if person.is_below(path) else []

    def forget(self, path: Path, person: Person) -> Outcome:
        """Change nothing."""
        return Outcome("", ["photos are never changed: delete, move or rename it, or else embedding brings them back"])


class OtherFiles:
    """Texts of other programs, such as sidecars, which are never changed; see `people.forgetting.holder.Holder`."""

    noun = "other file"

    def claims(self, path: Path, beginning: bytes) -> bool:
        """Return whether a file looks like text in UTF-8 or UTF-16."""
        is_wide = beginning.startswith((b"\xff\xfe", b"\xfe\xff"))
        return bool(beginning) and (is_wide or b"\0" not in beginning) and path.stat().st_size <= _MOST_TEXT

    def learn(self, path: Path, person: Person) -> None:
        """Do nothing."""

    def find(self, path: Path, person: Person) -> list[Finding]:
        """Return the ``lines`` that name the person."""
        content = path.read_bytes()
        is_wide = content.startswith((b"\xff\xfe", b"\xfe\xff"))
        text = content.decode("utf-16" if is_wide else "utf-8", "replace")
        return finding("lines", [line.strip()[:80] for line in text.splitlines() if person.is_in_text(line)])

    def forget(self, path: Path, person: Person) -> Outcome:
        """Change nothing."""
        return Outcome("", ["it belongs to another program or is not known: take the name out there"])


def _scenes_of(picture: Path) -> list[str]:
    match = _SCENE_OF.fullmatch(picture.name)
    return [f"scene-{match['stem']}-{match['frame']}.jpg"] if match else []
