"""Bad input on Find and Photo: names and file names that would do harm, photos that go, two browsers at one face."""

import shutil
from pathlib import Path

import numpy as np
import pytest
from playwright.sync_api import expect

from foundation.formats import hash_file
from people.store.records import photo_number
from people.store.scanned import ScannedFile
from people.store.store import PeopleStore
from people.workspace.workspace import Workspace, create_workspace
from tests.webapp.made import HOSTILE, SIZE, draw_photo

FILES = (
    '"><img src=x onerror=alert(1)>.png',
    "quotes ' \" ` &amp; %2e%2e#?.png",
    "right to left \u202egnp.exe.png",
    "two\nlines.png",
    "b \u05d0\u05d1.png",
)
NAMES = (HOSTILE, "\u202eanimal", "{name} {n}", "`${alert(1)}`", "\u05d0\u05d1\u05d2")
BOX = (0.15, 0.3, 0.45, 0.7)


@pytest.fixture
def folder(tmp_path) -> Path:
    """Return a folder of photos whose names would do harm, none like another."""
    made = tmp_path / "hostile"
    for number, name in enumerate(FILES):
        draw_photo(made / name, (20 * number, 90, 140), [(0.3, 0.5), (0.7, 0.5)], 0.2)
    return made


@pytest.fixture
def workspace(tmp_path, folder) -> Workspace:
    """Return a workspace of these photos, on each somebody of a hostile name."""
    workspace = create_workspace(tmp_path / "family", [folder])
    files = [ScannedFile(name, hash_file(folder / name), *SIZE) for name in sorted(FILES)]
    with PeopleStore(workspace.store, create=True) as store:
        places = np.array([[*BOX, 0.0]] * len(files))
        store.record_table(files, np.arange(len(files)), face_indices=np.zeros(len(files), int), places=places)
        for face, name in zip(store.faces_in_table(), NAMES, strict=True):
            store.name([face.face], name)
    return workspace


def numbers(workspace: Workspace) -> dict[str, int]:
    with PeopleStore(workspace.store) as store:
        return {file.path: photo_number(file.sha256) for file in store.files()}


def test_names_and_file_names_are_text_everywhere(site, workspace):
    dialogs = []
    site.page.on("dialog", lambda dialog: (dialogs.append(dialog.message), dialog.dismiss()))
    page = site.open("/find?without=2")
    page.get_by_role("status").filter(has_text="4 photos").wait_for()
    site.check_accessible()
    page = site.open("/find?with=1")
    expect(page.get_by_role("list", name="Photos").get_by_text(HOSTILE)).to_be_visible()
    for path, number in numbers(workspace).items():
        page = site.open(f"/photos/{number}")
        assert page.locator("main h1").text_content() == path
        assert page.title().startswith(path.replace("\n", " ")) or "\n" in path
        expect(page.get_by_text("of 5")).to_be_visible()
    site.check_accessible()
    for person, name in enumerate(NAMES, start=1):
        page = site.open(f"/people/{person}")
        assert page.locator("main h1").text_content() == name
    assert dialogs == [] and page.locator("main img[src=x]").count() == 0


def test_a_face_gets_a_hostile_name_and_is_found_by_it(site, workspace):
    page = site.open(f"/photos/{numbers(workspace)[FILES[3]]}")
    page.keyboard.press("n")
    page.get_by_role("combobox", name="Name").fill(HOSTILE)
    page.keyboard.press("Enter")
    page.get_by_role("button", name=f"Face 1: {HOSTILE}").wait_for()
    page = site.open("/find")
    page.get_by_role("combobox", name="With", exact=True).fill(HOSTILE)
    page.keyboard.press("Enter")
    page.get_by_role("status").filter(has_text="2 photos").wait_for()


def test_a_photo_that_is_deleted_while_it_is_shown_can_still_be_decided_about(site, workspace, folder):
    path = FILES[2]
    page = site.open(f"/photos/{numbers(workspace)[path]}")
    page.get_by_role("button", name="Face 1").wait_for()
    (folder / path).unlink()
    page.keyboard.press("n")
    page.get_by_role("combobox", name="Name").fill("Eve")
    page.keyboard.press("Enter")
    page.get_by_role("button", name="Face 1: Eve").wait_for()
    page.reload()
    page.get_by_text("This photo is gone or was changed").wait_for()
    page.get_by_role("button", name="Face 1: Eve").wait_for()
    site.check_accessible()
    page = site.open("/find?without=1")
    expect(page.locator(".thumb.is-missing")).to_have_count(1)
    expect(page.get_by_role("list", name="Photos").get_by_role("link")).to_have_count(4)
    site.problems[:] = [line for line in site.problems if "404" not in line]


def test_a_photo_that_is_replaced_by_another_is_not_shown_as_it(site, workspace, folder):
    shutil.copy(folder / FILES[0], folder / FILES[1])
    page = site.open(f"/photos/{numbers(workspace)[FILES[1]]}")
    page.get_by_text("This photo is gone or was changed").wait_for()
    site.problems[:] = [line for line in site.problems if "404" not in line]


def test_the_later_of_two_browsers_at_one_face_is_told_and_nothing_is_lost(site, workspace):
    number = numbers(workspace)[FILES[0]]
    page = site.open(f"/photos/{number}")
    page.get_by_role("button", name="Face 1").wait_for()
    other = page.context.new_page()
    other.goto(page.url)
    other.get_by_role("button", name="Face 1").wait_for()
    for one, name in ((other, "Eve"), (page, "Mallory")):
        one.bring_to_front()
        one.get_by_role("button", name="Face 1").focus()
        one.keyboard.press("n")
        one.get_by_role("combobox", name="Name").fill(name)
        one.keyboard.press("Enter")
        one.get_by_role("button", name="Face 1: Eve").wait_for()
    page.get_by_text("Somebody else has changed this meanwhile").wait_for()
    with PeopleStore(workspace.store) as store:
        assert store.find_person("Eve").n_faces == 1
        assert "Mallory" not in [person.name for person in store.people()]
    site.problems[:] = [line for line in site.problems if "409" not in line]


def test_a_photo_that_is_not_in_the_newest_scan_is_told(site):
    page = site.page
    page.goto(f"{site.address}/photos/12?token=start-token-of-tests")
    page.get_by_text("This photo is not in the newest scan any more").wait_for()
    site.problems[:] = [line for line in site.problems if "404" not in line]
