"""A person's faces: select by keys and by mouse, move, deny; two browsers; thousands cost nothing off screen."""

from playwright.sync_api import expect

from people.store.store import PeopleStore
from tests.webapp.made import N_CROWD, add_head, add_table


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


def date_photos(workspace) -> None:
    """Let the photos of the workspace say when they were taken: three in 2018, six in two months of 2019."""
    with PeopleStore(workspace.store) as store:
        dates = [f"2018-0{n}-01T12:00:00" for n in (1, 1, 2)] + [f"2019-0{n}-01T12:00:00" for n in (6, 6, 7, 7, 7, 7)]
        for file, taken in zip(store.files(), dates, strict=False):
            store._connection.execute("UPDATE scanned_files SET taken = ? WHERE path = ?", (taken, file.path))


def test_doubtful_faces_come_first_and_a_cover_is_chosen(site, workspace, photos):
    add_table(workspace, photos)
    with PeopleStore(workspace.store) as store:
        wrong = store.faces_in_table()[1]  # on the right, like Bob
        store.name([wrong.face], "Ada")
    page = site.open("/people/1")
    first = page.get_by_role("option").first
    expect(first).to_contain_text("alike")
    assert f"/faces/{wrong.face.key}/" in first.locator("img").get_attribute("src")
    page.get_by_role("button", name="By photo").click()
    second = page.get_by_role("option").nth(1)
    expect(second.locator("img")).to_have_attribute("src", f"/api/v1/faces/{wrong.face.key}/thumbnail")
    second.click()
    page.keyboard.press("c")
    page.get_by_text("Cover of Ada chosen").wait_for()
    with PeopleStore(workspace.store) as store:
        assert store.covers([1])[1].face == wrong.face
    page.go_back()
    expect(page.get_by_role("button", name="Doubtful ones first")).to_have_attribute("aria-pressed", "true")
    site.check_accessible()


def test_a_bar_of_the_timeline_chooses_its_time_by_keyboard(site, workspace):
    date_photos(workspace)
    page = site.open("/people/1")
    year = page.get_by_role("button", name="2019: 3 photos")
    year.focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("option")).to_have_count(3)
    site.check_accessible()
    page.get_by_role("button", name="Jun 2019: 2 photos").click()
    expect(page.get_by_role("option")).to_have_count(2)
    page.get_by_role("link", name="Photos", exact=True).click()
    page.get_by_role("status").filter(has_text="2 photos").wait_for()
    page.go_back()
    page.get_by_role("button", name="Jun 2019: 2 photos").click()
    expect(page.get_by_role("option")).to_have_count(3)


def test_from_the_tile_of_a_person_to_a_photo_with_somebody_else(site, workspace):
    with PeopleStore(workspace.store) as store:
        store.name([store.faces_in_table()[1].face], "Bob")
    page = site.open("/people")
    page.get_by_role("link").filter(has_text="Ada").locator("img, .thumb").first.click()
    page.get_by_role("heading", name="Ada", level=1).wait_for()
    page.get_by_role("list", name="On photos together with").get_by_role("link", name="with Bob").click()
    page.get_by_role("status").filter(has_text="1 photo").wait_for()
    page.go_back()
    page.get_by_role("option").first.dblclick()
    page.get_by_text("1 of 6").wait_for()


def test_rename_hide_why_and_merge_by_key_from_the_person(site, workspace, photos):
    add_table(workspace, photos)
    add_head(workspace)
    page = site.open("/people/2")
    face = page.get_by_role("option", name="Face 1", exact=True)
    face.focus()
    page.keyboard.press("w")
    page.get_by_role("dialog", name="Why?").get_by_text("The most similar faces with a name").wait_for()
    page.keyboard.press("Escape")
    expect(face).to_be_focused()
    page.keyboard.press("r")
    page.keyboard.type("Robert")
    page.keyboard.press("Enter")
    page.get_by_role("heading", name="Robert", level=1).wait_for()
    page.keyboard.press("h")
    page.get_by_text("Robert hidden").wait_for()
    page.get_by_role("button", name="Show again").click()
    page.get_by_text("Robert shown again").wait_for()
    page.keyboard.press("m")
    page.keyboard.type("Ad")
    page.get_by_role("option", name="Ada").wait_for()
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    page.get_by_role("heading", name="Ada", level=1).wait_for()
    with PeopleStore(workspace.store) as store:
        assert store.find_person("Ada").n_faces == 9


def test_faces_are_ordered_by_photo_and_by_doubt(site, workspace, photos):
    add_table(workspace, photos)
    page = site.open("/people/1")
    page.get_by_text("alike").first.wait_for()
    page.get_by_role("button", name="By photo").click()
    expect(page.get_by_role("button", name="By photo")).to_have_attribute("aria-pressed", "true")
    expect(page.get_by_text("alike")).to_have_count(0)
    titles = page.get_by_role("option").evaluate_all("tiles => tiles.map((tile) => tile.title)")
    assert len(titles) == 6 and titles == sorted(titles)
    page.get_by_role("button", name="Doubtful ones first").click()
    page.get_by_text("alike").first.wait_for()
