"""The threshold page: a slider by keyboard whose line tells the rates, saving, undoing, and too few people."""

import pytest
from playwright.sync_api import expect

from classifiers.files.head_file import load_head
from people.workspace.workspace import Workspace
from tests.people.threshold.made import keep_head, made_head
from tests.webapp.browser.conftest import PHONE
from webapp.naming import threshold


def test_the_slider_tells_rates_and_its_threshold_is_saved_and_taken_back(site, workspace):
    keep_head(workspace, made_head(40, spread=1.6))
    own = load_head(workspace.head).threshold
    page = site.open("/threshold")
    slider = page.get_by_role("slider", name="Threshold")
    site.check_accessible()
    line = page.locator(".threshold-line")
    before = line.inner_text()
    assert "strangers" in before and f"{own:.3f}" in before and "finds" in before
    page.get_by_role("button", name="1 in 10 strangers", exact=True).click()
    expect(line).to_contain_text("strangers (")
    slider.focus()
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowRight")
    chosen = float(slider.input_value())
    expect(line).to_contain_text(f"{chosen:.3f}".rstrip("0"))
    assert slider.get_attribute("aria-valuetext") == line.inner_text() != before
    page.keyboard.press("s")
    page.get_by_text("It lasts over scans").wait_for()
    assert load_head(workspace.head).threshold == chosen == Workspace(workspace.folder).settings.threshold
    back = page.get_by_role("button", name="Back to the preset’s own")
    expect(back).to_be_visible()
    page.get_by_role("button", name="Undo").click()
    expect(back).to_be_hidden()
    assert load_head(workspace.head).threshold == pytest.approx(own)
    assert page.get_by_text("40 people").count() >= 2


def test_back_by_key_and_told_of_others_choices(site, workspace):
    keep_head(workspace, made_head(40))
    page = site.open("/threshold")
    page.get_by_role("slider").press("ArrowLeft")
    page.keyboard.press("s")
    page.get_by_text("It lasts over scans").wait_for()
    page.keyboard.press("p")
    expect(page.get_by_role("button", name="Back to the preset’s own")).to_be_hidden()
    assert Workspace(workspace.folder).settings.threshold == "auto"
    Workspace(workspace.folder).set_threshold(0.2)
    page.get_by_role("slider").press("ArrowLeft")
    page.keyboard.press("s")
    page.get_by_text("Somebody else has changed this meanwhile").wait_for()
    assert Workspace(workspace.folder).settings.threshold == 0.2
    site.problems[:] = [line for line in site.problems if "409" not in line]


def test_few_people_see_the_presets_curve_and_why(site, workspace):
    keep_head(workspace, made_head(5))
    page = site.open("/threshold")
    page.get_by_text("Strangers were not measured: 5 people with a name, and it takes 30").wait_for()
    page.get_by_text("Threshold of 1 in 100 strangers").wait_for()
    expect(page.locator(".threshold-line")).to_contain_text("1 in 100 strangers, by the preset’s curve")
    page.set_viewport_size(PHONE)
    site.check_accessible()
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_many_faces_are_measured_with_progress(site, workspace, monkeypatch):
    monkeypatch.setattr(threshold, "MOST_AT_ONCE", 10)
    keep_head(workspace, made_head(12))
    page = site.open("/threshold")
    page.get_by_text("Found: 36 faces of 12 people").wait_for(timeout=60_000)


def test_without_names_it_says_what_to_do(site):
    page = site.open("/")
    page.keyboard.press("g")
    page.keyboard.press("r")
    page.get_by_text("name somebody, then look for new photos").wait_for()
    site.problems[:] = [line for line in site.problems if "404" not in line]
