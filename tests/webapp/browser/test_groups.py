"""Groups, questions and reasons in the browser, by keyboard."""

import pytest
from playwright.sync_api import expect

from people.store.store import PeopleStore
from people.suggestions.questions import Suggestion
from people.suggestions.saved import save_questions
from tests.webapp.made import add_head, add_table


@pytest.fixture
def groups(site, workspace, photos):
    """Return the page of a workspace with three groups of three unnamed faces, a little like Ada and Bob."""
    add_table(workspace, photos, alike=0.6)
    add_head(workspace)
    with PeopleStore(workspace.store) as store:
        import numpy as np

        rows = [face.row for face in store.faces_in_table() if face.state == "open"]
        numbers = np.full(278, -1)
        for place, row in enumerate(rows):
            numbers[row] = place // 3
        store.record_groups(numbers)
    return site


def open_groups(site):
    """Open the page and wait until a name can be typed."""
    page = site.open("/groups")
    expect(page.get_by_role("combobox", name="Name")).to_be_focused()
    return page


def names(workspace):
    with PeopleStore(workspace.store) as store:
        return {person.name: person.n_faces for person in store.people()}


def decisions(workspace, n):
    with PeopleStore(workspace.store) as store:
        return [one.kind for one in store.history(limit=n)]


def test_three_groups_by_keyboard_alone(groups, workspace):
    page = open_groups(groups)
    expect(page.get_by_role("heading", name="Who is on these 3 faces?")).to_be_visible()
    groups.check_accessible()
    page.keyboard.type("Clara")
    page.keyboard.press("Enter")
    page.get_by_text("3 faces named Clara").wait_for()
    page.get_by_text("2 groups without a name").wait_for()
    page.keyboard.press("h")
    page.get_by_text("3 faces said to be nobody's").wait_for()
    page.get_by_text("1 group without a name").wait_for()
    page.keyboard.press("x")
    page.get_by_text("Every group has a name").wait_for()
    page.get_by_text("3 faces said to be no face").wait_for()
    assert names(workspace)["Clara"] == 3 and decisions(workspace, 3) == ["not_a_face", "nobody", "is"]
    page.keyboard.press("u")
    page.get_by_role("heading", name="Who is on these 3 faces?").wait_for()
    assert decisions(workspace, 1) == ["undo"]


def test_a_suggestion_is_taken_by_its_number_and_skipping_comes_back(groups, workspace):
    page = open_groups(groups)
    first = page.locator(".likely .name").first.inner_text()
    before = names(workspace)[first]
    page.keyboard.press("1")
    page.get_by_text(f"3 faces named {first}").wait_for()
    assert names(workspace)[first] == before + 3
    page.get_by_text("2 groups without a name").wait_for()
    shown = page.locator(".group-faces .tile").first.get_attribute("title")
    page.keyboard.press(" ")
    expect(page.locator(f'.group-faces .tile[title="{shown}"]')).to_have_count(0)
    page.keyboard.press(" ")
    expect(page.locator(".group-faces .tile").first).to_have_attribute("title", shown)


def test_a_name_that_begins_like_a_key_begins_with_a_capital(groups, workspace):
    page = open_groups(groups)
    page.keyboard.type("Hanna")
    page.keyboard.press("Enter")
    page.get_by_text("3 faces named Hanna").wait_for()
    assert names(workspace)["Hanna"] == 3


def test_faces_are_split_off_by_key(groups, workspace):
    page = open_groups(groups)
    page.keyboard.press("s")
    page.get_by_text("First choose the faces that are somebody else").wait_for()
    page.keyboard.press("Alt+1")
    expect(page.get_by_role("option", name="Face 1")).to_have_attribute("aria-selected", "true")
    page.keyboard.press("s")
    page.get_by_role("heading", name="Who is on these 2 faces?").wait_for()
    page.keyboard.type("Dora")
    page.keyboard.press("Enter")
    page.get_by_text("2 faces named Dora").wait_for()
    assert names(workspace)["Dora"] == 2 and decisions(workspace, 2) == ["is", "different"]


def test_a_name_can_be_typed_at_once_after_a_link(groups):
    page = groups.open("/")
    page.get_by_role("link", name="groups of faces wait for a name").click()
    expect(page.get_by_role("combobox", name="Name")).to_be_focused()
    page.keyboard.type("Clara")
    expect(page.get_by_role("combobox", name="Name")).to_have_value("Clara")


