"""Why a face is taken for somebody: the nearest named faces, the margin, the one that decides."""

from typing import TYPE_CHECKING, Annotated

from fastapi import APIRouter, Path

from foundation.paths import split_moment
from people.store.overlap import SAME_MOMENT_SECONDS
from people.store.reader import PeopleReader
from people.store.scanned import ScannedFace
from webapp.api.context import ContextOf, Reader
from webapp.api.models import Answer
from webapp.errors import NoHeadError
from webapp.naming.head import workspace_head
from webapp.naming.likeness import likeness_of

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from classifiers.heads.head import Head

router = APIRouter(prefix="/faces", tags=["faces"])


class NearFace(Answer):
    """A named face; `key` is null where the newest scan has it no more.

    Without one that `decides` the answer would be another.
    """

    key: str | None
    name: str
    path: str
    similarity: float
    decides: bool


class WhyAnswer(Answer):
    """Whom a face is taken for: `name` if `accepted`, which means that `score` reaches `threshold`.

    `second` is the most similar other person, by `margin` less alike; null where nobody else is named.
    """

    name: str
    accepted: bool
    score: float
    threshold: float
    second: str | None
    margin: float | None
    nearest: list[NearFace]


@router.get("/{key}/why", operation_id="explain_face")
def explain_face(context: ContextOf, reader: Reader, key: Annotated[str, Path(max_length=80)]) -> WhyAnswer:
    """Return why a face is given its name, as if it were not named itself; the people are those of the last scan."""
    from classifiers.members import explanation

    face = reader.faces_with_keys([key])[0]
    sha256 = face.face.photo_sha256
    contents = [sha256, *(other for other, photo in reader.same_photos().items() if photo == sha256)]
    head = _without(workspace_head(context), face, contents)
    vector = likeness_of(context).vectors.of_rows([face.row])[0]
    why = explanation.explain_face(head, vector)
    decisive = {one.row for one in why.decisive}
    return WhyAnswer(
        name=why.choice,
        accepted=why.score >= why.threshold,
        score=round(why.score, 4),
        threshold=round(why.threshold, 4),
        second=why.next_identity,
        margin=None if why.margin is None else round(why.margin, 4),
        nearest=[
            NearFace(
                key=_key_of(reader, one.path, one.box),
                name=one.identity,
                path=one.path,
                similarity=round(one.score, 4),
                decides=one.row in decisive,
            )
            for one in why.neighbors
        ],
    )


def _without(head: "Head", face: ScannedFace, contents: list[str]) -> "Head":
    """Return a head as if a face were not in it, whose photo has one of the hashes `contents`."""
    import numpy as np

    from classifiers.members.editing import refit_decision_rule

    gallery = head.gallery
    is_other = ~np.isin(gallery.image_sha256, contents) | (_overlaps(gallery.boxes, face.box) < 0.5)
    if is_other.all():
        return head
    if not is_other.any():
        raise NoHeadError("expected other named faces to compare with, found this one alone")
    matcher = head.matcher.selected(is_other)
    return head.replaced(matcher=matcher, decision_rule=refit_decision_rule(head, matcher))


def _key_of(reader: PeopleReader, path: str, box: tuple[float, ...]) -> str | None:
    import numpy as np

    video, time_s = split_moment(path)
    faces = reader.faces_in_table(path=path) or [
        face
        for face in reader.faces_in_table(path=video)
        if time_s is not None and abs(face.face.time_s - time_s) <= SAME_MOMENT_SECONDS
    ]
    if not faces:
        return None
    shares = _overlaps(np.array([face.box for face in faces]), box)
    return faces[int(shares.argmax())].face.key if shares.max() >= 0.5 else None


def _overlaps(boxes: "NDArray[np.floating]", box: tuple[float, ...]) -> "NDArray[np.float64]":
    import numpy as np

    from classifiers.scores.same_faces import overlaps

    return overlaps(np.asarray(boxes, np.float64), np.tile(np.array(box, np.float64), (len(boxes), 1)))
