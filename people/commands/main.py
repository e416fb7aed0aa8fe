"""The commands about people, as ``facetable`` lists them."""

from foundation.command_line import Command
from people.commands import export, find, init, people, scan


def commands() -> list[Command]:
    """Return the commands in the order of the help."""
    return [
        Command("init", "Make a workspace: who is on the photos of some folders.", init.add_arguments, init.run),
        Command("scan", "Bring a workspace up to date with its photos.", scan.add_arguments, scan.run),
        Command("people", "List, name, merge people of a workspace; undo anything.", people.add_arguments, people.run),
        Command("find", "Find the photos of a workspace that show somebody.", find.add_arguments, find.run),
        Command("export", "Tell other programs who is on the photos.", export.add_arguments, export.run),
    ]
