"""A person's faces: select by keys and by mouse, move, deny; two browsers; thousands cost nothing off screen."""

from playwright.sync_api import expect

from people.store.store import PeopleStore
from tests.webapp.made import N_CROWD


def test_faces_are_selected_by_keys_and_moved(site, workspace):
    page = site.open("/people/1")
    page.get_by_role("option").first.focus()
    page.keyboard.press(" ")
    page.keyboard.press("Shift+ArrowRight")
    expect(page.get_by_text("2 selected")).to_be_visible()
    site.check_accessible()
    page.keyboard.press("v")
    page.keyboard.type("Eve")
    page.keyboard.press("Enter")
    page.get_by_text("2 faces named Eve").wait_for()
    expect(page.get_by_text("4 faces in 4 photos")).to_be_visible()
    assert page.evaluate("document.activeElement.getAttribute('role')") == "option"
    with PeopleStore(workspace.store) as store:
        assert store.find_person("Eve").n_faces == 2


def test_faces_are_selected_by_mouse_and_denied(site, workspace):
    page = site.open("/people/1")
    page.get_by_role("option").nth(1).click()
    page.get_by_role("option").nth(3).click(modifiers=["Shift"])
    expect(page.get_by_role("option", selected=True)).to_have_count(3)
    page.get_by_role("button", name="Not Ada").click()
    page.get_by_text("3 faces not Ada").wait_for()
    page.keyboard.press("u")
    page.get_by_text("Taken back").wait_for()
    expect(page.get_by_text("6 faces in 6 photos")).to_be_visible()
    with PeopleStore(workspace.store) as store:
        assert store.find_person("Ada").n_faces == 6


def test_nobody_and_no_face(site, workspace):
    page = site.open("/people/1")
    page.get_by_role("option").first.click()
    page.keyboard.press("b")
    page.get_by_text("1 face said to be nobody's").wait_for()
    page.get_by_role("option").first.click()
    page.keyboard.press("x")
    page.get_by_text("1 face said to be no face").wait_for()
    with PeopleStore(workspace.store) as store:
        counts = store.count_table()
        assert (counts.n_nobody, counts.n_not_a_face) == (1, 1)


def test_the_later_of_two_browsers_sees_what_holds_now(site, workspace):
    page = site.open("/people/1")
    page.get_by_role("option").first.click()
    with PeopleStore(workspace.store) as store:
        store.name(store.faces_of(1)[:1], "Eve")
        before = store.revision
    page.keyboard.press("n")
    page.get_by_text("Somebody else has changed this meanwhile").wait_for()
    expect(page.get_by_text("5 faces in 5 photos")).to_be_visible()
    with PeopleStore(workspace.store) as store:
        assert store.revision == before
    site.problems[:] = [line for line in site.problems if "409" not in line]


def test_somebody_merged_elsewhere_leads_to_who_they_are(site, workspace):
    page = site.open("/people/2")
    page.get_by_role("button", name="Merge").click()
    page.keyboard.type("Ada")
    page.keyboard.press("Enter")
    page.get_by_role("heading", name="Ada", level=1).wait_for()
    assert page.url.endswith("/people/1")


def test_only_what_is_in_sight_exists(site):
    page = site.open("/people/3")
    page.get_by_role("option").first.focus()
    assert 0 < page.get_by_role("option").count() < 100 < N_CROWD
    page.keyboard.press("End")
    last = page.get_by_role("option", name=f"Face {N_CROWD}", exact=True)
    expect(last).to_be_focused()
    assert last.get_attribute("aria-posinset") == last.get_attribute("aria-setsize") == str(N_CROWD)
    assert page.get_by_role("option").count() < 100
    page.keyboard.press("a")
    expect(page.get_by_text(f"{N_CROWD} selected")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.get_by_text(f"{N_CROWD} selected")).to_have_count(0)
