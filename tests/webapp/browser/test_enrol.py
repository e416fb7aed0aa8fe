"""Enrolling in the browser: pictures with hints, refusals with reasons, the webcam, undo; nothing kept before."""

import io

import pytest
from PIL import Image, ImageDraw
from playwright.sync_api import expect

from people.store.store import PeopleStore
from tests.people.threshold.made import keep_head
from tests.webapp.browser.conftest import PHONE, Site
from tests.webapp.made_faces import ADA, BLURRED, NEW, NOBODY, ColourEncoder, head_of_colours, picture_file
from webapp.jobs import process
from webapp.jobs.job import JobFolder


@pytest.fixture(autouse=True)
def ready(workspace, monkeypatch):
    """Encode faces by colour, and let every scan be done at once."""
    monkeypatch.setattr("webapp.programs.networks.WorkspaceEncoder", ColourEncoder)
    keep_head(workspace, head_of_colours())
    folder = JobFolder(workspace)
    monkeypatch.setattr(process.subprocess, "Popen", lambda words, **_: folder.end(folder.get(words[-1]), "done"))


def sent(*colours):
    return [
        {"name": f"{place}.png", "mimeType": "image/png", "buffer": picture_file(colour)}
        for place, colour in enumerate(colours)
    ]


def test_good_pictures_are_kept_and_bad_ones_stay_with_their_reasons(site, workspace):
    page = site.open("/enrol")
    page.get_by_label("Drop pictures of one person").set_input_files(sent(NEW, BLURRED, NOBODY))
    pictures = page.get_by_role("list", name="Pictures to enrol").locator("> li")
    expect(pictures).to_have_count(3)
    expect(pictures.nth(0)).to_contain_text("Good")
    expect(pictures.nth(1)).to_contain_text("Blurred: sharpness 20, at least 60")
    expect(pictures.nth(2)).to_contain_text("No face was found")
    assert not workspace.enrolled.exists()
    site.check_accessible()
    page.keyboard.press("n")
    page.keyboard.type("Eve")
    page.keyboard.press("Enter")
    page.get_by_text("1 picture of Eve was kept.").wait_for()
    page.get_by_text("2 pictures were refused").wait_for()
    page.get_by_text("Learned").wait_for()
    expect(pictures).to_have_count(2)
    assert len(list(workspace.enrolled.iterdir())) == 1
    page.get_by_role("button", name="Leave picture 3 out").click()
    page.get_by_label("Take pictures with flaws, too").check()
    page.get_by_role("button", name="Enrol with 1 picture", exact=True).click()
    expect(pictures).to_have_count(0)
    with PeopleStore(workspace.store) as store:
        assert store.find_person("Eve").n_faces == 2
    page.get_by_role("button", name="Undo").last.click()
    page.get_by_text("Taken back").wait_for()
    with PeopleStore(workspace.store) as store:
        assert store.find_person("Eve").n_faces == 1


def test_somebody_elses_picture_is_told(site):
    page = site.open("/enrol")
    page.get_by_label("Drop pictures of one person").set_input_files(sent(ADA))
    page.get_by_text("Good").wait_for()
    page.get_by_role("button", name="Enrol with 1 picture").click()
    page.get_by_text("Who is it? Give a name.").wait_for()
    page.keyboard.type("Eve")
    page.keyboard.press("Enter")
    page.get_by_text("Taken for Ada: similarity 1.00, a name from 0.50").wait_for()
    page.get_by_text("No new picture was kept.").wait_for()


def test_the_way_from_a_person_and_a_file_that_is_no_picture(site):
    page = site.open("/people/1")
    page.get_by_role("link", name="Add photos").click()
    page.get_by_role("heading", name="Photos of Ada").wait_for()
    expect(page.get_by_role("combobox", name="Name")).to_have_value("Ada")
    notes = {"name": "notes.txt", "mimeType": "text/plain", "buffer": b"no picture"}
    page.get_by_label("Drop pictures of one person").set_input_files([notes])
    page.get_by_text("This did not work").wait_for()
    page.set_viewport_size(PHONE)
    site.check_accessible()
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    site.problems[:] = [line for line in site.problems if "400" not in line and "blob:" not in line]


def camera_film(path):
    """Write what the camera shows: frames of one colour with a moving line, as JPEGs one after the other."""
    frames = []
    for place in range(30):
        frame = Image.new("RGB", (640, 480), NEW)
        ImageDraw.Draw(frame).line((place * 20, 0, place * 20, 10), fill=(255, 255, 255))
        stream = io.BytesIO()
        frame.save(stream, "JPEG")
        frames.append(stream.getvalue())
    path.write_bytes(b"".join(frames))
    return path


def test_pictures_are_taken_with_the_webcam_under_live_hints(
    workspace, serve, browser_type, browser_type_launch_args, tmp_path
):
    film = camera_film(tmp_path / "film.mjpeg")
    flags = ["--use-fake-device-for-media-stream", f"--use-file-for-fake-video-capture={film}"]
    arguments = [*browser_type_launch_args["args"], *flags, "--use-fake-ui-for-media-stream"]
    browser = browser_type.launch(**{**browser_type_launch_args, "args": arguments})
    try:
        page = browser.new_context(permissions=["camera"]).new_page()
        page.set_default_timeout(60_000)
        page.on("pageerror", lambda error: problems.append(str(error)))
        problems: list[str] = []
        Site(serve(workspace), page).open("/enrol")
        page.get_by_role("button", name="Webcam", exact=True).click()
        expect(page.locator(".hints.is-live")).to_have_text("Good", timeout=60_000)
        page.get_by_role("button", name="Take the picture").click()
        page.get_by_role("list", name="Pictures to enrol").get_by_text("Good").wait_for()
        assert not workspace.enrolled.exists()
        page.get_by_role("combobox", name="Name").fill("Eve")
        page.get_by_role("button", name="Enrol with 1 picture").click()
        page.get_by_text("1 picture of Eve was kept.").wait_for()
        assert page.locator("video").is_hidden() and problems == []
        assert len(list(workspace.enrolled.iterdir())) == 1
    finally:
        browser.close()
