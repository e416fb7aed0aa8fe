"""Start: photo folders chosen, a real scan watched to its end, what could not be read, and going on after a stop."""

import json
import shutil

import pytest
from PIL import Image
from playwright.sync_api import expect

from people.workspace.workspace import create_workspace
from tests.webapp.browser.conftest import Site
from webapp.jobs.job import JobFolder


@pytest.fixture
def empty(page, tmp_path, serve) -> Site:
    """Return the page of a workspace whose photo folders are yet to be chosen."""
    return Site(serve(create_workspace(tmp_path / "family", [])), page)


@pytest.mark.realdata
def test_from_nothing_to_groups_of_real_faces_by_keyboard(empty, data, tmp_path):
    shutil.copytree(data / "people" / "train", tmp_path / "Photos" / "album")
    (tmp_path / "Photos" / "broken.jpg").write_bytes(b"\xff\xd8\xff broken")
    page = empty.open("/")
    page.get_by_text("Choose the folder with your photos.").wait_for()
    page.keyboard.press("a")
    dialog = page.get_by_role("dialog", name="Which folder holds photos?")
    dialog.get_by_label("Path of the folder").fill(str(tmp_path))
    page.keyboard.press("Enter")
    dialog.get_by_role("button", name="Photos").click()
    empty.check_accessible()
    dialog.get_by_role("button", name="Take this folder").click()
    page.get_by_text("No photo was looked at yet.").wait_for()
    page.keyboard.press("s")
    page.get_by_role("progressbar", name="Progress").wait_for()
    page.get_by_text("10 photos, 10 of them new or changed").wait_for(timeout=60_000)
    expect(page.get_by_text("1 file could not be read")).to_be_visible()
    expect(page.get_by_text("broken.jpg")).to_be_visible()
    page.get_by_text("groups of faces wait for a name").wait_for()
    empty.check_accessible()
    assert empty.problems == []


def test_folders_are_added_and_left_out(site, workspace, tmp_path):
    (tmp_path / "more").mkdir()
    page = site.open("/")
    page.keyboard.press("a")
    page.get_by_label("Path of the folder").fill(str(tmp_path / "nowhere"))
    page.keyboard.press("Enter")
    page.get_by_role("alert").filter(has_text="gone").wait_for()
    site.problems[:] = [line for line in site.problems if "404" not in line]
    page.get_by_label("Path of the folder").fill(str(tmp_path / "more"))
    page.keyboard.press("Enter")  # opens it
    expect(page.get_by_role("alert").filter(has_text="gone")).to_have_count(0)
    page.keyboard.press("Enter")  # takes it
    page.get_by_role("button", name=f"Leave out: {tmp_path / 'more'}").click()
    expect(page.get_by_text(str(tmp_path / "more"))).to_have_count(0)


def test_a_scan_whose_server_begins_anew_asks_to_sign_in(site):
    page = site.page
    running = {"id": 1, "kind": "scan", "state": "running", "stage": "begun", "n_done": 0, "n_total": 0}
    page.route("**/api/v1/jobs", lambda route: route.fulfill(json={"jobs": [running]}))
    refused = {"status": 401, "json": {"error": {"kind": "signed_out", "message": "sign in"}}}
    page.route("**/api/v1/jobs/1**", lambda route: route.fulfill(**refused))
    page.route("**/api/v1/jobs/1/events", lambda route: route.fulfill(**refused))
    site.open("/")
    expect(page.locator("main h1")).to_have_text("Sign in")
    site.problems[:] = [line for line in site.problems if "401" not in line]


def test_the_last_look_is_of_a_scan_whatever_was_done_after_it(site):
    asked = {"id": 2, "kind": "suggest", "state": "done", "result": {"n_questions": 3}, "begun": 2e9, "ended": 2e9}
    found = {"n_photos": 10, "n_embedded": 4, "n_groups": 1, "failures": []}
    scanned = {"id": 1, "kind": "scan", "state": "done", "result": found, "begun": 1e9, "ended": 1e9}
    site.page.route("**/api/v1/jobs", lambda route: route.fulfill(json={"jobs": [asked, scanned]}))
    page = site.open("/")
    page.get_by_text("10 photos, 4 of them new or changed").wait_for()
    expect(page.get_by_text("NaN")).to_have_count(0)


