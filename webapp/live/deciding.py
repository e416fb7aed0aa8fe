"""Say who a visit was, or was not: its picture is kept, a decision made, and the head knows at once.

The picture becomes a photo of the workspace, so that the decision is about a face like any other and holds in all later
scans. Until the next one the head in use is changed, for a camera that goes on to name the face wrongly helps nobody.
"""

import hashlib
import io
from datetime import datetime
from typing import NamedTuple

from classifiers.errors import IdentityError
from classifiers.files.head_file import load_head, save_head
from classifiers.members.editing import enrol_faces, locked_for_editing
from classifiers.members.face_samples import FaceSample
from classifiers.members.rejection import reject
from foundation.atomic import write_bytes_atomically
from people.store.records import Decision, Face, check_name
from people.store.store import PeopleStore
from people.workspace.workspace import Workspace
from webapp.live.visits import Visit

_PRIVATE_FOLDER = 0o700


class Said(NamedTuple):
    """The decision, and why the head does not know the face yet: the next scan may take it all the same."""

    decision: Decision
    reasons: tuple[str, ...]


def name_visit(workspace: Workspace, store: PeopleStore, visit: Visit, name: str) -> Said:
    """Say that a visit was somebody, who is new if nobody is called so.

    Raises
    ------
    PersonError
        If the name cannot be given.
    OSError
        If the picture cannot be kept.
    """
    name = check_name(name)
    face, sample = _keep_picture(workspace, visit)
    decision = store.name([face], name)
    with locked_for_editing(workspace.head):
        # However blurred it is or like somebody else: who looks at the face knows, and the next scan takes it, too.
        save_head(enrol_faces(load_head(workspace.head), [sample], name), workspace.head)
    return Said(decision, ())


def deny_visit(workspace: Workspace, store: PeopleStore, visit: Visit, name: str) -> Said:
    """Say that a visit was not somebody.

    Raises
    ------
    UnknownPersonError
        If nobody is called so.
    OSError
        If the picture cannot be kept.
    """
    person = store.find_person(name)
    face, sample = _keep_picture(workspace, visit)
    decision = store.deny([face], person.number)
    try:
        with locked_for_editing(workspace.head):
            save_head(reject(load_head(workspace.head), sample, person.name).head, workspace.head)
    except IdentityError as error:  # named since the last scan, or by this face alone
        return Said(decision, (str(error),))
    return Said(decision, ())


def _keep_picture(workspace: Workspace, visit: Visit) -> tuple[Face, FaceSample]:
    """Keep a visit's picture among the workspace's photos; return the face on it."""
    content, size_wh = _with_time(visit)
    sha256 = hashlib.sha256(content).hexdigest()
    folder = workspace.live_pictures
    folder.mkdir(mode=_PRIVATE_FOLDER, exist_ok=True)
    place = folder / f"{sha256}.jpg"
    write_bytes_atomically(place, content, is_private=True)
    face = Face.in_pixels(sha256, visit.box, size_wh)
    measured = (visit.sharpness, visit.turn, visit.nose_height)
    return face, FaceSample(str(place), sha256, visit.vector, visit.box, visit.landmarks, *measured)


def _with_time(visit: Visit) -> tuple[bytes, tuple[int, int]]:
    """Return the picture's file with the time it was taken, so that it is found by its date, and its size."""
    from PIL import Image

    with Image.open(io.BytesIO(visit.jpeg)) as picture:
        exif = picture.getexif()
        exif.get_ifd(0x8769)[0x9003] = datetime.fromtimestamp(visit.began).strftime("%Y:%m:%d %H:%M:%S")
        stream = io.BytesIO()
        picture.save(stream, "JPEG", quality="keep", exif=exif)
        return stream.getvalue(), picture.size
