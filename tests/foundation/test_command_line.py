"""What the user reads when a command cannot run, and the JSON that commands write."""

import argparse
import errno
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from foundation.command_line import (
    EXIT_COULD_NOT_RUN,
    EXIT_DONE,
    Command,
    nest_commands,
    run_command,
    run_commands,
    run_guarded,
    write_json,
)

NO_ROOM = "No space left on device; expected room to write, free some space and run the same command again\n"
ARGUMENTS = argparse.Namespace(threads=None, debug=False)


def run_raising(error, capsys):
    def run(_):
        raise error

    assert run_guarded("prog", run, ARGUMENTS) == EXIT_COULD_NOT_RUN
    captured = capsys.readouterr()
    assert captured.out == ""
    return captured.err


@pytest.mark.parametrize(
    ("number", "remedy"),
    [
        (errno.ENOENT, "expected it to exist, check the path"),
        (errno.EEXIST, "expected a folder, found a file, check the path"),
        (errno.ELOOP, "expected links that lead somewhere, mend them or check the path"),
        (errno.EISDIR, "expected a file, found a folder, name a file in it"),
        (errno.EACCES, "expected permission to use it, change its permissions or name another place"),
        (errno.ENOSPC, "expected room to write, free some space and run the same command again"),
    ],
)
def test_the_systems_own_words_are_followed_by_the_remedy(number, remedy, capsys):
    error = OSError(number, os.strerror(number), "faces.h5")
    assert run_raising(error, capsys) == f"prog: error: faces.h5: {os.strerror(number)}; {remedy}\n"


def test_an_error_with_its_own_remedy_is_left_alone(capsys):
    error = FileNotFoundError(errno.ENOENT, "expected photos, found nothing; check the path", "album")
    assert run_raising(error, capsys) == "prog: error: album: expected photos, found nothing; check the path\n"


def test_a_file_name_cannot_move_the_cursor(capsys):
    error = FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), "a\x1b[2J\rb.jpg")
    assert run_raising(error, capsys).startswith("prog: error: a [2J b.jpg: ")


def test_a_link_that_leads_nowhere_is_named_with_its_target(tmp_path, capsys):
    link = tmp_path / "faces.h5"
    link.symlink_to("gone.h5")
    with pytest.raises(FileNotFoundError) as raised:
        link.open()
    assert run_raising(raised.value, capsys) == (
        f"prog: error: {link}: expected it to exist, found a dangling link to gone.h5; mend the link or check the "
        "path\n"
    )


def test_a_failed_rename_names_the_users_file(tmp_path, capsys):
    (tmp_path / "folder").mkdir()
    with pytest.raises(OSError) as raised:
        write_json(tmp_path / "folder", {})
    message = run_raising(raised.value, capsys)
    assert message.startswith(f"prog: error: {tmp_path / 'folder'}: ")
    assert ".tmp" not in message
    assert [path.name for path in tmp_path.iterdir()] == ["folder"]


def test_an_error_without_a_file_has_no_number(capsys):
    assert run_raising(OSError(errno.ENOSPC, os.strerror(errno.ENOSPC)), capsys) == f"prog: error: {NO_ROOM}"


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full, which Linux has")
def test_output_that_cannot_be_written_is_named():
    code = (
        "import argparse; from foundation.command_line import run_guarded; "
        "arguments = argparse.Namespace(threads=None, debug=False); "
        "raise SystemExit(run_guarded('prog', lambda _: print('x') or 0, arguments))"
    )
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONUNBUFFERED"}
    with Path("/dev/full").open("w") as full:
        finished = subprocess.run(
            [sys.executable, "-c", code], stdout=full, stderr=subprocess.PIPE, text=True, check=False, env=environment
        )
    assert finished.returncode == EXIT_COULD_NOT_RUN
    assert finished.stderr == f"prog: error: standard output: {NO_ROOM}"


@pytest.mark.parametrize(
    ("interrupt", "line"),
    [
        (KeyboardInterrupt(), "prog: interrupted\n"),
        (KeyboardInterrupt("run it again to go on"), "prog: interrupted; run it again to go on\n"),
    ],
)
def test_an_interrupt_is_one_line(interrupt, line, capsys):
    def run(_):
        raise interrupt

    assert run_guarded("prog", run, ARGUMENTS) == 130
    assert capsys.readouterr().err == line


@pytest.mark.parametrize(
    ("encoding", "printed"), [("utf-8:strict", "caf\\udce9 王"), ("ascii:strict", "caf\\udce9 \\u738b")]
)
def test_what_the_output_cannot_write_is_escaped(encoding, printed):
    code = (
        "import argparse; from foundation.command_line import run_guarded; "
        "arguments = argparse.Namespace(threads=None, debug=False); "
        "raise SystemExit(run_guarded('prog', lambda _: print('caf\\udce9 王') or 0, arguments))"
    )
    finished = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        encoding="utf-8",
        check=False,
        env=os.environ | {"PYTHONIOENCODING": encoding, "PYTHONUTF8": "1"},
    )
    assert (finished.returncode, finished.stderr, finished.stdout) == (0, "", printed + "\n")


