"""Trying a picture, and forgetting somebody, in the browser."""

import io
import re

import pytest
from PIL import Image
from playwright.sync_api import expect

from tests.webapp.made import add_head, add_table
from tests.webapp.made_faces import ADA, BOB, ColourEncoder, head_of_colours


def png(colour=(40, 90, 40)) -> dict:
    content = io.BytesIO()
    Image.new("RGB", (200, 100), colour).save(content, "PNG")
    return {"name": "a.png", "mimeType": "image/png", "buffer": content.getvalue()}


def test_without_named_people_the_page_says_what_to_do(site):
    page = site.open("/try")
    page.get_by_label("Drop a picture here").set_input_files(png())
    page.get_by_role("alert").filter(has_text="name somebody").wait_for()
    site.problems[:] = [line for line in site.problems if "404" not in line]


@pytest.mark.realdata
def test_a_real_face_is_found_named_unknown_and_compared(site, workspace, photos, data, networks):
    photo = data / "people" / "test" / "obama1.jpg"
    page = site.open("/try")
    for label in ("First picture", "Second picture"):
        page.get_by_label(label).set_input_files(photo)
    page.get_by_text("Similarity 1.00").wait_for(timeout=60_000)
    site.check_accessible()
    page.get_by_label("Second picture").set_input_files(png())
    page.get_by_text("No face was found.").wait_for(timeout=60_000)


def test_somebody_is_forgotten_after_typing_the_name(site, workspace, photos, monkeypatch, tmp_path):
    monkeypatch.setattr("people.forgetting.forgetting.cache_folder", lambda: tmp_path / "no cache")
    add_table(workspace, photos)
    add_head(workspace)
    page = site.open("/forget")
    expect(page.get_by_role("combobox", name="Name")).to_be_focused()
    page.keyboard.type("Bob")
    page.keyboard.press("Enter")
    page.get_by_role("heading", name="files hold Bob").wait_for()
    expect(page.locator(".held li", has_text="people.sqlite")).to_contain_text("1 person, 3 faces, 1 decision")
    site.check_accessible()
    page.get_by_role("button", name="Forget Bob").click()
    typed = page.get_by_label("Type the name once more: Bob")
    typed.fill("bob")
    page.keyboard.press("Enter")
    expect(page.get_by_role("alert").filter(has_text="That is another name.")).to_be_visible()
    typed.fill("Bob")
    page.keyboard.press("Enter")
    page.get_by_role("heading", name=" was forgotten").wait_for()
    expect(page.get_by_text("people.sqlite: written anew without them")).to_be_visible()
    assert not any(b"Bob" in path.read_bytes() for path in workspace.folder.rglob("*") if path.is_file())


def test_a_picture_of_the_webcam_is_named(site, workspace, monkeypatch):
    monkeypatch.setattr("webapp.programs.recognize.encoder_of", lambda context: ColourEncoder(context))
    monkeypatch.setattr("webapp.programs.recognize.workspace_head", lambda context: head_of_colours())
    page = site.open("/try")
    page.evaluate(
        """colour => { navigator.mediaDevices.getUserMedia = async () => {
            const canvas = document.createElement("canvas");
            const draw = () => {
                const context = canvas.getContext("2d");
                context.fillStyle = colour;
                context.fillRect(0, 0, canvas.width, canvas.height);
            };
            draw();
            setInterval(draw, 50);
            return canvas.captureStream(30);
        }; }""",
        f"rgb{ADA}",
    )
    page.get_by_role("button", name="Webcam").first.click()
    page.get_by_role("button", name="Take the picture").click()
    page.locator(".found li", has_text="Ada").wait_for()


def test_without_a_camera_that_is_said(site):
    page = site.open("/try")
    page.evaluate("() => { navigator.mediaDevices.getUserMedia = async () => { throw new DOMException('', 'x'); }; }")
    page.get_by_role("button", name="Webcam").first.click()
    page.get_by_text("No camera can be used here.").wait_for()


def test_a_picture_that_is_dropped_is_named(site, monkeypatch):
    monkeypatch.setattr("webapp.programs.recognize.encoder_of", lambda context: ColourEncoder(context))
    monkeypatch.setattr("webapp.programs.recognize.workspace_head", lambda context: head_of_colours())
    page = site.open("/try")
    dropped = page.evaluate_handle(
        """async colour => {
            const canvas = new OffscreenCanvas(90, 90);
            const context = canvas.getContext("2d");
            context.fillStyle = colour;
            context.fillRect(0, 0, 90, 90);
            const files = new DataTransfer();
            files.items.add(new File([await canvas.convertToBlob()], "a.png", { type: "image/png" }));
            return files;
        }""",
        f"rgb{BOB}",
    )
    place = page.locator(".drop").first
    place.dispatch_event("dragover", {"dataTransfer": dropped})
    expect(place).to_have_class(re.compile("is-target"))
    place.dispatch_event("drop", {"dataTransfer": dropped})
    expect(place).not_to_have_class(re.compile("is-target"))
    page.locator(".found li", has_text="Bob").wait_for()
