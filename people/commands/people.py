"""The command ``facetable people``: what is decided about people and faces, and what that makes of them."""

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, Any

from foundation.command_line import EXIT_DONE, write_json
from foundation.paths import display_path
from people.commands import importing, listing, threshold

if TYPE_CHECKING:
    from people.store.reader import PeopleReader
    from people.store.store import PeopleStore
    from people.workspace.workspace import Workspace

_LISTINGS = ("list", "groups", "suggest", "show", "history", "together")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the actions of ``facetable people`` with their arguments."""
    parser.add_argument("workspace", type=Path, metavar="WORKSPACE", help="folder made by facetable init")
    actions = parser.add_subparsers(dest="action", required=True, metavar="ACTION")
    _add_listings(actions)
    name = _add(actions, "name", "give faces or a group a name; faces that have one move", faces=True)
    name.add_argument("name", metavar="NAME")
    _add(actions, "deny", "say that faces are not somebody", faces=True).add_argument("name", metavar="NAME")
    _add(actions, "nobody", "say that faces are strangers nobody cares about", faces=True)
    _add(actions, "not-a-face", "say that what was found is no face", faces=True)
    _add(actions, "same", "say that faces show one person", faces=True)
    _add(actions, "different", "say that faces show different people", faces=True)
    draw = _add(actions, "draw", "say where a face is that was not found, and perhaps whose; the next scan embeds it")
    draw.add_argument("photo", metavar="PATH", help="the photo or video, below the photo folder")
    draw.add_argument("box", metavar="X,Y,X,Y", help="left, top, right and bottom edge in pixels of the upright photo")
    draw.add_argument("name", nargs="?", metavar="NAME")
    draw.add_argument("--at", type=float, metavar="SECONDS", help="of a video: when the face is seen there")
    answer = _add(actions, "answer", "answer questions of suggest, one or several with the same answer")
    answer.add_argument("question", nargs="+", metavar="ID", help="as suggest shows it")
    answer.add_argument(
        "answer", choices=["yes", "no", "later", "likely"], help="likely: each as suggest shows that it probably is"
    )
    answer.add_argument(
        "--name", metavar="NAME", help="with yes, where two groups or faces without a name are one person: who that is"
    )
    rename = _add(actions, "rename", "give somebody another name")
    rename.add_argument("name", metavar="NAME")
    rename.add_argument("new_name", metavar="NEW")
    merge = _add(actions, "merge", "say that two people are one")
    merge.add_argument("name", metavar="NAME", help="who goes")
    merge.add_argument("into", metavar="INTO", help="whose name stays")
    move = _add(actions, "move", "give faces to somebody who has a name already", faces=True)
    move.add_argument("name", metavar="NAME", help="whose they are")
    split = _add(actions, "split", "take faces out of somebody: they are somebody else, or nobody knows who")
    split.add_argument("name", metavar="NAME", help="whose faces they are not")
    split.add_argument("--to", dest="new_name", metavar="NEW", help="who they are, somebody new; else nobody knows who")
    split.add_argument(
        "--face", action="append", required=True, metavar="PATH#INDEX", help="a face of NAME; may be repeated"
    )
    for action, text in (("hide", "leave somebody out of lists"), ("unhide", "list somebody again")):
        _add(actions, action, text).add_argument("name", metavar="NAME")
    undo = _add(actions, "undo", "take back a decision, by default the newest")
    undo.add_argument("decision", type=int, nargs="?", metavar="DECISION", help="its number, from history")
    _add(actions, "redo", "take back the newest undo")
    threshold.add_arguments(_add(actions, "threshold", "from which score faces get a name, and what one's people say"))
    importing.add_arguments(_add(actions, "import", "take the names that other programs gave faces"))
    _add(actions, "check", "check the whole store of decisions").add_argument(
        "--repair",
        action="store_true",
        help="let what is shown follow from the decisions where a version before did not heed one; by decisions, which "
        "undo takes back",
    )
    _add(actions, "backup", "copy the decisions into the workspace's backups")
    restore = _add(actions, "restore", "go back to a copy of the decisions; those of now are kept beside it")
    restore.add_argument("backup", type=Path, nargs="?", metavar="FILE", help="default: the newest of backups")


def _add_listings(actions: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    _add(actions, "list", "everybody with the number of faces and photos").add_argument(
        "--all", action="store_true", help="hidden people, too"
    )
    groups = _add(actions, "groups", "groups of unnamed faces, largest first")
    groups.add_argument("--top", type=int, default=20, metavar="N", help="how many (default: 20)")
    groups.add_argument("--html", type=Path, metavar="FILE", help="write a page that shows their faces")
    suggest = _add(actions, "suggest", "questions whose answer settles most faces")
    suggest.add_argument("--top", type=int, default=20, metavar="N", help="how many (default: 20)")
    _add(actions, "show", "the photos of somebody").add_argument("name", metavar="NAME")
    history = _add(actions, "history", "decisions, the newest first")
    history.add_argument("--of", metavar="NAME", help="those about somebody")
    history.add_argument("--top", type=int, default=20, metavar="N", help="how many (default: 20)")
    together = _add(actions, "together", "who is on photos with whom, and on how many")
    together.add_argument("--of", metavar="NAME", help="only with this person")
    together.add_argument("--top", type=int, default=20, metavar="N", help="how many to print (default: 20)")
    together.add_argument("--plot", type=Path, metavar="FILE", help="draw it, .png, .svg or .pdf")
    together.add_argument("--csv", type=Path, metavar="FILE", help="write one row a pair")


def _add(
    actions: "argparse._SubParsersAction[argparse.ArgumentParser]", name: str, text: str, *, faces: bool = False
) -> argparse.ArgumentParser:
    parser: argparse.ArgumentParser = actions.add_parser(name, help=text, description=f"{text[0].upper()}{text[1:]}.")
    if faces:
        which = parser.add_mutually_exclusive_group(required=True)
        which.add_argument(
            "--group", type=int, action="append", metavar="N", help="all faces of a group, from groups; may be repeated"
        )
        which.add_argument(
            "--face", action="append", default=[], metavar="PATH#INDEX", help="a face of a photo; may be repeated"
        )
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the result as JSON")
    return parser


def run(arguments: argparse.Namespace) -> int:
    """Do what the action says."""
    from people.commands import deciding
    from people.store.reader import PeopleReader
    from people.store.store import PeopleStore
    from people.workspace import backups
    from people.workspace.workspace import Workspace

    workspace = Workspace(arguments.workspace)
    result: Any
    if arguments.action == "restore":
        result = {"lines": backups.restore(workspace, arguments.backup)}
        print("\n".join(result["lines"]))
    elif arguments.action == "threshold":
        result = threshold.run(workspace, arguments)
    elif arguments.action in _LISTINGS:
        with PeopleReader(workspace.store) as reader:
            result = listing.show(workspace, reader, arguments)
    elif arguments.action == "check" and arguments.repair:
        with PeopleStore(workspace.store, by="facetable people check") as store:
            result = _repair(workspace, store)
    elif arguments.action in ("check", "backup"):
        with PeopleReader(workspace.store) as reader:
            result = _check(workspace, reader) if arguments.action == "check" else _back_up(workspace, reader)
    else:
        with PeopleStore(workspace.store, by=f"facetable people {arguments.action}") as store:
            if arguments.action == "import":
                return importing.run(workspace, store, arguments)
            print(deciding.decide(workspace, store, arguments))
            result = [listing.decision_as_json(store, store.decision(number)) for number in store.made]
    if arguments.json is not None:
        write_json(arguments.json, result)
    return EXIT_DONE


def _check(workspace: "Workspace", reader: "PeopleReader") -> dict[str, Any]:
    reader.check()
    print(f"{workspace.store}: sound, {reader.revision:,} decisions")
    return {"sound": True, "n_decisions": reader.revision}


def _repair(workspace: "Workspace", store: "PeopleStore") -> dict[str, Any]:
    repaired = store.repair()
    for decision in repaired:
        print(listing.describe(store, decision))
    return {**_check(workspace, store), "repaired": [listing.decision_as_json(store, one) for one in repaired]}


def _back_up(workspace: "Workspace", reader: "PeopleReader") -> dict[str, Any]:
    from people.workspace import backups

    copy = backups.back_up(workspace, reader)
    print(copy)
    return {"backup": display_path(copy)}
