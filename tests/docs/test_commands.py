"""Every command that the README and the documentation show is understood, with all its flags."""

import contextlib
import importlib.util
import io
import re
import shlex

import pytest

from facetable import command_groups
from foundation.command_line import OneLineParser, add_shared_arguments
from tests import PROJECT
from tests.docs.pages import COMMAND, PAGES, commands_of, shell_lines_of

COMMANDS = {command.name: command for group in command_groups() for command in group.commands}


# Programs of others that the pages use.
OTHERS = ("curl", "dask", "docker", "mkdir", "pip", "ray", "tensorboard")


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


def is_known(line: str) -> bool:
    """Return whether a line is a command of ours or of another program, a module, or a target of the Makefile."""
    program, *words = shlex.split(line)
    if program == "make":
        return re.search(rf"^{words[0]}:", (PROJECT / "Makefile").read_text("utf-8"), re.MULTILINE) is not None
    if program == "python" and words[0] == "-m":
        return importlib.util.find_spec(words[1]) is not None
    return COMMAND.match(line) is not None or program in OTHERS


@pytest.mark.parametrize("document", PAGES, ids=lambda document: document.stem)
def test_every_line_for_a_terminal_is_known(document) -> None:
    """No command is left untried because it is written in a way that the test above does not see."""
    assert [line for line in shell_lines_of(document) if not is_known(line)] == []


def test_a_line_of_nobody_is_seen() -> None:
    assert [line for line in ("facetabel embed", "make tea", "python -m no_such_module") if is_known(line)] == []
