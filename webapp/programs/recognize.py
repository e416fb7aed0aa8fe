"""Who is on a picture: faces, vectors, names; nothing of it is kept."""

from typing import TYPE_CHECKING, Any

from fastapi import APIRouter

from webapp.api.context import Context, ContextOf
from webapp.api.models import Answer
from webapp.naming.head import workspace_head
from webapp.programs.networks import encoder_of
from webapp.programs.uploads import OnePicture, TwoPictures, describe_upload

if TYPE_CHECKING:
    import numpy as np

    from embedder.networks.encoder import EncodedFaces

router = APIRouter(tags=["pictures"])

Box = tuple[float, float, float, float]
Points = list[tuple[float, float]]

_N_NEAREST = 3
_UNKNOWN = "unknown"


class DetectedFace(Answer):
    """A face: box (x_min, y_min, x_max, y_max) and five points in pixels of the upright picture, and how sure it is."""

    box: Box
    landmarks: Points
    detection_score: float


class EmbeddedFace(DetectedFace):
    """A face and its vector, of unit length."""

    embedding: list[float]


class NearPerson(Answer):
    """A person, and how alike the most similar of their faces is."""

    name: str
    score: float


class RecognizedFace(DetectedFace):
    """A face and who it is: ``unknown`` where no `score` reaches the `threshold`; `nearest` people either way."""

    name: str
    score: float
    threshold: float
    nearest: list[NearPerson]


class DetectAnswer(Answer):
    """The faces of a picture, the surest first."""

    width: int
    height: int
    faces: list[DetectedFace]


class EmbedAnswer(Answer):
    """The faces of a picture with their vectors; vectors may be compared where `space` in `fingerprint` is equal."""

    width: int
    height: int
    faces: list[EmbeddedFace]
    fingerprint: dict[str, Any]


class RecognizeAnswer(Answer):
    """The faces of a picture with their names."""

    width: int
    height: int
    faces: list[RecognizedFace]


class CompareAnswer(Answer):
    """The main face of either picture, and the cosine of their vectors; null where a picture shows no face."""

    a: DetectedFace | None
    b: DetectedFace | None
    similarity: float | None


@router.post("/detect", operation_id="detect_faces", openapi_extra=describe_upload("file"))
def detect_faces(context: ContextOf, picture: OnePicture) -> DetectAnswer:
    """Return where faces are on a picture."""
    encoded = encoder_of(context).encode(picture)
    faces = [DetectedFace(**_place(encoded, place)) for place in range(len(encoded))]
    return DetectAnswer(**_size(picture), faces=faces)


@router.post("/embed", operation_id="embed_faces", openapi_extra=describe_upload("file"))
def embed_faces(context: ContextOf, picture: OnePicture) -> EmbedAnswer:
    """Return the faces of a picture with their vectors."""
    encoder = encoder_of(context)
    encoded = encoder.encode(picture)
    faces = [
        EmbeddedFace(**_place(encoded, place), embedding=encoded.embeddings[place].tolist())
        for place in range(len(encoded))
    ]
    return EmbedAnswer(**_size(picture), faces=faces, fingerprint=encoder.fingerprint)


@router.post("/recognize", operation_id="recognize_faces", openapi_extra=describe_upload("file"))
def recognize_faces(context: ContextOf, picture: OnePicture) -> RecognizeAnswer:
    """Return the faces of a picture with the names that the last scan has learned."""
    head = workspace_head(context)
    encoder = encoder_of(context)
    encoded = encoder.encode(picture)
    if not len(encoded):
        return RecognizeAnswer(**_size(picture), faces=[])
    names, scores = head.identify(encoded.embeddings, fingerprint=encoder.fingerprint)
    similarities = head.similarity(encoded.embeddings)
    faces = [
        RecognizedFace(
            **_place(encoded, place),
            name=str(names[place]) or _UNKNOWN,
            score=round(float(scores[place]), 4),
            threshold=round(float(head.threshold), 4),
            nearest=[
                NearPerson(name=head.labels[number], score=round(float(similarities[place, number]), 4))
                for number in (-similarities[place]).argsort(kind="stable")[:_N_NEAREST].tolist()
            ],
        )
        for place in range(len(encoded))
    ]
    return RecognizeAnswer(**_size(picture), faces=faces)


@router.post("/recognize/compare", operation_id="compare_pictures", openapi_extra=describe_upload("a", "b"))
def compare_pictures(context: ContextOf, pictures: TwoPictures) -> CompareAnswer:
    """Return how alike the main faces of two pictures are."""
    main = [_main_face(context, picture) for picture in pictures]
    similarity = None
    if main[0] is not None and main[1] is not None:
        similarity = round(float(main[0][1] @ main[1][1]), 4)
    a, b = (None if one is None else one[0] for one in main)
    return CompareAnswer(a=a, b=b, similarity=similarity)


def _main_face(context: Context, picture: "np.ndarray") -> "tuple[DetectedFace, np.ndarray] | None":
    encoded = encoder_of(context).encode(picture)
    if not len(encoded):
        return None
    place = int(encoded.faces.primary(picture.shape[:2]))
    return DetectedFace(**_place(encoded, place)), encoded.embeddings[place]


def _size(picture: "np.ndarray") -> dict[str, Any]:
    return {"width": int(picture.shape[1]), "height": int(picture.shape[0])}


def _place(encoded: "EncodedFaces", place: int) -> dict[str, Any]:
    faces = encoded.faces
    return {
        "box": tuple(round(float(side), 1) for side in faces.boxes[place]),
        "landmarks": [(round(float(x), 1), round(float(y), 1)) for x, y in faces.landmarks[place]],
        "detection_score": round(float(faces.scores[place]), 4),
    }