def test_letters_typed_while_a_decision_is_on_its_way_stay(groups, workspace):
    page = open_groups(groups)
    listed = []
    page.route("**/api/v1/groups", lambda route: route.continue_() if listed else listed.append(route))
    page.keyboard.type("Clara")
    page.keyboard.press("Enter")
    expect(page.get_by_role("combobox", name="Name")).to_have_value("")
    page.keyboard.type("Do")
    while not listed:
        page.wait_for_timeout(20)
    listed[0].continue_()
    page.get_by_text("2 groups without a name").wait_for()
    page.keyboard.type("ra")
    page.get_by_text("3 faces named Clara").wait_for()
    page.wait_for_load_state("networkidle")
    page.wait_for_timeout(300)
    expect(page.get_by_role("combobox", name="Name")).to_have_value("Dora")
    page.keyboard.press("Enter")
    page.get_by_text("3 faces named Dora").wait_for()
    assert {"Clara": 3, "Dora": 3}.items() <= names(workspace).items()


def test_a_split_is_taken_back_from_its_toast(groups, workspace):
    page = open_groups(groups)
    page.keyboard.press("Alt+1")
    page.keyboard.press("s")
    page.get_by_role("heading", name="Who is on these 2 faces?").wait_for()
    page.locator(".toast").get_by_role("button", name="Undo").click()
    page.get_by_role("heading", name="Who is on these 3 faces?").wait_for()
    assert decisions(workspace, 1) == ["undo"]


def test_all_faces_of_a_large_group_are_shown_by_key(site, workspace, photos):
    add_table(workspace, photos)
    with PeopleStore(workspace.store) as store:
        store.undo()  # the crowd has no name
        import numpy as np

        store.record_groups(np.where(np.arange(278) < 258, -1, 0))
    page = open_groups(site)
    page.get_by_text("and 12 more faces").wait_for()
    page.keyboard.press("a")
    expect(page.locator(".group-faces .tile")).to_have_count(20)
    page.get_by_text("All faces of the group are shown.").wait_for()
    site.check_accessible()


def test_without_any_face_the_page_says_where_to_begin(site, workspace):
    site.page.route("**/api/v1/groups", lambda route: route.fulfill(json={"groups": [], "revision": 0}))
    counts = dict.fromkeys(("photos", "faces", "people", "unnamed"), 0)
    empty = {"name": "family", "photo_folders": [], "counts": counts, "needs": []}
    site.page.route("**/api/v1/workspace", lambda route: route.fulfill(json=empty))
    page = site.open("/groups")
    page.get_by_role("heading", name="No faces yet").wait_for()
    page.get_by_role("link", name="Go to the start").click()
    page.get_by_role("heading", name="family").wait_for()


def test_why_is_shown_and_closed_by_key(groups):
    page = open_groups(groups)
    page.keyboard.press("w")
    dialog = page.get_by_role("dialog", name="Why?")
    dialog.get_by_text("The most similar faces with a name").wait_for()
    groups.check_accessible()
    page.keyboard.press("Escape")
    expect(dialog).to_have_count(0)


def test_questions_are_looked_for_and_answered_by_key(groups, workspace):
    page = groups.open("/questions")
    page.get_by_role("button", name="Yes").wait_for(timeout=60_000)
    groups.check_accessible()
    page.keyboard.press("n")
    page.get_by_role("button", name="Undo").first.wait_for()
    with PeopleStore(workspace.store) as store:
        assert store.history(limit=1)[0].kind in ("is_not", "different")
        assert len(store.asked()) == 1
    page.keyboard.press("l")
    with PeopleStore(workspace.store) as store:
        for _ in range(100):
            if len(store.asked()) == 2:
                break
            page.wait_for_timeout(50)
        assert len(store.asked()) == 2


def test_a_known_name_is_completed_and_all_keys_are_shown(groups, workspace):
    page = open_groups(groups)
    page.keyboard.press("?")
    page.get_by_role("dialog", name="Keys").get_by_text("Skip this group").wait_for()
    page.keyboard.press("Escape")
    expect(page.get_by_role("combobox", name="Name")).to_be_focused()
    before = names(workspace)["Bob"]
    page.keyboard.type("Bo")
    page.get_by_role("option", name="Bob").wait_for()
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    page.get_by_text("3 faces named Bob").wait_for()
    assert names(workspace)["Bob"] == before + 3


def test_a_question_is_answered_with_yes_and_taken_back(groups, workspace):
    page = groups.open("/questions")
    page.get_by_role("button", name="Yes").wait_for(timeout=60_000)
    page.get_by_text("Yes: ").wait_for()  # what it does
    before = names(workspace)
    page.keyboard.press("y")
    page.locator(".toast").get_by_role("button", name="Undo").wait_for()
    assert decisions(workspace, 1)[0] in ("is", "same", "merge", "not_a_face")
    page.keyboard.press("u")
    page.locator(".toast").filter(has_text="Taken back: ").wait_for()
    assert names(workspace) == before


