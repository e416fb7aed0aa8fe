"""Run command lines: sub-commands, errors on one line, exit codes.

It loads nothing but the standard library, so that ``--help`` answers at once.
"""

import argparse
import errno
import io
import json
import logging
import os
import sys
import traceback
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple, NoReturn

from foundation import __version__
from foundation.errors import FacetableError, InputError
from foundation.installation import explain_import_error, warn_of_opencv_conflict
from foundation.text import sanitize_for_terminal
from foundation.threads import bound_threads, choose_device, parse_threads

EXIT_DONE = 0
EXIT_SOME_INPUTS_FAILED = 1
EXIT_COULD_NOT_RUN = 2
EXIT_SOMEBODY_FOUND = 3  # of `audit` alone
EXIT_INTERRUPTED = 130

# Error numbers whose message alone is a few words, with what was expected and the remedy.
_REMEDIES = {
    errno.ENOENT: "expected it to exist, check the path",
    errno.EEXIST: "expected a folder, found a file, check the path",
    errno.EISDIR: "expected a file, found a folder, name a file in it",
    errno.ENOTDIR: "expected a folder, found a file, check the path",
    errno.EACCES: "expected permission to use it, change its permissions or name another place",
    errno.EPERM: "expected permission to use it, change its permissions or name another place",
    errno.EROFS: "expected a place that can be written to, name another",
    errno.ELOOP: "expected links that lead somewhere, mend them or check the path",
    errno.ENOSPC: "expected room to write, free some space and run the same command again",
}


@dataclass(frozen=True)
class Command:
    """Sub-command of a command line.

    Attributes
    ----------
    name : str
    summary : str
        One sentence for the help.
    add_arguments : callable
        Fills the command's parser.
    run : callable
        Runs the command and returns its exit code. It imports what it needs itself, so that the help of one command
        never loads the libraries of another.
    """

    name: str
    summary: str
    add_arguments: Callable[[argparse.ArgumentParser], None]
    run: Callable[[argparse.Namespace], int]


class CommandGroup(NamedTuple):
    """Commands that the help shows together, under a title."""

    title: str
    commands: Sequence[Command]


class OneLineParser(argparse.ArgumentParser):
    """An argument parser whose errors are one line on standard error.

    Where a command takes any number of files they may stand on both sides of a flag, as in ``a.jpg --head H b.jpg``.
    """

    def parse_known_args(self, args: Any = None, namespace: Any = None) -> tuple[Any, list[str]]:
        """Parse as `argparse.ArgumentParser` does, and take further files for those of the last positional argument.

        What is left over is refused here, not by the parser that this one is a command of: its name and its help are
        those to be told.
        """
        # `parse_intermixed_args` refuses a parser with sub-commands, and loses what stands behind a `--`.
        found, rest = super().parse_known_args(args, namespace)
        positionals = self._get_positional_actions()
        if rest and positionals and positionals[-1].nargs in (argparse.ZERO_OR_MORE, argparse.ONE_OR_MORE):
            taken, rest = _split_positionals(rest)
            try:
                more = [self._get_value(positionals[-1], text) for text in taken]
            except argparse.ArgumentError as error:
                self.error(str(error))
            setattr(found, positionals[-1].dest, [*getattr(found, positionals[-1].dest), *more])
        if rest:
            self.error(f"unrecognized arguments: {' '.join(rest)}")
        return found, rest

    def error(self, message: str) -> NoReturn:
        """Print `message` as one line and exit with 2."""
        self.exit(EXIT_COULD_NOT_RUN, f"{self.prog}: error: {message}; see {self.prog} --help\n")


def add_shared_arguments(parser: argparse.ArgumentParser, *, is_inner: bool = False) -> None:
    """Add the flags every command has: ``--threads`` and ``--debug``.

    With `is_inner`, for an action of a command that has them too: what is said before the action holds.
    """
    parser.add_argument(
        "--threads",
        type=_threads_argument,
        metavar="N",
        default=argparse.SUPPRESS if is_inner else None,
        help="threads to use (default: $FACETABLE_THREADS, else all cores)",
    )
    unsaid = argparse.SUPPRESS if is_inner else False
    parser.add_argument("--debug", action="store_true", default=unsaid, help="show the traceback of an error")


def nest_commands(name: str, summary: str, commands: Sequence[Command]) -> Command:
    """Return one command that has `commands` as actions: ``facetable NAME ACTION ...``."""

    def add_arguments(parser: argparse.ArgumentParser) -> None:
        actions = parser.add_subparsers(dest="action", required=True, metavar="ACTION", parser_class=OneLineParser)
        for command in commands:
            action = actions.add_parser(command.name, help=command.summary, description=command.summary)
            command.add_arguments(action)
            add_shared_arguments(action, is_inner=True)

    def run(arguments: argparse.Namespace) -> int:
        return next(command.run for command in commands if command.name == arguments.action)(arguments)

    return Command(name, summary, add_arguments, run)


