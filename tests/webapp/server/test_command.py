"""``facetable serve``: what it prints, and what stops it before it begins."""

import re
import socket
import subprocess
import sys
import time

import httpx
import pytest

import facetable
from tests import PROJECT
from webapp.access.passwords import write_password


def run(*arguments) -> int:
    return facetable.main(["serve", *map(str, arguments)])


def one_line(capsys) -> str:
    error = capsys.readouterr().err
    assert len(error.splitlines()) == 1, error
    return error


def test_a_folder_that_is_no_workspace(tmp_path, capsys):
    assert run(tmp_path) == 2
    assert "expected a workspace, found none" in one_line(capsys)


def test_a_port_that_is_taken(workspace, capsys):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        assert run(workspace.folder, "--port", taken.getsockname()[1]) == 2
    assert "expected a free port, found none" in one_line(capsys)


def test_a_damaged_store(workspace, capsys):
    workspace.store.write_bytes(workspace.store.read_bytes()[:-5000])
    assert run(workspace.folder, "--port", 0) == 2
    assert "expected a whole store of decisions" in one_line(capsys)


def test_other_machines_need_a_password_or_tokens(workspace, tmp_path, capsys):
    assert run(workspace.folder, "--host", "0.0.0.0") == 2
    assert "expected --password-file or --token-file" in one_line(capsys)
    write_password(tmp_path / "password", "correct horse")
    with socket.create_server(("0.0.0.0", 0)) as taken:
        port = taken.getsockname()[1]
        assert run(workspace.folder, "--host", "0.0.0.0", "--port", port, "--password-file", tmp_path / "password") == 2
    assert capsys.readouterr().err.startswith("warning: what is sent is not encrypted; put a server with TLS before it")


@pytest.mark.parametrize("port", ["x", "-1", "65536"])
def test_ports_that_are_none(workspace, port, capsys):
    with pytest.raises(SystemExit) as ended:
        run(workspace.folder, f"--port={port}")
    assert ended.value.code == 2 and "expected a port from 0 to 65535" in one_line(capsys)


def test_it_prints_the_address_with_the_token_and_ends_quietly(workspace):
    command = [sys.executable, "-m", "webapp", str(workspace.folder), "--port", "0"]
    with subprocess.Popen(command, cwd=PROJECT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as server:
        try:
            line = server.stdout.readline()
            address, token = re.search(r"open (http://127\.0\.0\.1:\d+)/\?token=(\S{20,})", line).groups()
            answer = httpx.get(f"{address}/api/v1/workspace", headers={"Authorization": f"Bearer {token}"})
            assert answer.json()["name"] == "family"
            deadline = time.monotonic() + 60
            while not list(workspace.thumbnails.rglob("*.webp")) and time.monotonic() < deadline:
                time.sleep(0.05)
            assert list(workspace.thumbnails.rglob("*.webp")), "thumbnails are made while nobody asks for them"
            server.send_signal(2)
            _, errors = server.communicate(timeout=60)
        finally:
            server.kill()
    assert server.returncode == 0 and errors == "end it with Ctrl+C\n"
