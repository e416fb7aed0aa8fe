"""The page's server in a process of its own, and a browser beside it, for measuring."""

import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from experiments.cameras import PROJECT
from people.workspace.workspace import Workspace

CHROMIUM = shutil.which("chromium") or "chromium"


@dataclass
class Server:
    """A server in a process of its own."""

    process: "subprocess.Popen[str]"
    address: str
    token: str
    started_s: float

    @property
    def megabytes(self) -> float:
        """Memory that is its own or shared, resident, MB."""
        return megabytes_of(self.process.pid)

    @property
    def cpu_s(self) -> float:
        """Return the seconds that it has computed, which other work on the machine hardly changes."""
        return cpu_s(self.process.pid)

    def url(self, path: str) -> str:
        """Return an address of the page, signed in."""
        return f"{self.address}{path}?token={self.token}"


def megabytes_of(pid: int) -> float:
    """Return the memory of a process, its own or shared, resident, MB; 0 of one that has ended."""
    found = re.search(r"VmRSS:\s+(\d+)", Path(f"/proc/{pid}/status").read_text())
    return 0.0 if found is None else int(found[1]) / 1024


def cpu_s(pid: int) -> float:
    """Return the seconds that a process has computed."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def child_of(pid: int) -> int:
    """Return the number of the largest process that another has begun."""
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return max(map(int, children), key=megabytes_of)


@contextmanager
def serving(workspace: Workspace) -> Iterator[Server]:
    """Serve a workspace; `started_s` is from the command to the first page with its data."""
    begun_s = time.perf_counter()
    command = [sys.executable, "facetable.py", "serve", str(workspace.folder), "--port", "0"]
    # As a user starts it: with the modules compiled before.
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    process = subprocess.Popen(
        command, cwd=PROJECT, env=environment, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    )
    try:
        assert process.stdout is not None
        found = re.search(r"open (\S+)/\?token=(\S+)", process.stdout.readline())
        assert found is not None
        server = Server(process, found[1], found[2], 0.0)
        headers = {"Authorization": f"Bearer {server.token}"}
        httpx.get(server.address).raise_for_status()
        httpx.get(f"{server.address}/api/v1/workspace", headers=headers, timeout=60).raise_for_status()
        server.started_s = time.perf_counter() - begun_s
        yield server
    finally:
        process.terminate()
        process.wait()


def tell(what: str, value: float, unit: str, *, target: float, at_least: bool = False) -> None:
    """Print a figure and whether it meets its target."""
    is_met = value >= target if at_least else value <= target
    sign = "at least" if at_least else "at most"
    print(f"{what}: {value:.3g} {unit} ({'met' if is_met else 'MISSED'}: {sign} {target:g})", flush=True)


@contextmanager
def chromium() -> Iterator[Any]:
    """Open a browser."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as started, launched(started) as browser:
        yield browser


@contextmanager
def launched(started: Any) -> Iterator[Any]:
    """Open a browser of a Playwright that has been started."""
    browser = started.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
    try:
        yield browser
    finally:
        browser.close()