def test_failures_are_listed_with_reason_and_picture(site, workspace, photos, tmp_path):
    """A file that is cut off shows the part that is there; one without any, a placeholder."""
    shutil.copytree(photos, tmp_path / "mine")
    whole = Image.effect_noise((640, 480), 90).convert("RGB")
    whole.save(tmp_path / "mine" / "cut.jpg")
    content = (tmp_path / "mine" / "cut.jpg").read_bytes()
    (tmp_path / "mine" / "cut.jpg").write_bytes(content[: len(content) // 2])
    (tmp_path / "mine" / "broken.jpg").write_bytes(b"\xff\xd8\xff broken")
    workspace.set_photo_folders([str(tmp_path / "mine")])
    reason = "expected an image, found a damaged one"
    names = ("broken.jpg", "cut.jpg", "gone.jpg")
    failures = [{"path": name, "status": "unreadable", "message": reason} for name in names]
    folder = JobFolder(workspace)
    report = {"n_photos": 3, "n_embedded": 0, "n_groups": 0, "failures": failures}
    folder.end(folder.add("scan"), "done", result=report)
    page = site.open("/")
    expect(page.get_by_text("3 files could not be read")).to_be_visible()
    rows = page.locator(".failure")
    expect(rows.nth(0).locator(".thumb.is-missing")).to_be_visible()
    shown = rows.nth(1).locator("img")
    expect(shown).to_be_visible()
    assert shown.evaluate("image => image.decode().then(() => [image.naturalWidth, image.naturalHeight])") == [320, 240]
    expect(rows.nth(2).locator(".thumb.is-missing")).to_be_visible()
    expect(rows.nth(1)).to_contain_text(f"cut.jpg{reason}")
    site.check_accessible()
    site.problems[:] = [line for line in site.problems if "404" not in line]  # of the file that is gone


def test_a_scan_is_stopped_by_its_button(site):
    page, asked = site.page, []
    told = {"id": "1", "kind": "scan", "stage": "embedded", "n_done": 3, "n_total": 10, "message": "", "result": {}}
    times = {"begun": "2026-01-01T00:00:00+00:00", "ended": ""}

    def job():
        return {**told, **times, "state": "cancelled" if asked else "running"}

    def cancel(route):
        asked.append(route.request.method)
        route.fulfill(json=job())

    def follow(route):
        route.fulfill(body=f"data: {json.dumps(job())}\n\n", content_type="text/event-stream")

    page.route("**/api/v1/jobs", lambda route: route.fulfill(json={"jobs": [job()]}))
    page.route("**/api/v1/jobs/1/events", follow)
    page.route("**/api/v1/jobs/1/cancel", cancel)
    site.open("/")
    page.get_by_text("Looking for faces: 3 of 10").wait_for()
    page.get_by_role("button", name="Stop").click()
    page.get_by_text("It was stopped. What was done is kept").wait_for()
    expect(page.get_by_role("button", name="Stop")).to_be_hidden()
    assert asked == ["POST"]


def test_the_folder_around_one_is_opened_by_its_button(site, tmp_path):
    (tmp_path / "around" / "inside").mkdir(parents=True)
    page = site.open("/")
    page.keyboard.press("a")
    field = page.get_by_label("Path of the folder")
    field.fill(str(tmp_path / "around" / "inside"))
    page.keyboard.press("Enter")
    page.get_by_role("button", name="The folder around it").click()
    expect(field).to_have_value(str(tmp_path / "around"))
    page.get_by_role("button", name="inside").click()
    expect(field).to_have_value(str(tmp_path / "around" / "inside"))
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog")).to_have_count(0)
