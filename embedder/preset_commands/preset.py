"""The command ``facetable preset`` and its actions."""

from collections.abc import Sequence

from embedder.preset_commands.listing import LIST
from embedder.preset_commands.new import NEW
from foundation.command_line import Command, nest_commands


def preset_command(more: Sequence[Command] = ()) -> Command:
    """Return the command with its actions, and with `more` of them from other packages."""
    return nest_commands("preset", "List networks to choose from, describe a new one.", [LIST, NEW, *more])
