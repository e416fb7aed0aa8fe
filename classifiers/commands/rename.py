"""The commands ``python -m classifiers rename`` and ``merge``."""

import argparse
import sys
from pathlib import Path

from classifiers.commands.photo_arguments import add_head_argument


def add_rename_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of ``python -m classifiers rename``."""
    add_head_argument(parser)
    parser.add_argument("old", metavar="OLD", help="who gets another name")
    parser.add_argument("new", metavar="NEW", help="the new name, which nobody in the head has")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write what was renamed as JSON")


def add_merge_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of ``python -m classifiers merge``."""
    add_head_argument(parser)
    parser.add_argument("gone", metavar="GONE", help="whose photos get the other name")
    parser.add_argument("stays", metavar="STAYS", help="whose name stays")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write what was merged as JSON")


def run_rename(arguments: argparse.Namespace) -> int:
    """Give a person another name."""
    from classifiers.commands.enrol import describe_size, size_of
    from classifiers.files.head_file import load_head, save_head
    from classifiers.members.editing import check_new_name, enrolled_name, locked_for_editing
    from classifiers.members.renaming import rename_person
    from foundation.command_line import EXIT_DONE, write_json
    from foundation.text import pluralize

    with locked_for_editing(arguments.head):
        head = load_head(arguments.head)
        old, new = enrolled_name(head, arguments.old), check_new_name(arguments.new)
        changed = rename_person(head, old, new)
        save_head(changed, arguments.head)
    n_photos = changed.gallery.photos_per_identity[new]
    print(f"{arguments.head}: {old} is called {new}, {pluralize(n_photos, 'photo')}")
    print(describe_size(changed))
    if arguments.json is not None:
        renamed = {"head": str(arguments.head), "old": old, "new": new, "n_renamed": n_photos}
        write_json(arguments.json, {**renamed, **size_of(changed)})
    return EXIT_DONE


def run_merge(arguments: argparse.Namespace) -> int:
    """Make one person of two; warn where they do not look like one."""
    from classifiers.commands.enrol import describe_size, size_of
    from classifiers.files.head_file import load_head, save_head
    from classifiers.members.editing import enrolled_name, locked_for_editing
    from classifiers.members.renaming import merge_people
    from foundation.command_line import EXIT_DONE, write_json
    from foundation.text import format_apart, pluralize

    with locked_for_editing(arguments.head):
        head = load_head(arguments.head)
        gone, stays = enrolled_name(head, arguments.gone), enrolled_name(head, arguments.stays)
        merge = merge_people(head, gone, stays)
        save_head(merge.head, arguments.head)
    if merge.is_doubtful:
        likeness, expected = format_apart(merge.likeness, merge.expected, digits=2)
        print(
            f"warning: {gone} and {stays} do not look like one person: the best score between their photos is "
            f"{likeness}, expected at least {expected}; if they are two, train the head again with --fresh",
            file=sys.stderr,
        )
    print(f"{arguments.head}: {pluralize(merge.n_moved, 'photo')} of {gone} are {stays}'s now")
    print(describe_size(merge.head))
    if arguments.json is not None:
        merged = {"head": str(arguments.head), "gone": gone, "stays": stays, "n_moved": merge.n_moved}
        doubt = {"likeness": merge.likeness, "is_doubtful": merge.is_doubtful}
        write_json(arguments.json, {**merged, **doubt, **size_of(merge.head)})
    return EXIT_DONE
