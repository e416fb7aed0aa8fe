"""What ``facetable people`` lists: people, groups of unnamed faces, somebody's photos, decisions."""

import argparse
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any

from foundation.csv_rows import write_rows
from foundation.formats import check_output
from foundation.paths import display_path
from foundation.text import pluralize, sanitize_for_terminal
from people.store.records import DRAWN

if TYPE_CHECKING:
    from people.store.reader import PeopleReader
    from people.store.records import Decision
    from people.store.scanned import Group, ScannedFace
    from people.workspace.workspace import Workspace

_FACES_SHOWN = 3


def show(workspace: "Workspace", reader: "PeopleReader", arguments: argparse.Namespace) -> Any:
    """Print what ``arguments.action`` lists, and return it as what JSON can hold."""
    if arguments.action == "suggest":
        lines, result = _questions(workspace, reader, arguments.top)
    elif arguments.action == "groups":
        lines, result = _groups(workspace, reader, arguments)
    else:
        make = {
            "list": _people,
            "show": _photos,
            "history": _history,
            "together": _together,
        }[arguments.action]
        lines, result = make(reader, arguments)
    print(sanitize_lines(lines))
    return result


def sanitize_lines(lines: list[str]) -> str:
    """Return lines as text that upsets no terminal."""
    return "\n".join(map(sanitize_for_terminal, lines))


def face_key(face: "ScannedFace") -> str:
    """Return how a face is written on the command line."""
    return f"{face.path}#{face.face_index}"


def is_video(path: str) -> bool:
    """Return whether a file of the table is a video, by its name."""
    from embedder.images.kinds import VIDEO_SUFFIXES

    return PurePosixPath(path).suffix.lower() in VIDEO_SUFFIXES


def _people(reader: "PeopleReader", arguments: argparse.Namespace) -> tuple[list[str], Any]:
    people = reader.people(hidden=arguments.all)
    lines = [
        f"{person.name}: {pluralize(person.n_faces, 'face')} in {pluralize(person.n_photos, 'photo')}"
        + (" (hidden)" if person.is_hidden else "")
        for person in people
    ] or ["nobody has a name yet; facetable people WORKSPACE groups shows who may get one"]
    result = [
        {
            "id": person.number,
            "name": person.name,
            "n_faces": person.n_faces,
            "n_photos": person.n_photos,
            "hidden": person.is_hidden,
        }
        for person in people
    ]
    return lines, result


def _groups(workspace: "Workspace", reader: "PeopleReader", arguments: argparse.Namespace) -> tuple[list[str], Any]:
    check_output(arguments.html, "--html", kind="page")
    groups = reader.groups()
    name_of = {person.number: person.name for person in reader.people()}
    if arguments.html is not None:
        from embedder.tables.table import EmbeddingTable
        from people.search.documents import write_groups

        table = EmbeddingTable.read(workspace.table)
        write_groups(arguments.html, groups[: arguments.top], name_of, table=table)
    lines = [_group_line(group, name_of) for group in groups[: arguments.top]]
    if len(groups) > arguments.top:
        lines.append(f"... and {pluralize(len(groups) - arguments.top, 'more group')}; --top shows more")
    result = [
        {
            "group": group.number,
            "n_faces": len(group.faces),
            "suggested_name": None if group.suggested is None else name_of[group.suggested],
            "faces": [_face_as_json(face) for face in group.faces],
        }
        for group in groups
    ]
    return lines or ["no group of unnamed faces; facetable scan WORKSPACE looks for new ones"], result


def _questions(workspace: "Workspace", reader: "PeopleReader", limit: int) -> tuple[list[str], Any]:
    from embedder.tables.table import EmbeddingTable
    from people.suggestions.questions import find_questions

    questions = find_questions(reader, EmbeddingTable.read(workspace.table), limit=limit)
    lines = []
    for question in questions:
        lines.append(f"{question.id}  {question.text} Probably {question.likely}.")
        lines += [f"    {face_key(one)} ~ {face_key(two)}  {alike:.2f}" for one, two, alike in question.evidence]
    if len(questions) > 1:
        ids = " ".join(one.id for one in questions)
        lines += [
            "all of these as they probably are; leave out what is not so, and answer it on its own:",
            f"    facetable people {display_path(workspace.folder)} answer {ids} likely",
        ]
    result = [
        {
            "id": question.id,
            "kind": question.kind,
            "n_settled": question.n_settled,
            "text": question.text,
            "chance": round(question.chance, 4),
            "likely": question.likely,
            "similarity": round(question.similarity, 4),
            "threshold": round(question.threshold, 4),
            "faces": [_face_as_json(face) for face in question.faces],
            "others": [_face_as_json(face) for face in question.others],
            "evidence": [
                [_face_as_json(one), _face_as_json(two), round(alike, 4)] for one, two, alike in question.evidence
            ],
        }
        for question in questions
    ]
    return lines or ["no question is open; facetable scan WORKSPACE looks for new faces"], result


