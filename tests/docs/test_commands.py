"""Every command that the README and the documentation show is understood, with all its flags."""

import contextlib
import io

import pytest

from facetable import command_groups
from foundation.command_line import OneLineParser, add_shared_arguments
from tests.docs.pages import PAGES, commands_of

COMMANDS = {command.name: command for group in command_groups() for command in group.commands}


def refusal(words: list[str]) -> str:
    """Return what the command line says against `words`; nothing where it understands them."""
    name, *arguments = words
    if name not in COMMANDS:
        return f"no command {name}"
    parser = OneLineParser()
    COMMANDS[name].add_arguments(parser)
    add_shared_arguments(parser)
    said = io.StringIO()
    with contextlib.redirect_stderr(said), contextlib.redirect_stdout(said):
        try:
            parser.parse_args(arguments)
        except SystemExit as end:
            return "" if end.code == 0 else said.getvalue()
    return ""


def test_a_wrong_command_is_refused() -> None:
    assert "no command" in refusal(["embad", "photos"])
    assert "--nose" in refusal(["embed", "photos", "-o", "a.h5", "--nose"])
    assert "-o" in refusal(["embed", "photos"])


@pytest.mark.parametrize("document", PAGES, ids=lambda document: document.stem)
def test_the_commands_of_a_page_are_understood(document) -> None:
    refused = [(" ".join(words), said) for words in commands_of(document) if (said := refusal(words))]
    assert refused == []


def test_the_pages_show_many_commands() -> None:
    assert sum(len(list(commands_of(page))) for page in PAGES) > 60
