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


def test_who_goes_to_the_found_people_before_the_newest_answer_stays_there(site):
    page = site.open("/people")
    asked = []
    page.route("**/api/v1/people?q=bo&*", lambda route: asked.append(route))
    page.keyboard.press("/")
    page.keyboard.type("b")
    expect(page.get_by_role("status").filter(has_text="1 person")).to_be_visible()
    page.keyboard.type("o")
    while not asked:
        page.wait_for_timeout(20)
    page.keyboard.press("ArrowDown")
    expect(page.get_by_role("link", name="Bob")).to_be_focused()
    with page.expect_response("**/api/v1/people?q=bo&*"):
        asked[0].continue_()
    page.wait_for_timeout(200)
    expect(page.get_by_role("link", name="Bob")).to_be_focused()


def test_the_name_before_is_selected_so_that_typing_takes_its_place(site):
    page = site.open("/people")
    page.get_by_role("link", name="Ada").focus()
    page.keyboard.press("r")
    expect(page.get_by_role("combobox", name="New name")).to_be_focused()
    page.keyboard.type("Augusta")
    page.keyboard.press("Enter")
    page.get_by_text("Ada renamed to Augusta", exact=True).wait_for()


def test_a_search_that_is_called_off_while_its_answer_comes_is_no_error(site):
    page = site.open("/people")
    page.evaluate("""() => {
        for (const kind of ["text", "json"]) {
            const read = Response.prototype[kind];
            const later = () => new Promise((go) => setTimeout(go, 100));
            Response.prototype[kind] = async function () { await later(); return read.call(this); };
        }
    }""")
    page.get_by_role("link", name="Ada").focus()
    page.keyboard.press("m")
    page.keyboard.type("Bob", delay=60)
    page.get_by_role("option", name="Bob").wait_for()
    expect(page.locator(".toast.is-error")).to_have_count(0)


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
