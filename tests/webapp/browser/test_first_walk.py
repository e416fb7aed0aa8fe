"""The way of somebody new, on the page alone: from a folder of photos to people who are named, found and forgotten.

Two mistakes are made and corrected, one correction is taken back and made again.
"""

import shutil
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from people.store.store import PeopleStore
from people.workspace.workspace import Workspace, create_workspace
from tests.webapp.browser.conftest import Site

ALBUMS = ("2021", "2022/summer", "Ann & Ben <wedding>", "2023")
STRANGERS = {"Andy_Roddick": "Andy", "Angela_Bassett": "Angela B.", "Angela_Merkel": "Angela M.", "Ai_Sugiyama": "Ai"}
ACQUAINTED = {
    "alex_lacamoire": "Alex",
    "obama1": "Barack",
    "obama": "Barack",
    "biden": "Joe",
    "john": "Kit",
    "rose_leslie": "Rose",
}


@pytest.fixture(scope="module")
def album(data: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, str]]:
    """Copy photos into album folders under names as of a camera; return the folder, and who is on which file."""
    photos = [path for name in STRANGERS for path in sorted((data / "lfw" / "images" / name).iterdir())[:5]]
    photos += sorted(path for path in (data / "people").rglob("*.jp*g"))
    folder = tmp_path_factory.mktemp("album") / "Photos"
    shown = {}
    for number, path in enumerate(photos):
        copy = folder / ALBUMS[number % len(ALBUMS)] / f"IMG_{number:04d}{path.suffix}"
        copy.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(path, copy)
        shown[copy.name] = name_of(path)
    return folder, shown


def name_of(path: Path) -> str:
    """Return who is on a photo, for one with two people nobody."""
    if path.parent.name in STRANGERS:
        return STRANGERS[path.parent.name]
    if "_and_" in path.name or "_with_" in path.name:
        return ""
    known = path.stem if path.parent.name == "test" else path.parent.name
    return next((name for begin, name in {**ACQUAINTED, "kit_harington": "Kit"}.items() if known.startswith(begin)), "")


def choose_folder_and_scan(page: Page, folder: Path) -> None:
    page.get_by_role("button", name="Add a folder").click()
    dialog = page.get_by_role("dialog", name="Which folder holds photos?")
    dialog.get_by_label("Path of the folder").fill(str(folder.parent))
    page.keyboard.press("Enter")
    dialog.get_by_role("button", name=folder.name).click()
    expect(dialog.get_by_label("Path of the folder")).to_have_value(str(folder))
    dialog.get_by_role("button", name="Take this folder").click()
    page.get_by_role("button", name="Look for faces").click()
    expect(page.get_by_text("No photo was looked at yet.")).to_be_hidden()
    page.get_by_role("link", name="groups of faces wait for a name").wait_for(timeout=120_000)


def name_all_groups(page: Page, shown: dict[str, str], mistaken: dict[str, str]) -> None:
    """Look at each group and type who it is; `mistaken` says whom one is taken for instead, empty: nobody."""
    page.get_by_role("link", name="groups of faces wait for a name").click()
    box = page.get_by_role("combobox", name="Name", exact=True)
    done = page.get_by_role("heading", name="Every group has a name")
    while True:
        expect(box.or_(done)).to_be_visible()
        if done.is_visible():
            return
        expect(box).to_be_focused()
        paths = page.locator(".group-faces .tile").evaluate_all("tiles => tiles.map((tile) => tile.title)")
        who = next((shown[path.rpartition("/")[2]] for path in paths if shown[path.rpartition("/")[2]]), "Somebody")
        name = mistaken.pop(who, who)
        page.keyboard.type(name) if name else page.keyboard.press("h")
        if name:
            page.keyboard.press("Enter")
        expect(page.locator(f'.group-faces .tile[title="{paths[0]}"]')).to_have_count(0)


def open_page(page: Page, name: str) -> None:
    page.get_by_role("navigation", name="Pages").get_by_role("link", name=name, exact=True).click()
    page.get_by_role("heading", level=1, name=name).wait_for()


def names(workspace: Workspace) -> dict[str, int]:
    with PeopleStore(workspace.store) as store:
        return {person.name: person.n_faces for person in store.people()}