def test_json_keeps_file_names_that_are_no_text(tmp_path):
    write_json(tmp_path / "r.json", {"file": "caf\udce9.h5"})
    assert json.loads((tmp_path / "r.json").read_text(encoding="utf-8")) == {"file": "caf\udce9.h5"}


def test_a_closed_output_is_no_error(monkeypatch):
    monkeypatch.setattr(sys, "stdout", None)
    assert run_guarded("prog", lambda _: 0, ARGUMENTS) == 0


def test_json_replaces_json(tmp_path):
    path = tmp_path / "r.json"
    for result in ({"name": "张"}, [1, 2]):
        write_json(path, result)
        assert json.loads(path.read_text(encoding="utf-8")) == result
    assert [found.name for found in tmp_path.iterdir()] == ["r.json"]


def test_json_never_replaces_a_file_of_another_kind(tmp_path):
    path = tmp_path / "faces.h5"
    path.write_bytes(b"\x89HDF\r\n\x1a\n")
    with pytest.raises(ValueError, match=r"faces\.h5: expected JSON or nothing here to replace"):
        write_json(path, {})
    assert path.read_bytes() == b"\x89HDF\r\n\x1a\n"


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no file-size limit to set")
def test_json_without_room_names_the_file_and_keeps_the_old_one(tmp_path):
    import resource

    path = tmp_path / "r.json"
    path.write_text("{}")
    limit = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1000, limit[1]))
    try:
        with pytest.raises(OSError, match="no room to write it") as raised:
            write_json(path, ["x" * 5000])
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limit)
    assert raised.value.filename == str(path)
    assert path.read_text() == "{}"
    assert [found.name for found in tmp_path.iterdir()] == ["r.json"]


@pytest.mark.parametrize("nargs", ["+", "*"])
@pytest.mark.parametrize(
    ("argv", "files"),
    [
        (["a", "--head", "H", "b"], ["a", "b"]),
        (["a", "b", "--head", "H", "c", "--fast", "d", "e"], ["a", "b", "c", "d", "e"]),
        (["--head", "H", "a", "--fast", "b"], ["a", "b"]),
        (["a", "--head", "H", "-", "--", "-b", "--head"], ["a", "-", "-b", "--head"]),
    ],
)
def test_files_may_stand_on_both_sides_of_a_flag(nargs, argv, files):
    def add_arguments(parser):
        parser.add_argument("files", nargs=nargs, type=Path)
        parser.add_argument("--head", required=True)
        parser.add_argument("--fast", action="store_true")

    seen = []

    def run(arguments):
        seen.append((arguments.files, arguments.head))
        return EXIT_DONE

    command = Command("name", "Do it.", add_arguments, run)
    assert run_command("prog", command, argv) == EXIT_DONE
    assert run_commands("prog", "Do things.", [command], ["name", *argv]) == EXIT_DONE
    assert seen == [([Path(file) for file in files], "H")] * 2


@pytest.mark.parametrize(
    ("argv", "message"),
    [
        (["a", "--head", "H", "b", "--wrong", "c"], "unrecognized arguments: --wrong"),
        (["--head", "H"], "the following arguments are required: files"),
        (["1", "--head", "H", "x"], "argument files: invalid int value: 'x'"),
    ],
)
def test_what_is_no_file_is_refused_as_before(argv, message, capsys):
    def add_arguments(parser):
        parser.add_argument("files", nargs="+", type=int if argv[0] == "1" else str)
        parser.add_argument("--head", required=True)

    with pytest.raises(SystemExit):
        run_command("prog", Command("name", "Do it.", add_arguments, lambda _: EXIT_DONE), argv)
    assert capsys.readouterr().err == f"prog: error: {message}; see prog --help\n"


def test_a_command_that_takes_one_file_takes_no_second(capsys):
    def add_arguments(parser):
        parser.add_argument("file")
        parser.add_argument("--fast", action="store_true")

    with pytest.raises(SystemExit):
        run_command("prog", Command("name", "Do it.", add_arguments, lambda _: EXIT_DONE), ["a", "--fast", "b"])
    assert capsys.readouterr().err == "prog: error: unrecognized arguments: b; see prog --help\n"


def test_an_unknown_flag_of_a_command_names_that_command(capsys):
    inner = Command("name", "Name.", lambda parser: parser.add_argument("who"), lambda arguments: 0)
    commands = [
        Command("show", "Show.", lambda parser: parser.add_argument("file"), lambda arguments: 0),
        nest_commands("people", "Decide.", [inner]),
    ]
    for argv, prog in ((["show", "f", "--to"], "prog show"), (["people", "name", "Anna", "--to"], "prog people name")):
        with pytest.raises(SystemExit) as stopped:
            run_commands("prog", "Do.", commands, argv)
        assert stopped.value.code == 2
        assert capsys.readouterr().err == f"{prog}: error: unrecognized arguments: --to; see {prog} --help\n"
