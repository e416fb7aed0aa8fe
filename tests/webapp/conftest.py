"""The made workspace, its application and a client that may do everything."""

import re
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import uvicorn
from fastapi import FastAPI
from fastapi.testclient import TestClient

from people.workspace.workspace import Workspace
from tests import PROJECT
from tests.webapp.made import make_photos, make_workspace
from webapp.access.tokens import Access, Caller
from webapp.server.app import create_app
from webapp.server.command import listen

ADDRESS = "http://127.0.0.1:8764"
TOKEN = "start-token-of-tests"
READ_TOKEN = "a-token-that-only-reads"


@pytest.fixture(autouse=True)
def _no_cache_of_verify(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Keep who is forgotten in a test out of the tables that tests of `verify` share."""
    monkeypatch.setattr("people.forgetting.forgetting.cache_folder", lambda: tmp_path / "no cache")


@pytest.fixture(scope="session")
def photos(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder of drawn photos."""
    folder = tmp_path_factory.mktemp("drawn") / "photos"
    make_photos(folder)
    return folder


@pytest.fixture(scope="session")
def made_workspace(tmp_path_factory: pytest.TempPathFactory, photos: Path) -> Workspace:
    """Return the workspace that others are copies of."""
    return make_workspace(tmp_path_factory.mktemp("made") / "family", photos)


@pytest.fixture
def workspace(tmp_path: Path, made_workspace: Workspace) -> Workspace:
    """Return a workspace of the test's own."""
    return Workspace(shutil.copytree(made_workspace.folder, tmp_path / "family"))


@pytest.fixture
def app(workspace: Workspace) -> FastAPI:
    """Return the application."""
    access = Access(start_token=TOKEN, tokens={READ_TOKEN: Caller("doorbell", frozenset({"read"}))})
    return create_app(workspace, access)


@pytest.fixture
def client(app: FastAPI) -> Iterator[TestClient]:
    """Return a client with the start token, as another program would use it."""
    headers = {"Authorization": f"Bearer {TOKEN}"}
    with TestClient(app, base_url=ADDRESS, headers=headers, raise_server_exceptions=False) as made:
        yield made


@pytest.fixture
def stranger(app: FastAPI) -> Iterator[TestClient]:
    """Return a client that knows no token."""
    with TestClient(app, base_url=ADDRESS, raise_server_exceptions=False, follow_redirects=False) as made:
        yield made


@pytest.fixture
def serve() -> Iterator[Callable[[Workspace], str]]:
    """Return a function that serves a workspace and returns the address."""
    running: list[tuple[uvicorn.Server, threading.Thread]] = []

    def start(workspace: Workspace) -> str:
        listener = listen("127.0.0.1", 0)
        port = listener.getsockname()[1]
        app = create_app(workspace, Access(start_token=TOKEN), port=port)
        server = uvicorn.Server(uvicorn.Config(app, log_level="error", timeout_graceful_shutdown=1))
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
        thread.start()
        while not server.started:
            time.sleep(0.01)
        running.append((server, thread))
        return f"http://127.0.0.1:{port}"

    yield start
    for server, thread in running:
        server.should_exit = True
        thread.join(timeout=10)


Start = Callable[..., tuple[subprocess.Popen[str], str, str]]


@pytest.fixture
def start() -> Iterator[Start]:
    """Return a function that starts a server and returns its process, address and token."""
    begun: list[subprocess.Popen[str]] = []

    def run(workspace: Workspace, *more: str, port: str = "0") -> tuple[subprocess.Popen[str], str, str]:
        command = [sys.executable, "-m", "webapp", str(workspace.folder), "--port", port, *more]
        begun.append(subprocess.Popen(command, cwd=PROJECT, stdout=subprocess.PIPE, text=True))
        line = begun[-1].stdout.readline()
        address, token = re.search(r"open (http://127\.0\.0\.1:\d+)/\?token=(\S{20,})", line).groups()
        return begun[-1], address, token

    yield run
    for process in begun:
        process.kill()
        process.communicate()


def kill_hard(process: subprocess.Popen[str]) -> None:
    """End a server without a chance to say goodbye."""
    process.send_signal(signal.SIGKILL)
    process.wait()
