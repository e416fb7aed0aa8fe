"""The frame around all pages: signing in, navigation, keys, settings, accessibility."""

from datetime import date

import pytest
from playwright.sync_api import expect

from people.workspace.workspace import create_workspace
from tests.webapp.browser.conftest import PHONE, WIDE, Site
from tests.webapp.conftest import TOKEN
from webapp.access.passwords import write_password


@pytest.mark.parametrize(
    "path",
    ["/", "/questions", "/questions/together", "/people", "/people/1", "/history", "/find?with=1", "/try", "/forget"],
)
def test_axe_finds_nothing_and_nothing_is_cut_off(site, path):
    page = site.open(path)
    page.wait_for_load_state("networkidle")
    for look in (WIDE, PHONE):
        page.set_viewport_size(look)
        for scheme in ("light", "dark"):
            page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
            site.check_accessible()
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_without_the_token_one_signs_in(site):
    site.page.goto(site.address + "/people")
    secret = site.page.get_by_label("Token or password")
    secret.fill("wrong")
    secret.press("Enter")
    site.page.get_by_text("This opens nothing here.").wait_for()
    site.check_accessible()
    secret.fill(TOKEN)
    secret.press("Enter")
    site.page.get_by_role("link", name="Ada").wait_for()
    assert "token" not in site.page.url
    site.problems[:] = [line for line in site.problems if "401" not in line]


def test_one_signs_in_with_the_password_and_waits_after_many_wrong_tries(page, workspace, start, tmp_path):
    write_password(tmp_path / "password", "correct horse")
    _, address, _ = start(workspace, "--password-file", str(tmp_path / "password"))
    page.goto(f"{address}/people")
    page.get_by_text("Enter the password of this page").wait_for()
    secret = page.get_by_label("Token or password")
    secret.fill("correct horse")
    secret.press("Enter")
    page.get_by_role("link", name="Ada").wait_for()
    page.context.clear_cookies()
    page.reload()
    for _ in range(20):
        secret.fill("wrong")
        with page.expect_response("**/api/v1/session") as answered:
            secret.press("Enter")
        if answered.value.status == 429:
            break
    page.get_by_text("Too many wrong tries.").wait_for()


def test_pages_are_reached_by_links_keys_and_the_back_button(site):
    page = site.open("/")
    assert "token" not in page.url
    page.keyboard.press("g")
    page.keyboard.press("p")
    page.get_by_role("heading", name="People", level=1).wait_for()
    page.get_by_role("link", name="Ada").click()
    page.get_by_role("heading", name="Ada", level=1).wait_for()
    assert page.title() == "Ada · Facetable"
    page.go_back()
    page.get_by_role("heading", name="People", level=1).wait_for()
    page.go_back()
    page.get_by_role("heading", name="family").wait_for()


def test_all_keys_are_shown_and_focus_comes_back(site):
    page = site.open("/people/1")
    page.get_by_role("option").first.focus()
    page.keyboard.press("?")
    dialog = page.get_by_role("dialog", name="Keys")
    dialog.get_by_text("Select all").wait_for()
    site.check_accessible()
    page.keyboard.press("Escape")
    dialog.wait_for(state="detached")
    assert page.evaluate("document.activeElement.getAttribute('role')") == "option"


def test_language_theme_and_blur_are_kept(site):
    page = site.open("/people")
    page.get_by_role("button", name="Deutsch").click()
    page.get_by_role("heading", name="Personen").wait_for()
    page.get_by_role("button", name="Hell oder dunkel").click()
    page.keyboard.press("z")
    page.reload()
    page.get_by_role("heading", name="Personen").wait_for()
    assert page.evaluate("[document.documentElement.lang, document.documentElement.dataset.theme]") == ["de", "light"]
    assert "blur" in page.locator(".thumb img").first.evaluate("image => getComputedStyle(image).filter")


def test_what_is_not_there_says_so(site):
    site.page.goto(f"{site.address}/people/77?token={TOKEN}")
    site.page.get_by_text("Nobody has this address").wait_for()
    site.problems[:] = [line for line in site.problems if "404" not in line]


def test_a_workspace_without_anything_says_how_to_go_on(page, tmp_path, photos, serve):
    site = Site(serve(create_workspace(tmp_path / "empty", [photos])), page)
    site.open("/").get_by_text("No photo was looked at yet.").wait_for()
    site.open("/people").get_by_text("Nobody has a name yet").wait_for()
    site.open("/history").get_by_text("Nothing was decided yet").wait_for()
    site.check_accessible()


@pytest.mark.parametrize("now", ["1990-01-01T00:00:00", "2099-12-31T23:59:00"])
def test_a_browser_whose_clock_is_wrong_works_all_the_same(site, now):
    site.page.clock.set_system_time(now)
    page = site.open("/people")
    page.get_by_role("link", name="Ada").focus()
    page.keyboard.press("h")
    page.get_by_text("Ada hidden").wait_for()
    page.goto(f"{site.address}/history")  # still signed in
    page.get_by_role("button", name="Undo: Ada hidden").click()
    page.get_by_text("Taken back: Ada hidden").first.wait_for()
    assert page.locator(".decision .when").first.inner_text().count(str(date.today().year)) == 1  # the server's time


def test_loading_anew_shows_the_same_question_again(site):
    page = site.open("/find?with=1&unnamed=true")
    status = page.get_by_role("status").filter(has_text="photos")
    before = status.inner_text()
    page.reload()
    status.wait_for()
    assert status.inner_text() == before
    expect(page.get_by_label("With somebody unnamed")).to_be_checked()
    page.get_by_role("button", name="Take Ada out").wait_for()


def test_without_a_connection_that_is_said_and_the_same_key_works_afterwards(site):
    page = site.open("/people")
    page.get_by_role("link", name="Ada").focus()
    page.context.set_offline(True)
    page.keyboard.press("h")
    page.get_by_text("The server does not answer.").wait_for()
    page.context.set_offline(False)
    page.keyboard.press("h")
    page.get_by_text("Ada hidden").wait_for()
    site.problems[:] = [line for line in site.problems if "ERR_INTERNET_DISCONNECTED" not in line]


@pytest.mark.parametrize(("wanted", "name"), [("reduce", "none"), ("no-preference", "rise")])
def test_nothing_moves_for_who_wants_no_motion(site, wanted, name):
    site.page.emulate_media(reduced_motion=wanted)
    page = site.open("/people")
    page.keyboard.press("u")
    page.locator(".toast").wait_for()
    assert page.locator(".toast").evaluate("toast => getComputedStyle(toast).animationName") == name


@pytest.mark.parametrize(("language", "words"), [("en", ("people", "person")), ("de", ("Personen", "Person"))])
def test_none_one_and_two_are_counted_in_the_right_words(site, language, words):
    page = site.open("/")
    several, one = words
    if language == "de":
        page.get_by_role("button", name="Deutsch").click()
        page.get_by_role("button", name="English").wait_for()
    counted = page.evaluate(
        """async () => {
            const { t } = await import("/static/parts/words.js");
            const keys = ["forget.kind.people", "n_people", "start.people"];
            return [0, 1, 2].map((n) => keys.map((key) => t(key, { n })));
        }"""
    )
    assert [[text.removeprefix(f"{n} ") for text in texts[:2]] for n, texts in enumerate(counted)] == [
        [several, several],
        [one, one],
        [several, several],
    ]
    assert [texts[2] for texts in counted] == [name.capitalize() for name in (several, one, several)]