def _face_as_json(face: "ScannedFace") -> dict[str, Any]:
    said = {"path": face.path, "face_index": face.face_index, "box": list(face.box)}
    return said | ({"time_s": round(face.face.time_s, 3)} if is_video(face.path) else {})


def _group_line(group: "Group", name_of: dict[int, str]) -> str:
    shown = ", ".join(face_key(face) for face in group.faces[:_FACES_SHOWN])
    more = len(group.faces) - _FACES_SHOWN
    likely = "" if group.suggested is None else f", perhaps {name_of[group.suggested]}"
    return f"{group.number}: {pluralize(len(group.faces), 'face')}{likely}: {shown}" + (
        f" and {more:,} more" if more > 0 else ""
    )


def _photos(reader: "PeopleReader", arguments: argparse.Namespace) -> tuple[list[str], Any]:
    person = reader.find_person(arguments.name)
    faces = reader.faces_in_table(person=person.number)
    lines = [face_key(face) + (f"  at {face.face.time_s:.1f} s" if is_video(face.path) else "") for face in faces]
    if person.n_faces > len({face.face for face in faces}):
        missing = person.n_faces - len({face.face for face in faces})
        lines.append(f"... and {pluralize(missing, 'face')} whose photo the table does not hold")
    return lines, {"id": person.number, "name": person.name, "faces": [_face_as_json(face) for face in faces]}


def _history(reader: "PeopleReader", arguments: argparse.Namespace) -> tuple[list[str], Any]:
    person = None if arguments.of is None else reader.find_person(arguments.of).number
    decisions = reader.history(person=person, limit=arguments.top)
    lines = [describe(reader, decision) for decision in decisions] or ["nothing was decided yet"]
    return lines, [decision_as_json(reader, decision) for decision in decisions]


def decision_as_json(reader: "PeopleReader", decision: "Decision") -> dict[str, Any]:
    """Return a decision as what JSON can hold."""
    return {
        "id": decision.number,
        "at": decision.at,
        "by": decision.by,
        "kind": decision.kind,
        "n_faces": decision.n_faces,
        "undoes": decision.undoes,
        "undone": decision.is_undone,
        "text": describe(reader, decision),
    }


def _together(reader: "PeopleReader", arguments: argparse.Namespace) -> tuple[list[str], Any]:
    check_output(arguments.plot, "--plot", kind="picture")
    person = None if arguments.of is None else reader.find_person(arguments.of).number
    name_of = {one.number: one.name for one in reader.people()}
    pairs = [(name_of[one], name_of[two], n) for one, two, n in reader.together(person)]
    if arguments.plot is not None:
        from people.search.together_plot import save_together

        save_together(arguments.plot, pairs)
    if arguments.csv is not None:
        write_rows(arguments.csv, ("name", "with", "n_photos"), pairs)
    lines = [f"{one} and {two}: {pluralize(n, 'photo')}" for one, two, n in pairs[: arguments.top]]
    if len(pairs) > arguments.top:
        lines.append(f"... and {pluralize(len(pairs) - arguments.top, 'more pair')}; --top shows more")
    return lines or ["no photo shows two people with names"], [
        {"name": one, "with": two, "n_photos": n} for one, two, n in pairs
    ]


def describe(reader: "PeopleReader", decision: "Decision") -> str:
    """Return a decision as one line: number, time, what, and whether it was taken back."""
    faces = pluralize(decision.n_faces, "face")
    person = "" if decision.person is None else reader.first_name(decision.person)
    before = f"{reader.name_before(decision)} " if decision.kind == "rename" else ""
    if before == f"{decision.text} ":
        before = ""  # the name before was that of somebody who was forgotten
    other = "" if decision.other is None else reader.first_name(decision.other)
    what = {
        "is": f"{faces} named {person}",
        "is_not": f"{faces} not {person}",
        "same": f"{faces} drawn" if decision.text == DRAWN else f"{faces} of one person",
        "different": f"{faces} of different people",
        "not_a_face": f"{faces} said to be no face",
        "nobody": f"{faces} said to be nobody's",
        "rename": f"{before}renamed to {decision.text}",
        "merge": f"{person} merged into {other}",
        "hide": f"{person} hidden",
        "show": f"{person} listed again",
        "cover": f"cover of {person} chosen",
        "undo": f"decision {decision.undoes} taken back",
    }[decision.kind]
    return f"{decision.number}  {decision.at[:19].replace('T', ' ')}  {what}" + (
        "  (taken back)" if decision.is_undone else ""
    )
