"""A server of its own for each test, and Chromium that fails a test on every error and every breach of the policy.

Each test that uses a `page` gets the marker ``browser``; without Chromium they are skipped and say so.
"""

import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

from people.workspace.workspace import Workspace
from tests.webapp.conftest import TOKEN

# Without a desktop's parts it takes two thirds of the time.
NAMES = ("chromium-headless-shell", "chromium", "google-chrome")
CHROMIUM = next(filter(None, map(shutil.which, NAMES)), None)
WAIT_MS = 30_000  # a loaded machine takes its time
PHONE = {"width": 360, "height": 740}
WIDE = {"width": 3840, "height": 2160}


@pytest.fixture(scope="session", autouse=True)
def chromium() -> str:
    """Return the browser's path."""
    if CHROMIUM is None:
        pytest.skip("Chromium is not installed; apt-get install chromium")
    return CHROMIUM


@pytest.fixture(scope="session")
def browser_type_launch_args(chromium: str) -> dict:
    """Run the system's Chromium; as root it needs to go without its sandbox."""
    return {"executable_path": chromium, "args": ["--no-sandbox"]}


@dataclass
class Site:
    """A page that runs: its address, and what went wrong in the browser; a test may empty what it expects."""

    address: str
    page: Page
    problems: list[str] = field(default_factory=list)

    def open(self, path: str) -> Page:
        """Open an address, signed in, and wait for its title."""
        self.page.goto(f"{self.address}{path}{'&' if '?' in path else '?'}token={TOKEN}")
        self.page.locator("main h1").wait_for()
        return self.page

    def check_accessible(self) -> None:
        """Fail on everything that axe finds."""
        found = Axe().run(self.page).response["violations"]
        assert [(one["id"], [node["html"] for node in one["nodes"]]) for one in found] == []


@pytest.fixture
def site(page: Page, workspace: Workspace, serve: Callable[[Workspace], str]) -> Iterator[Site]:
    """Return the made workspace's page; errors in the browser fail the test."""
    made = Site(serve(workspace), page)
    page.set_default_timeout(WAIT_MS)
    expect.set_options(timeout=WAIT_MS)
    page.on("console", lambda message: made.problems.append(message.text) if message.type == "error" else None)
    page.on("pageerror", lambda error: made.problems.append(str(error)))
    yield made
    assert made.problems == []
