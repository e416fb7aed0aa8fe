"""A photo in the browser: draw a missed face by mouse and by keys, go through a list, and back to its place."""

import pytest
from playwright.sync_api import expect

from people.store.records import photo_number
from people.store.store import PeopleStore
from tests.webapp.made import add_head, add_table


@pytest.fixture
def photo(workspace) -> int:
    """Return the number of the first photo."""
    with PeopleStore(workspace.store) as store:
        return photo_number(store.files()[0].sha256)


def drawn(workspace) -> list[tuple[float, ...]]:
    """Return the boxes that were drawn, in pixels of the photo."""
    with PeopleStore(workspace.store) as store:
        return [
            (face.box[0] * file.width, face.box[1] * file.height, face.box[2] * file.width, face.box[3] * file.height)
            for file, face, _ in store.faces_without_row()
        ]


def test_a_face_is_drawn_by_mouse_and_named(site, workspace, photo):
    page = site.open(f"/photos/{photo}")
    picture = page.locator(".photo").bounding_box()
    x, y, width, height = (picture[side] for side in ("x", "y", "width", "height"))
    page.mouse.move(x + 0.45 * width, y + 0.05 * height)
    page.mouse.down()
    page.mouse.move(x + 0.55 * width, y + 0.2 * height, steps=4)
    page.mouse.up()
    page.get_by_text("A new face").wait_for()
    site.check_accessible()
    page.mouse.move(x + 0.5 * width, y + 0.1 * height)
    page.mouse.down()
    page.mouse.move(x + 0.58 * width, y - 0.5 * height, steps=4)
    page.mouse.up()
    page.keyboard.press("Enter")
    page.get_by_role("combobox", name="Name").fill("Eve")
    page.keyboard.press("Enter")
    page.get_by_role("button", name="Face 2: Eve").wait_for()
    expect(page.get_by_text("drawn, compared from the next look for photos on")).to_be_visible()
    (box,) = drawn(workspace)
    assert box == pytest.approx((339, 0, 403, 72), abs=2)  # drawn, then dragged against the upper edge
    with PeopleStore(workspace.store) as store:
        assert store.find_person("Eve").n_faces == 1
    page.get_by_role("link", name="All faces of").click()
    page.get_by_role("heading", name="No photo of the newest scan shows Eve").wait_for()
    page.get_by_role("button", name="Undo").click()
    page.get_by_text("Taken back").wait_for()
    page.get_by_text("0 faces in 0 photos").wait_for()
    page.go_back()
    page.get_by_role("button", name="Face 2: no name").wait_for()
    assert drawn(workspace) == []


def test_a_face_is_drawn_by_keys_and_left_without_a_name(site, workspace, photo):
    page = site.open(f"/photos/{photo}")
    page.get_by_role("button", name="Face 1: Ada").wait_for()
    page.keyboard.press("f")
    box = page.get_by_role("application", name="Drawn box")
    expect(box).to_be_focused()
    for key, times in (("ArrowUp", 30), ("ArrowLeft", 5), ("Shift+ArrowRight", 4), ("Shift+ArrowUp", 3)):
        for _ in range(times):
            page.keyboard.press(key)
    page.keyboard.press("k")
    page.get_by_text("1 face drawn").wait_for()
    face = page.get_by_role("button", name="Face 2: no name")
    expect(face).to_be_focused()
    (box,) = drawn(workspace)
    # 20 % of the shorter side in the middle, moved and resized
    assert box == pytest.approx((0.375 * 640, 0.1 * 480, 0.565 * 640, 0.27 * 480), abs=0.5)
    page.keyboard.press("u")
    page.get_by_text("Taken back").wait_for()
    expect(page.locator(".photo button")).to_have_count(2)
    assert drawn(workspace) == []