def run_commands(prog: str, description: str, commands: Sequence[Command], argv: Sequence[str] | None) -> int:
    """Run the sub-command that `argv` names and return its exit code; without one, print the help.

    Parameters
    ----------
    prog : str
        What the command line is called in help and messages.
    description : str
        One sentence for the help.
    commands : sequence of Command
    argv : sequence of str or None
        The arguments; None for those of the process.
    """
    parser = OneLineParser(prog=prog, description=description)
    _add_version(parser)
    _add_commands(parser, commands)
    return _run_chosen(parser, argv)


def run_command_groups(prog: str, description: str, groups: Sequence[CommandGroup], argv: Sequence[str] | None) -> int:
    """Run the command that `argv` names and return its exit code; without one, print the groups on one screen."""
    parser = _GroupedParser(groups, prog=prog, description=description)
    _add_version(parser)
    parser.add_argument(
        "--print-completion",
        action=_PrintCompletion,
        metavar="SHELL",
        help="print what lets a shell (bash, zsh, fish, tcsh) complete commands and flags",
    )
    _add_commands(parser, [command for group in groups for command in group.commands])
    return _run_chosen(parser, argv)


def run_command(prog: str, command: Command, argv: Sequence[str] | None) -> int:
    """Run a script that is one command and return its exit code."""
    return run_script(prog, command.summary, command.add_arguments, command.run, argv=argv)


def run_script(
    prog: str,
    description: str,
    add_arguments: Callable[[argparse.ArgumentParser], None],
    run: Callable[[argparse.Namespace], int],
    *,
    argv: Sequence[str] | None,
) -> int:
    """Run a script without sub-commands and return its exit code.

    Parameters
    ----------
    prog, description, argv
        As in `run_commands`.
    add_arguments, run
        As in `Command`.
    """
    parser = OneLineParser(prog=prog, description=description)
    _add_version(parser)
    add_arguments(parser)
    add_shared_arguments(parser)
    return run_guarded(prog, run, parser.parse_args(argv))


def run_guarded(prog: str, run: Callable[[argparse.Namespace], int], arguments: argparse.Namespace) -> int:
    """Call ``run(arguments)``; turn an exception into one line on standard error and exit code 2."""
    if arguments.threads is not None:
        bound_threads(arguments.threads)
    choose_device(getattr(arguments, "device", None))
    logging.basicConfig(level=logging.INFO, format="%(message)s", stream=sys.stderr, force=True)
    logging.getLogger("matplotlib").setLevel(logging.WARNING)  # it tells about its font cache
    warnings.showwarning = _show_warning
    warn_of_opencv_conflict()
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")  # a file's name need not be text, nor a name ASCII
    try:
        code = run(arguments)
        _flush_output()
        return code
    except KeyboardInterrupt as interrupt:
        print(f"{prog}: interrupted" + (f"; {interrupt}" if interrupt.args else ""), file=sys.stderr)
        return EXIT_INTERRUPTED
    except BrokenPipeError:
        _discard_output()  # the reader of our output has gone (`| head`)
        return EXIT_DONE
    except Exception as failure:  # noqa: BLE001 - the one place where no traceback may reach the user
        error = failure
        try:
            _flush_output()
        except BrokenPipeError:
            _discard_output()
        except OSError as unwritable:
            if isinstance(failure, OSError) and failure.filename is None:  # a `print` failed
                error = unwritable
        if arguments.debug:
            traceback.print_exc()
        print(f"{prog}: error: {sanitize_for_terminal(_one_line(error))}", file=sys.stderr)
        return EXIT_COULD_NOT_RUN


def write_json(path: str | Path, result: Any) -> None:
    """Write `result` to `path` as JSON, replacing the file in one step; a new one is for its owner alone.

    Results of most commands hold names, or paths of photos.

    Raises
    ------
    ValueError
        If a file that is no JSON would be replaced, such as a table.
    OSError
        If the file cannot be written.
    """
    from foundation.atomic import atomic_writer

    target = Path(path)
    text = json.dumps(result, indent=2, ensure_ascii=False, allow_nan=False) + "\n"
    if target.is_file():
        with target.open("rb") as stream:
            if stream.read(1) not in (b"", b"{", b"["):
                raise InputError(
                    f"{path}: expected JSON or nothing here to replace, found a file of another kind; "
                    "give another name for --json, or delete the file first"
                )

    with atomic_writer(target, is_private=True) as stream:
        # A file name that is no text becomes an escape, from which JSON readers get it back.
        stream.write(text.encode("utf-8", "backslashreplace"))


