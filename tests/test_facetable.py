"""The one command: the same commands as everywhere else, a help of one screen, shell completion."""

import ast
import re
import subprocess
import sys

import pytest

import facetable
import recognize
import train_classifier
from classifiers.commands.main import commands as head_commands
from classifiers.commands.main import main as classifiers_main
from embedder.commands.main import COMMANDS as EMBEDDER_COMMANDS
from embedder.commands.main import main as embedder_main
from foundation import __version__
from people.commands.main import commands as people_commands
from recognition.diagnosis.command import DOCTOR
from tests import PROJECT
from webapp.server.command import SERVE

COMMANDS = [command for group in facetable.command_groups() for command in group.commands]


def test_its_commands_are_those_of_the_packages_and_scripts():
    elsewhere = [*EMBEDDER_COMMANDS, *head_commands(), *people_commands(), train_classifier.TRAIN, recognize.RECOGNIZE]
    elsewhere = [command for command in elsewhere if command.name != "preset"]  # here it can measure, too
    elsewhere += [DOCTOR, SERVE, facetable.preset()]
    assert len(COMMANDS) == len(elsewhere)
    assert {(command.summary, command.add_arguments) for command in COMMANDS} == {
        (command.summary, command.add_arguments) for command in elsewhere
    }
    runs = {command.run for command in elsewhere}
    assert [command.name for command in COMMANDS if command.run not in runs] == ["enrol"]  # it reads clips, too
    names = [command.name for command in COMMANDS]
    assert len(set(names)) == len(names)


def spoken_commands(source: str) -> list[str]:
    """Return the remedies of a source text that name a command otherwise than the README does; docstrings may."""
    tree = ast.parse(source)
    docstrings = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    module, script = r"python -m (?:embedder|classifiers) [a-z]", r"(?:by |^|; )train_classifier\.py"
    spoken = rf"{module}|{script}|facetable people [a-z]+\b"
    return [
        found.group()
        for node in ast.walk(tree)
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in docstrings
        for found in re.finditer(spoken, node.value)
    ]


def test_remedies_name_commands_as_the_readme_does():
    assert spoken_commands('print("see python -m classifiers audit")\n"""python -m classifiers audit"""') != []
    packages = ("foundation", "embedder", "classifiers", "people", "recognition", "webapp")
    files = [file for package in packages for file in (PROJECT / package).rglob("*.py")]
    found = {(file.name, spoken) for file in files for spoken in spoken_commands(file.read_text("utf-8"))}
    assert found == {("people.py", "facetable people check")}  # who has decided, which is no remedy


def test_alone_it_lists_all_commands_on_one_screen(capsys):
    assert facetable.main([]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) <= 34 and max(map(len, lines)) <= 100
    assert [line.split()[0] for line in lines if line.startswith("  ")] == [command.name for command in COMMANDS]


@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: command.name)
def test_every_command_has_help(command, capsys):
    with pytest.raises(SystemExit) as ended:
        facetable.main([command.name, "--help"])
    assert ended.value.code == 0
    out = capsys.readouterr().out
    assert out.startswith(f"usage: facetable {command.name} ")
    assert "--debug" in out and "--threads" in out


@pytest.mark.parametrize(
    "main", [facetable.main, embedder_main, classifiers_main, train_classifier.main, recognize.main]
)
def test_the_version_is_said_everywhere(main, capsys):
    with pytest.raises(SystemExit) as ended:
        main(["--version"])
    assert ended.value.code == 0
    assert capsys.readouterr().out == f"facetable {__version__}\n"


@pytest.mark.parametrize("arguments", [["info", "no such file"], ["train", "no such table", "-o", "h.skops"]])
def test_errors_are_one_line_and_exit_code_2(arguments, capsys):
    assert facetable.main(arguments) == 2
    error = capsys.readouterr().err
    assert error.startswith(f"facetable {arguments[0]}: error: no such ")
    assert len(error.splitlines()) == 1


def test_sources_may_stand_on_both_sides_of_a_flag(tmp_path, capsys):
    (tmp_path / "a.jpg").touch()
    arguments = [str(tmp_path / "a.jpg"), "--head", "no such head", str(tmp_path / "b.jpg")]
    for main, command in ((facetable.main, ["recognize"]), (recognize.main, [])):
        assert main([*command, *arguments]) == 2
        assert f"{tmp_path / 'b.jpg'}: no such file or folder" in capsys.readouterr().err


def test_an_unknown_command_is_one_line(capsys):
    with pytest.raises(SystemExit) as ended:
        facetable.main(["embedd"])
    assert ended.value.code == 2
    error = capsys.readouterr().err
    assert "'embedd'" in error and "'embed'" in error and len(error.splitlines()) == 1


def test_bash_completes_commands_and_flags(tmp_path):
    script = tmp_path / "completion"
    printed = subprocess.run(
        [sys.executable, PROJECT / "facetable.py", "--print-completion", "bash"],
        capture_output=True,
        text=True,
        check=True,
    )
    script.write_text(printed.stdout)

    def completed(*words: str) -> set[str]:
        line = (
            f"source {script}; COMP_WORDS=({' '.join(repr(word) for word in words)}); COMP_CWORD={len(words) - 1}; "
            "_shtab_facetable; printf '%s\\n' \"${COMPREPLY[@]}\""
        )
        done = subprocess.run(["bash", "-c", line], capture_output=True, text=True, check=True)
        return {word.strip() for word in done.stdout.splitlines()}

    assert completed("facetable", "emb") == {"embed"}
    assert completed("facetable", "train", "--fp") == {"--fpir"}


def test_a_shell_that_is_not_known_is_one_line(capsys):
    with pytest.raises(SystemExit) as ended:
        facetable.main(["--print-completion", "cmd"])
    assert ended.value.code == 2
    assert "expected one of bash" in capsys.readouterr().err
