"""People, by keyboard and by mouse: find, rename, merge, hide, undo."""

from playwright.sync_api import expect

from people.store.store import PeopleStore
from tests.webapp.made import HOSTILE


def test_a_hostile_name_is_text(site):
    page = site.open("/people")
    expect(page.get_by_role("link").filter(has_text=HOSTILE)).to_be_visible()
    assert page.locator("main img[src=x]").count() == 0


def test_search_by_key_then_open_by_key(site):
    page = site.open("/people")
    page.keyboard.press("/")
    page.keyboard.type("bo")
    expect(page.get_by_role("status").filter(has_text="1 person")).to_be_visible()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    page.get_by_role("heading", name="Bob", level=1).wait_for()


def test_rename_by_key_and_undo_from_the_toast(site, workspace):
    page = site.open("/people")
    page.get_by_role("link", name="Ada").focus()
    page.keyboard.press("r")
    page.get_by_role("combobox", name="New name").fill("Ada L.")
    page.keyboard.press("Enter")
    expect(page.get_by_role("link", name="Ada L.")).to_be_visible()
    page.locator(".toast").get_by_role("button", name="Undo").click()
    expect(page.get_by_role("link", name="Ada L.")).to_have_count(0)
    with PeopleStore(workspace.store) as store:
        assert [one.kind for one in store.history(limit=2)] == ["undo", "rename"]
        assert store.find_person("Ada").n_faces == 6


def test_merge_by_key_with_completion(site, workspace):
    page = site.open("/people")
    page.get_by_role("link", name="Ada").focus()
    page.keyboard.press("m")
    page.keyboard.type("bo")
    page.get_by_role("option", name="Bob").wait_for()
    site.check_accessible()
    page.keyboard.press("Tab")  # completes
    page.keyboard.press("Enter")
    page.get_by_text("Ada merged into Bob").wait_for()
    with PeopleStore(workspace.store) as store:
        assert store.find_person("Bob").n_faces == 9


def test_merge_by_drag(site, workspace):
    page = site.open("/people")
    page.get_by_role("link", name="Bob").drag_to(page.get_by_role("link", name="Ada"))
    dialog = page.get_by_role("dialog", name="Merge Bob with somebody")
    dialog.get_by_text("All faces of Bob will be called Ada.").wait_for()
    dialog.get_by_role("button", name="Merge").click()
    page.get_by_text("Bob merged into Ada").wait_for()
    with PeopleStore(workspace.store) as store:
        assert store.find_person("Ada").n_faces == 9


def test_nobody_is_merged_with_a_name_that_nobody_has(site):
    page = site.open("/people")
    page.get_by_role("link", name="Ada").focus()
    page.keyboard.press("m")
    page.keyboard.type("Zeno")
    page.keyboard.press("Enter")
    page.get_by_role("alert").filter(has_text="Nobody is called Zeno").wait_for()


def test_hidden_people_are_left_out_and_found_again(site):
    page = site.open("/people")
    page.get_by_role("link", name="Bob").focus()
    page.keyboard.press("h")
    expect(page.get_by_role("link", name="Bob")).to_have_count(0)
    page.get_by_label("Hidden people, too").check()
    page.get_by_role("link", name="Bob").focus()
    page.keyboard.press("h")
    page.get_by_text("Bob shown again").wait_for()