@pytest.mark.realdata
def test_from_a_folder_to_people_who_are_named_found_and_forgotten(page, tmp_path, serve, album):
    folder, shown = album
    workspace = create_workspace(tmp_path / "family", [])
    site = Site(serve(workspace), page)
    page.set_default_timeout(30_000)
    page.on("console", lambda message: site.problems.append(message.text) if message.type == "error" else None)
    site.open("/")
    choose_folder_and_scan(page, folder)
    name_all_groups(page, shown, {"Angela M.": "Angela B.", "Ai": ""})
    assert names(workspace)["Angela B."] > 5 and "Ai" not in names(workspace)

    # A mistake that is noticed at once: "nobody I know" is taken back, and the group named.
    open_page(page, "History")
    page.get_by_role("button", name="Undo: 5 faces said to be nobody's").click()
    page.get_by_text("Taken back: 5 faces said to be nobody's").first.wait_for()
    open_page(page, "Groups")
    page.get_by_role("heading", name="Who is on these 5 faces?").wait_for()
    page.keyboard.type("Ai")
    page.keyboard.press("Enter")
    page.get_by_role("heading", name="Every group has a name").wait_for()
    page.get_by_text("5 faces named Ai").wait_for()

    # Another: two people under one name. The faces that are not hers stand together, by how alike they are.
    open_page(page, "People")
    page.get_by_role("link", name="Angela B.").click()
    tiles = page.get_by_role("listbox", name="Faces of Angela B.").get_by_role("option")
    wrong = [file for file, who in shown.items() if who == "Angela M."]
    expect(tiles).to_have_count(names(workspace)["Angela B."])
    paths = tiles.evaluate_all("tiles => tiles.map((tile) => tile.title.split('/').pop())")
    for place, path in enumerate(paths):
        if path in wrong:
            tiles.nth(place).click()
    page.get_by_role("toolbar").get_by_role("button", name="Another name").click()
    page.get_by_role("dialog").get_by_role("combobox").fill("Angela M.")
    page.keyboard.press("Enter")
    page.get_by_text("5 faces named Angela M.").wait_for()
    corrected = names(workspace)

    # The correction is taken back where it is said, and made again there.
    page.locator(".toast").filter(has_text="5 faces named Angela M.").get_by_role("button", name="Undo").click()
    taken_back = page.locator(".toast").filter(has_text="Taken back: 5 faces named Angela M.")
    taken_back.wait_for()
    assert names(workspace)["Angela B."] == corrected["Angela B."] + 5
    taken_back.get_by_role("button", name="Redo").click()
    page.locator(".toast").filter(has_text="Made again: 5 faces named Angela M.").wait_for()
    assert names(workspace) == corrected

    # Two people found together, one name after the other.
    open_page(page, "Find")
    for name in ("Barack", "Joe"):
        expect(page.get_by_role("combobox", name="With", exact=True)).to_be_focused()
        page.keyboard.type(name)
        page.get_by_role("option", name=name).wait_for()
        page.keyboard.press("Enter")
        page.get_by_role("button", name=f"Take {name} out").wait_for()
    page.get_by_role("status").filter(has_text="1 photo").wait_for()
    page.get_by_role("list", name="Photos").get_by_role("link").click()
    page.get_by_role("button", name=": Barack").wait_for()
    page.get_by_role("button", name=": Joe").wait_for()

    # One is forgotten: the name is typed once more, and nothing holds it then.
    forget(page, "Ai")
    assert "Ai" not in names(workspace) and len(names(workspace)) == len(corrected) - 1
    open_page(page, "People")
    expect(page.get_by_role("link", name="Angela M.")).to_be_visible()
    expect(page.get_by_role("link", name="Ai 5 faces")).to_have_count(0)
    assert site.problems == []


def forget(page: Page, name: str) -> None:
    page.get_by_role("navigation", name="Pages").get_by_role("link", name="Forget").click()
    expect(page.get_by_role("combobox", name="Name")).to_be_focused()
    page.keyboard.type(name)
    page.keyboard.press("Enter")
    page.get_by_role("button", name=f"Forget {name}").click()
    page.get_by_label(f"Type the name once more: {name}").fill(name)
    page.keyboard.press("Enter")
    page.get_by_role("heading", name=f"{name} was forgotten").wait_for()
