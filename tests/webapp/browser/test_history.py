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


def test_what_is_taken_back_is_said_and_can_be_made_again(site, workspace):
    page = site.open("/people")
    page.keyboard.press("u")
    toasts = page.locator(".toast")
    expect(toasts.filter(has_text="Taken back: 260 faces named <img")).to_be_visible()
    toasts.get_by_role("button", name="Redo").click()
    expect(toasts.filter(has_text="Made again: 260 faces named <img")).to_be_visible()
    expect(toasts).to_have_count(1)
    page.goto(page.url.replace("/people", "/history"))
    page.get_by_text("Made again: 260 faces named <img").wait_for()
    expect(page.locator(".decision.is-undone").filter(has_text="Taken back: 260 faces")).to_have_count(1)
    with PeopleStore(workspace.store) as store:
        assert len(store.people()) == 3


def test_decisions_of_commands_are_seen(site, workspace):
    with PeopleStore(workspace.store, by="facetable people rename") as store:
        store.rename(1, "Ada L.")
        store.rename(1, "Lovelace")
    site.open("/history").get_by_text("Ada renamed to Ada L.", exact=True).wait_for()
    site.page.get_by_text("Ada L. renamed to Lovelace", exact=True).wait_for()
    expect(site.page.get_by_text("by facetable people rename")).to_have_count(2)


def test_older_decisions_are_shown_when_asked_for(site, workspace):
    with PeopleStore(workspace.store) as store:
        for number in range(105):
            store.rename(store.find_person("Bob" if number == 0 else f"Bob {number}").number, f"Bob {number + 1}")
    page = site.open("/history")
    expect(page.locator(".decision")).to_have_count(100)
    page.get_by_role("button", name="Show older ones").click()
    expect(page.locator(".decision")).to_have_count(108)
    expect(page.locator(".decision").last).to_contain_text("6 faces named Ada")
    expect(page.get_by_role("button", name="Show older ones")).to_be_hidden()
