"""The command ``facetable serve``."""

import argparse
import getpass
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

from foundation.command_line import EXIT_DONE, Command
from foundation.errors import InputError
from foundation.paths import display_path

if TYPE_CHECKING:
    from webapp.access.tokens import Access

DEFAULT_PORT = 8764


def _add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("workspace", type=Path, metavar="WORKSPACE", help="folder made by facetable init")
    parser.add_argument(
        "--new", action="store_true", help="make the workspace; its photo folders are chosen on the page"
    )
    parser.add_argument(
        "--port",
        type=_port,
        default=DEFAULT_PORT,
        metavar="N",
        help=f"port (default: {DEFAULT_PORT}; 0: any free one)",
    )
    parser.add_argument(
        "--host",
        default="127.0.0.1",
        metavar="ADDRESS",
        help="address to listen at (default: 127.0.0.1, this machine alone); others need a password or tokens",
    )
    parser.add_argument("--password-file", type=Path, metavar="FILE", help="hash of a password that opens the page")
    parser.add_argument("--set-password", action="store_true", help="ask for a password and write --password-file")
    parser.add_argument(
        "--token-file", type=Path, metavar="FILE", help="tokens of other programs, one a line: TOKEN SCOPES NAME"
    )


def _port(text: str) -> int:
    if not text.isdecimal() or int(text) > 65_535:
        raise argparse.ArgumentTypeError(f"expected a port from 0 to 65535, got {text!r}")
    return int(text)


def _run(arguments: argparse.Namespace) -> int:
    """Serve until interrupted."""
    from people.workspace.workspace import Workspace, create_workspace

    workspace = create_workspace(arguments.workspace, []) if arguments.new else Workspace(arguments.workspace)
    if arguments.set_password:
        return _set_password(arguments.password_file)
    access = _read_access(arguments, workspace.folder / "sessions.json")

    import uvicorn

    from webapp.server.app import create_app

    with listen(arguments.host, arguments.port) as listener:
        port = listener.getsockname()[1]
        app = create_app(workspace, access, host=arguments.host, port=port)
        server = uvicorn.Server(
            uvicorn.Config(
                app,
                log_level="error",
                access_log=False,
                server_header=False,
                proxy_headers=False,
                ws_per_message_deflate=False,  # pictures are compressed already
                timeout_graceful_shutdown=2,
            )
        )
        print(f"{display_path(workspace.folder)}: open {_address(arguments.host, port)}/?token={access.start_token}")
        print("end it with Ctrl+C", file=sys.stderr)
        sys.stdout.flush()
        with suppress(KeyboardInterrupt), _making_thumbnails(workspace.folder):
            server.run(sockets=[listener])  # it raises an interruption again once it has ended
    return EXIT_DONE


@contextmanager
def _making_thumbnails(folder: Path) -> Iterator[None]:
    """Let a process of its own make what scans of the command line have left to be made, as long as the server runs."""
    process = subprocess.Popen(
        [sys.executable, "-m", "webapp.pictures.cutting", str(folder.resolve())],
        cwd=Path(__file__).resolve().parents[2],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        yield
    finally:
        process.terminate()
        process.wait()


def _read_access(arguments: argparse.Namespace, sessions: Path) -> "Access":
    from webapp.access.headers import is_loopback
    from webapp.access.passwords import read_password
    from webapp.access.sessions import Sessions
    from webapp.access.tokens import Access, read_tokens

    if not is_loopback(arguments.host):
        if arguments.password_file is None and arguments.token_file is None:
            raise InputError(
                f"--host {arguments.host}: expected --password-file or --token-file where other machines can reach the "
                "page, found neither; name one, or leave --host out"
            )
        print(
            "warning: what is sent is not encrypted; put a server with TLS before it, or use it in a network that you "
            "trust alone",
            file=sys.stderr,
        )
    password = None if arguments.password_file is None else read_password(arguments.password_file)
    # Whom another password let in, or this machine alone, need not be let in now.
    opened_by = f"{arguments.host} {'' if password is None else arguments.password_file.read_text('utf-8')}"
    return Access(
        tokens={} if arguments.token_file is None else read_tokens(arguments.token_file),
        password=password,
        sessions=Sessions(sessions, opened_by=opened_by),
    )


def _set_password(path: Path | None) -> int:
    from webapp.access.passwords import write_password

    if path is None:
        raise InputError("--set-password: expected --password-file, found none; name the file to write")
    first = getpass.getpass("password: ")
    if getpass.getpass("once more: ") != first:
        raise InputError("expected the same password twice, found two; nothing was written")
    write_password(path, first)
    print(f"{display_path(path)}: written")
    return EXIT_DONE


def listen(host: str, port: int) -> socket.socket:
    """Return a socket that listens, so that a port that is taken is told in one line."""
    try:
        family, _, _, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        listener = socket.socket(family, socket.SOCK_STREAM)
    except OSError as error:
        raise InputError(f"--host {host}: expected an address of this machine, found none ({error})") from error
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(address)
        listener.listen(128)
    except OSError as error:
        listener.close()
        raise InputError(
            f"port {port} of {host}: expected a free port, found none ({error.strerror}); end what uses it, or name "
            "another: --port 0 takes any free one"
        ) from error
    return listener


def _address(host: str, port: int) -> str:
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


SERVE = Command("serve", "Show a workspace's people in a browser; also an HTTP interface.", _add_arguments, _run)
