"""History: every decision is listed and can be taken back, those of the command line, too."""

from playwright.sync_api import expect

from people.store.store import PeopleStore


def test_any_decision_is_taken_back_and_made_again(site, workspace):
    page = site.open("/history")
    page.get_by_role("button", name="Undo: 6 faces named Ada").click()
    expect(page.locator(".decision.is-undone")).to_have_count(1)
    with PeopleStore(workspace.store) as store:
        assert [person.name for person in store.people()][1:] == ["Bob"]
    page.keyboard.press("e")
    expect(page.get_by_role("button", name="Undo: 6 faces named Ada")).to_be_visible()
    site.check_accessible()


def test_decisions_of_commands_are_seen(site, workspace):
    with PeopleStore(workspace.store, by="facetable people rename") as store:
        store.rename(1, "Ada L.")
    site.open("/history").get_by_text("renamed to Ada L.").wait_for()
    site.page.get_by_text("by facetable people rename").wait_for()
