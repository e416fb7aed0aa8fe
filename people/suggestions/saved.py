"""Questions kept in a file, so that they are asked without looking for them again; without names and paths."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from foundation.atomic import write_bytes_atomically
from people.errors import PersonError, UnknownFaceError
from people.store.reader import PeopleReader
from people.store.scanned import ScannedFace
from people.suggestions.questions import Suggestion


def save_questions(path: Path, questions: Sequence[Suggestion], *, revision: int) -> None:
    """Write questions for their owner alone.

    Parameters
    ----------
    path : Path
    questions : sequence of Suggestion
        In the order in which they shall be asked.
    revision : int
        Number of the newest decision when they were looked for.
    """
    record = {"revision": revision, "questions": [_as_record(question) for question in questions]}
    write_bytes_atomically(path, json.dumps(record).encode(), is_private=True)


def load_questions(path: Path, reader: PeopleReader, *, limit: int | None = None) -> tuple[int, list[Suggestion]]:
    """Return the questions that are still open, and the revision they were looked for at.

    It is -1 where there is no file, or none that can be used. What was answered or decided since is left out.
    """
    try:
        record = json.loads(path.read_bytes())
    except (FileNotFoundError, ValueError):
        return -1, []
    if any("chance" not in one for one in record["questions"]):  # a version before did not keep it
        return -1, []
    asked = reader.asked()
    found: list[Suggestion] = []
    for one in record["questions"]:
        if limit is not None and len(found) == limit:
            break
        question = None if one["id"] in asked else _as_question(one, reader)
        if question is not None:
            found.append(question)
    return record["revision"], found


def _as_record(question: Suggestion) -> dict[str, Any]:
    return {
        "id": question.id,
        "kind": question.kind,
        "n_settled": question.n_settled,
        "faces": [_seen(face) for face in question.faces],
        "others": [_seen(face) for face in question.others],
        "person": question.person,
        "other": question.other,
        "chance": round(float(question.chance), 4),
        "similarity": round(float(question.similarity), 4),
        "threshold": round(float(question.threshold), 4),
        "evidence": [[_seen(one), _seen(two), round(float(alike), 4)] for one, two, alike in question.evidence],
    }


def _seen(face: ScannedFace) -> list[Any]:
    return [face.face.key, face.state, face.person]


def _as_question(record: dict[str, Any], reader: PeopleReader) -> Suggestion | None:
    """Return a question as it stands now; None if one of its faces or people is not what it was."""
    try:
        for number in (record["person"], record["other"]):
            if number is not None and reader.person(number).number != number:
                return None
        faces, others = (_as_faces(record[name], reader) for name in ("faces", "others"))
        pairs = [(*_as_faces([one, two], reader), alike) for one, two, alike in record["evidence"]]
    except (UnknownFaceError, PersonError, _ChangedError):
        return None
    return Suggestion(
        id=record["id"],
        kind=record["kind"],
        text="",
        n_settled=record["n_settled"],
        faces=tuple(faces),
        others=tuple(others),
        person=record["person"],
        other=record["other"],
        chance=record["chance"],
        similarity=record["similarity"],
        threshold=record["threshold"],
        evidence=tuple((one, two, alike) for one, two, alike in pairs),
    )


class _ChangedError(Exception):
    """A face is not any more what it was."""


def _as_faces(seen: Sequence[Sequence[Any]], reader: PeopleReader) -> list[ScannedFace]:
    faces = reader.faces_with_keys([key for key, _, _ in seen])
    if any((face.state, face.person) != (state, person) for face, (_, state, person) in zip(faces, seen, strict=True)):
        raise _ChangedError
    return faces
