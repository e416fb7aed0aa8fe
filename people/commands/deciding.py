"""What ``facetable people`` decides: names, merges, what is no face, undo."""

import argparse
import math
from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from foundation.text import normalize_name
from people.commands.listing import describe, sanitize_lines
from people.errors import DecisionError

if TYPE_CHECKING:
    from people.store.records import Decision, Face
    from people.store.scanned import ScannedFile
    from people.store.store import PeopleStore
    from people.workspace.workspace import Workspace


def decide(workspace: "Workspace", store: "PeopleStore", arguments: argparse.Namespace) -> str:
    """Make the decision that the arguments ask for and return what is to be printed."""
    if arguments.action == "answer":
        return _answer(workspace, store, arguments)
    if arguments.action in ("name", "move", "deny", "nobody", "not-a-face", "same", "different"):
        decision = _about_faces(store, arguments)
    elif arguments.action == "split":
        decision = _split(store, arguments)
    elif arguments.action == "draw":
        decision = _draw(store, arguments)
    elif arguments.action == "rename":
        decision = store.rename(store.find_person(arguments.name).number, arguments.new_name)
    elif arguments.action == "merge":
        decision = store.merge(store.find_person(arguments.name).number, store.find_person(arguments.into).number)
    elif arguments.action in ("hide", "unhide"):
        decision = store.hide(store.find_person(arguments.name).number, hidden=arguments.action == "hide")
    elif arguments.action == "undo":
        decision = store.undo(arguments.decision)
    else:
        decision = store.redo()
    lines = [describe(store, decision)]
    if decision.undoes is not None:
        lines.append(f"  that was: {describe(store, store.decision(decision.undoes))}")
    return sanitize_lines(lines)


def _answer(workspace: "Workspace", store: "PeopleStore", arguments: argparse.Namespace) -> str:
    from embedder.tables.table import EmbeddingTable
    from people.suggestions.answers import answer_together
    from people.suggestions.questions import find_these

    ids = list(dict.fromkeys(arguments.question))
    found = find_these(store, EmbeddingTable.read(workspace.table), ids)
    for number in ids:
        if number not in found:
            raise DecisionError(
                f"expected the id of an open question, got {number!r}; facetable people {workspace.folder} "
                "suggest shows them"
            )
    if arguments.name is not None and len(ids) > 1:
        raise DecisionError(f"--name says who is seen in one question, got {len(ids)}; answer that one alone")
    decisions = answer_together(store, [(found[number], arguments.answer, arguments.name) for number in ids])
    return sanitize_lines(["noted" if decision is None else describe(store, decision) for decision in decisions])


def _about_faces(store: "PeopleStore", arguments: argparse.Namespace) -> "Decision":
    if arguments.group is not None:
        groups = {group.number: group for group in store.groups()}
        unknown = [number for number in arguments.group if number not in groups]
        if unknown:
            raise DecisionError(
                f"expected the number of a group of unnamed faces, got {unknown[0]}; facetable people "
                f"{arguments.workspace} groups shows them"
            )
        faces = [face.face for number in dict.fromkeys(arguments.group) for face in groups[number].faces]
    else:
        faces = _faces_called(store, arguments.face)
    if arguments.action == "name":
        return store.name(faces, arguments.name)
    if arguments.action == "move":
        return store.name(faces, store.find_person(arguments.name).name)
    if arguments.action == "deny":
        return store.deny(faces, store.find_person(arguments.name).number)
    return {
        "nobody": store.mark_nobody,
        "not-a-face": store.mark_not_a_face,
        "same": store.join,
        "different": store.part,
    }[arguments.action](faces)


def _split(store: "PeopleStore", arguments: argparse.Namespace) -> "Decision":
    person = store.find_person(arguments.name)
    theirs = {face.face for face in store.faces_in_table(person=person.number)}
    faces = _faces_called(store, arguments.face)
    for key, face in zip(arguments.face, faces, strict=True):
        if face not in theirs:
            raise DecisionError(f"{key}: expected a face of {person.name}, found one that is not; leave it out")
    if arguments.new_name is None:
        return store.deny(faces, person.number)
    if len(set(faces)) == person.n_faces:
        raise DecisionError(
            f"expected some of the faces of {person.name}, got all {person.n_faces:,}; to change the name, rename"
        )
    if any(one.name == normalize_name(arguments.new_name) for one in store.people()):
        raise DecisionError(
            f"{arguments.new_name!r} is what somebody is called already; to give that person faces, move"
        )
    return store.name(faces, arguments.new_name)


def _draw(store: "PeopleStore", arguments: argparse.Namespace) -> "Decision":
    from people.store.records import Face

    files = [file for file in store.files() if file.path == arguments.photo and file.width]
    if not files:
        raise DecisionError(
            f"{arguments.photo}: expected a photo, as the table of the workspace names it, found none; scan it first"
        )
    width, height = files[0].width, files[0].height
    try:
        left, top, right, bottom = map(float, arguments.box.split(","))
    except ValueError:
        raise DecisionError(
            f"the box must be left,top,right,bottom in pixels, such as 10,20,110,140, got {arguments.box!r}"
        ) from None
    if not (0 <= left < right <= width and 0 <= top < bottom <= height):
        raise DecisionError(
            f"{arguments.photo}: expected a box within the photo of {width}x{height} pixels, left before right and top "
            f"above bottom, got {arguments.box}"
        )
    time_s = _check_moment(files[0], arguments.at)
    face = replace(Face.in_pixels(files[0].sha256, (left, top, right, bottom), (width, height)), time_s=time_s)
    return store.draw(face) if arguments.name is None else store.name([face], arguments.name)


def _check_moment(file: "ScannedFile", at: float | None) -> float:
    """Return how many seconds into a video a face is seen, 0 on a photo."""
    if file.kind == "video" and not (at is not None and math.isfinite(at) and at >= 0):
        found = "none" if at is None else str(at)
        raise DecisionError(
            f"{file.path}: is a video: expected the second at which the face is seen, got {found}; give it, as in "
            "--at 12.5"
        )
    if file.kind != "video" and at is not None:
        raise DecisionError(f"{file.path}: is a photo, which has no seconds; leave out --at")
    return 0.0 if at is None else at


def _faces_called(store: "PeopleStore", keys: Sequence[str]) -> list["Face"]:
    faces = []
    for key in keys:
        path, mark, index = key.rpartition("#")
        if not mark or not index.isdecimal():
            raise DecisionError(f"--face must be PATH#INDEX, such as party.jpg#0, got {key!r}")
        found = [face for face in store.faces_in_table(path=path) if face.face_index == int(index)]
        if not found:
            there = store.faces_in_table(path=path)
            raise DecisionError(
                f"{path}: expected its face {index}, found {len(there)} faces; counting begins with 0"
                if there
                else f"{path}: expected a photo with a face, as the table of the workspace names it, found none"
            )
        faces.append(found[0].face)
    return faces