def open_together(groups):
    """Look for questions, then open the page of several and return it with what the server asked."""
    groups.open("/questions").get_by_role("button", name="Yes", exact=True).wait_for(timeout=60_000)
    with groups.page.expect_response("**/api/v1/questions") as asked:
        groups.page.keyboard.press("s")
    groups.page.get_by_text("Each is answered as it probably is.").wait_for()
    return groups.page, asked.value.json()["questions"]


def test_several_questions_are_answered_together_by_keyboard_and_taken_back_together(groups, workspace):
    page, questions = open_together(groups)
    rows = page.get_by_role("group")
    expect(rows).to_have_count(min(len(questions), 20))
    for place, question in enumerate(questions[:20]):
        likely = rows.nth(place).get_by_role("radio", name=question["likely"].capitalize())
        expect(likely).to_be_checked()
    groups.check_accessible()
    expect(rows.first.get_by_role("radio", name=questions[0]["likely"].capitalize())).to_be_focused()
    page.keyboard.press("l")
    expect(rows.first.get_by_role("radio", name="Later")).to_be_checked()
    page.keyboard.press("n")  # the second one, which is in focus now
    expect(rows.nth(1).get_by_role("radio", name="No")).to_be_checked()
    before = names(workspace)
    with page.expect_request("**/api/v1/questions/answer") as sent:
        page.keyboard.press("a")
    answers = sent.value.post_data_json["answers"]
    assert [one["answer"] for one in answers[:2]] == ["later", "no"]
    assert [one["answer"] for one in answers[2:]] == [one["likely"] for one in questions[2:20]]
    page.get_by_text(f"{len(answers)} questions answered").wait_for()
    with PeopleStore(workspace.store) as store:
        n_made = store.revision - 3
        assert n_made >= 1 and len(store.asked()) == len(answers)
    page.keyboard.press("u")
    page.get_by_text("taken back").wait_for()
    assert names(workspace) == before and decisions(workspace, n_made) == ["undo"] * n_made
    page.keyboard.press("s")
    page.get_by_role("button", name="Yes", exact=True).wait_for()


def test_a_question_settled_meanwhile_lets_none_be_decided_and_keeps_what_was_chosen(groups, workspace):
    page, questions = open_together(groups)
    page.get_by_role("group").first.get_by_role("radio", name="Later").check()
    with PeopleStore(workspace.store) as store:
        store.record_answer(questions[1]["id"], "later", None)
    page.get_by_role("button", name="Answer").click()
    page.get_by_text("Somebody else has changed this meanwhile.").wait_for()
    groups.problems[:] = [line for line in groups.problems if "409" not in line]
    expect(page.get_by_role("group").first.get_by_role("radio", name="Later")).to_be_checked()
    with PeopleStore(workspace.store) as store:
        assert store.revision == 3 and len(store.asked()) == 1


def test_two_groups_are_said_to_be_one_person_by_name(groups, workspace):
    with PeopleStore(workspace.store) as store:
        one, two = (group.faces for group in store.groups()[:2])
        question = Suggestion("of-two-groups", "same_person", "", 3, tuple(one), tuple(two), chance=0.7)
        save_questions(workspace.questions, [question], revision=store.revision)
    page = groups.open("/questions")
    page.get_by_role("heading", name="Are these the same person?").wait_for()
    page.keyboard.press("i")
    page.keyboard.type("Clara")
    page.keyboard.press("Enter")
    page.get_by_text("6 faces named Clara").wait_for()
    assert names(workspace)["Clara"] == 6


def test_questions_are_looked_for_anew_by_a_button(groups, workspace):
    with PeopleStore(workspace.store) as store:
        save_questions(workspace.questions, [], revision=store.revision)
    page = groups.open("/questions")
    page.get_by_role("heading", name="No question is open").wait_for()
    page.get_by_role("button", name="Look for questions").click()
    page.get_by_role("button", name="Yes", exact=True).wait_for(timeout=60_000)


def test_a_group_whose_name_is_on_its_way_is_not_asked_about_again(groups, workspace):
    page = open_groups(groups)
    held = []
    page.route("**/api/v1/faces/decide", lambda route: held.append(route))

    def name_it(name):
        shown = page.locator(".group-faces .tile").first.get_attribute("title")
        page.keyboard.type(name)
        page.keyboard.press("Enter")
        expect(page.locator(f'.group-faces .tile[title="{shown}"]')).to_have_count(0)

    def release(n):
        while len(held) < n:
            page.wait_for_timeout(20)
        held[n - 1].continue_()

    name_it("Clara")
    name_it("Dora")
    release(1)
    page.get_by_text("3 faces named Clara").wait_for()  # groups were listed anew, while Dora's is on its way
    name_it("Eve")
    page.get_by_role("heading", name="Every group has a name").wait_for()
    release(2)
    release(3)
    page.get_by_text("3 faces named Eve").wait_for()
    assert {"Clara": 3, "Dora": 3, "Eve": 3}.items() <= names(workspace).items()