def _split_positionals(arguments: Sequence[str]) -> tuple[list[str], list[str]]:
    """Return those arguments that are no flags, and the others; what stands behind a ``--`` is never a flag."""
    before, behind = list(arguments), []
    if "--" in before:
        place = before.index("--")
        before, behind = before[:place], before[place + 1 :]
    is_file = [text == "-" or not text.startswith("-") for text in before]
    files = [text for text, fits in zip(before, is_file, strict=True) if fits]
    return files + behind, [text for text, fits in zip(before, is_file, strict=True) if not fits]


def _add_version(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--version", action="version", version=f"facetable {__version__}")


def _add_commands(parser: argparse.ArgumentParser, commands: Sequence[Command]) -> None:
    subparsers = parser.add_subparsers(dest="command", metavar="COMMAND", parser_class=OneLineParser)
    for command in commands:
        subparser = subparsers.add_parser(command.name, help=command.summary, description=command.summary)
        command.add_arguments(subparser)
        add_shared_arguments(subparser)
        subparser.set_defaults(run=command.run)


def _run_chosen(parser: argparse.ArgumentParser, argv: Sequence[str] | None) -> int:
    arguments = parser.parse_args(argv)
    if arguments.command is None:
        parser.print_help()
        return EXIT_DONE
    return run_guarded(f"{parser.prog} {arguments.command}", arguments.run, arguments)


class _GroupedParser(OneLineParser):
    """A parser whose help lists its commands by group, on one screen of 24 lines."""

    def __init__(self, groups: Sequence[CommandGroup], **options: Any) -> None:
        super().__init__(**options)
        self._groups = groups

    def format_help(self) -> str:
        """Return the help."""
        width = max(len(command.name) for group in self._groups for command in group.commands)
        lines = [f"usage: {self.prog} COMMAND ...   ({self.prog} COMMAND --help tells its arguments)"]
        for group in self._groups:
            lines.append(f"{group.title}:")
            lines += [f"  {command.name:<{width}}  {command.summary}" for command in group.commands]
        return "\n".join([*lines, "also: --version, --print-completion SHELL"]) + "\n"


class _PrintCompletion(argparse.Action):
    """Print what makes a shell complete the parser's commands and flags, and exit."""

    def __call__(self, parser: argparse.ArgumentParser, _namespace: Any, value: Any, _flag: str | None = None) -> None:
        try:
            import shtab
        except ImportError as error:
            parser.error(explain_import_error(error))
        if value not in shtab.SUPPORTED_SHELLS:
            parser.error(
                f"{self.option_strings[0]}: expected one of {', '.join(shtab.SUPPORTED_SHELLS)}, got {value!r}"
            )
        print(shtab.complete(parser, value))
        parser.exit()


def _threads_argument(text: str) -> int:
    try:
        return parse_threads(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from None


def _flush_output() -> None:
    if sys.stdout is None:  # closed by the caller, as services do
        return
    try:
        sys.stdout.flush()
    except BrokenPipeError:
        raise
    except OSError as error:
        _discard_output()
        raise OSError(error.errno, error.strerror, "standard output") from error


def _discard_output() -> None:
    """Lead standard output nowhere: what could not be written would fail again when the interpreter exits."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _one_line(error: Exception) -> str:
    text = " ".join(str(error).split())
    if isinstance(error, OSError) and error.strerror and error.filename is not None:
        # Of a failed rename the user knows the second file; the first one's name is made up.
        file = error.filename if error.filename2 is None else error.filename2
        text = f"{file}: {_explain(error, file)}"
    elif isinstance(error, OSError) and error.strerror:
        text = f"{_explain(error, None)}"
    if isinstance(error, ImportError):
        return explain_import_error(error)
    if isinstance(error, (FacetableError, OSError)) and text:
        return text
    return f"unexpected {type(error).__name__}: {text}; run again with --debug and report it"


def _explain(error: OSError, file: Any) -> str | None:
    """Return what is wrong, with what is expected and the remedy where it is only the system's own few words."""
    if error.errno is None or error.strerror != os.strerror(error.errno):
        return error.strerror
    if error.errno == errno.ENOENT and isinstance(file, (str, os.PathLike)):
        from foundation.paths import describe_dangling

        link = describe_dangling(file)
        if link is not None:
            return f"expected it to exist, found {link}; mend the link or check the path"
    remedy = _REMEDIES.get(error.errno)
    return error.strerror if remedy is None else f"{error.strerror}; {remedy}"


def _show_warning(message: Warning | str, category: type[Warning], *_: Any, **__: Any) -> None:
    if not issubclass(category, (DeprecationWarning, PendingDeprecationWarning, FutureWarning)):
        print(f"warning: {' '.join(str(message).split())}", file=sys.stderr)