def test_a_box_is_discarded_and_what_was_drawn_elsewhere_is_told(site, workspace, photo):
    page = site.open(f"/photos/{photo}")
    page.keyboard.press("f")
    page.keyboard.press("Escape")
    expect(page.get_by_role("application")).to_have_count(0)
    page.get_by_role("button", name="Draw a face").click()
    with PeopleStore(workspace.store) as store:
        from people.store.records import Face

        side = 0.1 * 480
        box = (0.5 - side / 640, 0.4, 0.5 + side / 640, 0.6)
        store.name([Face(store.files()[0].sha256, box)], "Eve")
    page.keyboard.press("k")
    page.get_by_text("Somebody else has changed this meanwhile").wait_for()
    page.get_by_role("button", name="Face 2: Eve").wait_for()
    with PeopleStore(workspace.store) as store:
        assert store.find_person("Eve").n_faces == 1 and store.revision == 4
    site.problems[:] = [line for line in site.problems if "409" not in line]


def test_through_a_person_s_photos_and_back_to_the_same_place(site):
    page = site.open("/find?with=1")
    tile = page.get_by_role("list", name="Photos").get_by_role("link").nth(1)
    tile.click()
    page.get_by_text("2 of 6").wait_for()
    page.keyboard.press("ArrowRight")
    page.get_by_text("3 of 6").wait_for()
    page.get_by_role("link", name="Next photo").click()
    page.get_by_text("4 of 6").wait_for()
    for number in (3, 2, 1):
        page.keyboard.press("ArrowLeft")
        page.get_by_text(f"{number} of 6").wait_for()
    expect(page.get_by_role("link", name="Previous photo")).to_have_count(0)
    page.get_by_role("link", name="Back", exact=True).click()
    page.get_by_role("status").filter(has_text="6 photos").wait_for()
    expect(page.get_by_role("list", name="Photos").get_by_role("link").nth(1)).to_be_focused()


def test_back_leads_to_the_place_that_was_scrolled_to(site):
    page = site.open("/people/3")
    page.get_by_role("option").first.focus()
    page.keyboard.press("End")
    last = page.get_by_role("option", name="Face 260", exact=True)
    expect(last).to_be_focused(timeout=60_000)
    scrolled = page.evaluate("scrollY")
    assert scrolled > 300
    page.keyboard.press("o")
    page.get_by_role("heading", name="crowd.png").wait_for()
    page.keyboard.press("Backspace")
    expect(last).to_be_focused(timeout=60_000)
    assert abs(page.evaluate("scrollY") - scrolled) < 5


def test_a_photo_that_was_opened_alone_stands_in_its_folder(site, photo):
    page = site.open(f"/photos/{photo}")
    page.get_by_text("1 of 3").wait_for()
    page.keyboard.press("ArrowRight")
    page.get_by_text("2 of 3").wait_for()
    page.get_by_role("link", name="Its folder").click()
    page.get_by_role("status").filter(has_text="3 photos").wait_for()
    page.get_by_role("button", name="Take album <0> out").click()
    page.get_by_text("Who shall be on the photos?").wait_for()


def test_through_the_faces_by_tab_and_what_is_said_of_each(site, workspace, photos):
    add_table(workspace, photos)
    add_head(workspace)
    with PeopleStore(workspace.store) as store:
        number = photo_number(next(face for face in store.faces_in_table() if face.state == "open").face.photo_sha256)
    page = site.open(f"/photos/{number}")
    page.get_by_role("button", name="Face 1: Ada").focus()
    page.keyboard.press("Tab")
    expect(page.get_by_role("button", name="Face 2: no name")).to_be_focused()
    expect(page.get_by_role("toolbar", name="Face").get_by_text("no name")).to_be_visible()
    page.keyboard.press("w")
    page.get_by_role("dialog", name="Why?").get_by_text("The most similar faces with a name").wait_for()
    page.keyboard.press("Escape")
    page.keyboard.press("b")
    page.get_by_role("button", name="Face 2: nobody I know").wait_for()
    page.keyboard.press("x")
    page.get_by_role("button", name="Face 2: no face").wait_for()
    page.get_by_role("button", name="Face 1: Ada").focus()
    page.keyboard.press("d")
    page.get_by_role("button", name="Face 1: no name").wait_for()
    with PeopleStore(workspace.store) as store:
        assert [one.kind for one in store.history(limit=3)] == ["is_not", "not_a_face", "nobody"]
