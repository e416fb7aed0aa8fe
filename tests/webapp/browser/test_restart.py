"""The server is killed and started again under an open page, which goes on with its session and what it watches."""

import shutil

import pytest
from playwright.sync_api import expect

from people.workspace.workspace import Workspace, create_workspace
from tests.webapp.conftest import kill_hard


def port_of(address):
    return address.rpartition(":")[2]


def test_an_open_page_says_that_nobody_answers_and_goes_on_afterwards(page, start, workspace):
    server, address, token = start(workspace)
    page.goto(f"{address}/people?token={token}")
    page.get_by_role("link", name="Ada").wait_for()
    kill_hard(server)
    page.get_by_role("link", name="Ada").focus()
    page.keyboard.press("h")
    page.locator(".toast.is-error").filter(has_text="The server does not answer.").wait_for()
    page.get_by_role("navigation", name="Pages").get_by_role("link", name="History").click()
    page.get_by_role("heading", name="The server does not answer. Is it still running?").wait_for()
    start(workspace, port=port_of(address))
    page.get_by_role("button", name="Try again").click()
    page.get_by_role("button", name="Undo: 6 faces named Ada").click()
    page.get_by_text("Taken back: 6 faces named Ada").first.wait_for()


@pytest.mark.realdata
def test_the_progress_of_a_scan_goes_on_by_itself(page, start, data, networks, tmp_path):
    shutil.copytree(data / "people", tmp_path / "photos")
    server, address, token = start(create_workspace(tmp_path / "family", [tmp_path / "photos"]))
    page.goto(f"{address}/?token={token}")
    page.get_by_role("button", name="Look for faces").click()
    page.get_by_role("progressbar", name="Progress").wait_for()
    kill_hard(server)
    page.wait_for_timeout(1_000)
    expect(page.get_by_role("progressbar", name="Progress")).to_be_visible()
    start(Workspace(tmp_path / "family"), port=port_of(address))
    page.get_by_text("14 photos, 14 of them new or changed").wait_for(timeout=120_000)
    page.get_by_role("link", name="groups of faces wait for a name").wait_for()
