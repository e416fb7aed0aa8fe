"""Two browsers, one face: an edit says what its caller saw, and is made only if that still holds."""

from collections.abc import Sequence

from people.browsing.drawn import faces_of_keys
from people.errors import ConflictError
from people.store.reader import PeopleReader
from people.store.scanned import ScannedFace
from webapp.api.models import SeenFace, SeenPerson


def check_faces(reader: PeopleReader, seen: Sequence[SeenFace]) -> list[ScannedFace]:
    """Return the faces, if all are still what was seen of them.

    Raises
    ------
    ConflictError
        If one is not; it says what holds now.
    UnknownFaceError
        If one is not there.
    """
    faces = faces_of_keys(reader, [one.key for one in seen])
    for one, face in zip(seen, faces, strict=True):
        if (face.state, face.person) != (one.state, one.person):
            now = reader.person(face.person).name if face.person is not None else face.state.replace("_", " ")
            raise ConflictError(
                f"{face.path}: somebody has decided about this face meanwhile, it is {now!r} now; look again"
            )
    return faces


def check_person(reader: PeopleReader, number: int, seen: SeenPerson) -> None:
    """Do nothing if a person is still as was seen.

    Raises
    ------
    ConflictError
        If not; it says what holds now.
    UnknownPersonError
        If nobody has the number.
    """
    person = reader.person(number)
    if (person.number, person.name, person.is_hidden) != (number, seen.name, seen.hidden):
        hidden = ", hidden" if person.is_hidden else ""
        raise ConflictError(
            f"{seen.name!r} was changed meanwhile, it is {person.name!r}{hidden} now; look again before deciding"
        )


def check_revision(reader: PeopleReader, seen: int) -> None:
    """Do nothing if nothing was decided since `seen`, the number of the newest decision then.

    Raises
    ------
    ConflictError
        If something was.
    """
    if reader.revision != seen:
        raise ConflictError("something else was decided meanwhile; look at the history before taking back the newest")
