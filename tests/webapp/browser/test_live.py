"""Live pictures in Chromium, from a real camera server, with the names of a head of real photos."""

import base64
import json
import os
import shutil
import sys
import time
from contextlib import suppress
from pathlib import Path

import cv2
import pytest
from playwright.sync_api import expect

from classifiers.files.head_file import load_head
from embedder.images.reading import read_image
from people.store.store import PeopleStore
from tests.recognition.mjpeg_server import MjpegServer
from tests.webapp.conftest import TOKEN
from tests.webapp.live.test_visits import told
from tests.webapp.live.test_watching import STAND_IN
from tests.webapp.made import add_head, add_table
from webapp.live import watching
from webapp.live.camera_list import add_camera
from webapp.live.messages import unpack


def jpeg_of(photo):
    image = cv2.resize(read_image(photo)[..., ::-1], (640, 480))
    return cv2.imencode(".jpg", image)[1].tobytes()


@pytest.mark.realdata
def test_a_camera_is_seen_with_names_and_its_process_ends(site, workspace, data, people_head, monkeypatch):
    monkeypatch.setattr("webapp.live.watching.SECONDS_AFTER_LAST", 0.2)
    workspace.head.parent.mkdir(exist_ok=True)
    shutil.copyfile(people_head, workspace.head)
    picture = jpeg_of(data / "people" / "test" / "obama1.jpg")
    with MjpegServer(lambda _: picture, 10.0) as camera:
        page = site.open("/live")
        page.get_by_label("Name", exact=True).fill("<b>door</b>".replace("/", "|"))
        page.get_by_label("Number, or").fill(camera.url)
        page.get_by_role("button", name="Add camera").click()
        page.get_by_role("button", name="<b>door<|b>", exact=True).click()
        page.locator(".visits li", has_text="obama").first.wait_for(timeout=60_000)
        values = page.evaluate(
            "() => new Set(document.querySelector('canvas').getContext('2d').getImageData(0, 0, 640, 480).data).size"
        )
        assert values > 50
        site.check_accessible()
        page.goto(f"{site.address}/people")
        wait_until(lambda: not camera_processes())


def camera_processes() -> list[int]:
    """Return the numbers of the cameras' processes that this one has begun."""
    found = []
    for place in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            state, parent = (place / "stat").read_text().rpartition(")")[2].split()[:2]
            is_camera = "webapp.live.camera_process" in (place / "cmdline").read_text()
            if int(parent) == os.getpid() and state != "Z" and is_camera:
                found.append(int(place.name))
    return found


def wait_until(holds) -> None:
    until_s = time.monotonic() + 60
    while not holds():
        assert time.monotonic() < until_s
        time.sleep(0.1)


@pytest.mark.realdata
def test_a_face_is_named_and_refused_in_the_picture_and_the_camera_heeds_it(site, workspace, data, people_head):
    workspace.head.parent.mkdir(exist_ok=True)
    shutil.copyfile(people_head, workspace.head)
    pictures = [jpeg_of(data / "people" / "test" / name) for name in ("obama1.jpg", "alex_lacamoire1.jpg")]
    shown = [0]
    with MjpegServer(lambda _: pictures[shown[0]], 10.0) as camera:
        add_camera(workspace, "door", camera.url)
        with PeopleStore(workspace.store) as store:
            store.name([store.faces_in_table()[1].face], "alex_lacamoire")
        page = site.open("/live")
        page.get_by_role("button", name="door", exact=True).wait_for()
        page.keyboard.press("c")
        page.get_by_role("button", name="Who is this? obama").wait_for(timeout=60_000)
        page.keyboard.press("f")
        page.keyboard.press("Enter")
        dialog = page.get_by_role("dialog")
        dialog.get_by_text("Taken for obama").wait_for()
        dialog.get_by_text("Not since the server was started.").wait_for()
        site.check_accessible()
        page.keyboard.type("Barack")
        page.keyboard.press("Enter")
        page.get_by_text("1 face named Barack").wait_for()
        page.get_by_role("button", name="Who is this? Barack").wait_for(timeout=60_000)
        shown[0] = 1
        page.get_by_role("button", name="Who is this? alex").click(timeout=60_000)
        page.get_by_role("dialog").get_by_role("button", name="Not alex").click()
        page.get_by_text("1 face not alex").wait_for()
        page.get_by_role("button", name="Who is this? somebody unknown").wait_for(timeout=60_000)
    with PeopleStore(workspace.store) as store:
        assert "Barack" in [person.name for person in store.people()]
    pictures = list(workspace.live_pictures.glob("*.jpg"))
    assert len(pictures) == 2 and not any(picture.stat().st_mode & 0o077 for picture in pictures)


@pytest.mark.realdata
def test_a_stranger_is_enrolled_by_a_click_on_the_face_in_the_picture(site, workspace, data, people_head):
    workspace.head.parent.mkdir(exist_ok=True)
    shutil.copyfile(people_head, workspace.head)
    folder = data / "lfw" / "images" / "Tiger_Woods"
    pictures = [jpeg_of(folder / f"Tiger_Woods_000{number}.jpg") for number in (1, 5)]
    shown = [0]
    with MjpegServer(lambda _: pictures[shown[0]], 10.0) as camera:
        add_camera(workspace, "door", camera.url)
        page = site.open("/live")
        page.get_by_role("button", name="door", exact=True).click()
        page.get_by_role("button", name="Who is this? somebody unknown").click(timeout=60_000)
        dialog = page.get_by_role("dialog")
        dialog.get_by_role("button", name="Give this name").click()
        dialog.get_by_role("alert").filter(has_text="Give a name, or close this.").wait_for()
        dialog.get_by_role("combobox", name="Name").fill("Tiger Woods")
        dialog.get_by_role("button", name="Give this name").click()
        page.get_by_text("1 face named Tiger Woods").wait_for()
        page.get_by_role("button", name="Who is this? Tiger Woods").wait_for(timeout=60_000)
        shown[0] = 1  # another photo: it is the person that was learned, not the picture
        page.locator(".visits li", has_text="Tiger Woods").nth(1).wait_for(timeout=60_000)
    assert "Tiger Woods" in load_head(workspace.head).labels
    (picture,) = workspace.live_pictures.glob("*.jpg")
    assert not picture.stat().st_mode & 0o077
    with PeopleStore(workspace.store) as store:
        assert store.find_person("Tiger Woods").n_faces == 1
    page.locator(".toast").get_by_role("button", name="Undo").click()
    page.get_by_text("Taken back: 1 face named Tiger Woods").wait_for()
    with PeopleStore(workspace.store) as store:
        assert "Tiger Woods" not in [person.name for person in store.people()]


@pytest.mark.realdata
def test_the_browsers_own_camera_gets_names_and_nothing_is_kept(
    workspace, serve, data, people_head, browser_type, browser_type_launch_args, tmp_path
):
    workspace.head.parent.mkdir(exist_ok=True)
    shutil.copyfile(people_head, workspace.head)
    seen = tmp_path / "camera.mjpeg"
    seen.write_bytes(10 * jpeg_of(data / "people" / "test" / "obama1.jpg"))
    kept = sorted(workspace.folder.rglob("*"))
    fake = ["--use-fake-ui-for-media-stream", "--use-fake-device-for-media-stream"]
    arguments = [*browser_type_launch_args["args"], *fake, f"--use-file-for-fake-video-capture={seen}"]
    browser = browser_type.launch(executable_path=browser_type_launch_args["executable_path"], args=arguments)
    try:
        page = browser.new_page()
        problems = []
        page.on("console", lambda message: problems.append(message.text) if message.type == "error" else None)
        page.on("pageerror", lambda error: problems.append(str(error)))
        answers = []
        page.on("response", lambda answer: answers.append(answer) if "recognize" in answer.url else None)
        page.goto(f"{serve(workspace)}/live?token={TOKEN}")
        page.get_by_role("button", name="This browser's camera").click()
        canvas = page.locator("canvas")
        canvas.wait_for(state="attached")
        wait_until(lambda: int(canvas.get_attribute("data-frames") or 0) >= 3)
        assert [face["name"] for face in answers[-1].json()["faces"]] == ["obama"]
        page.goto("about:blank")
        assert problems == []
    finally:
        browser.close()
    new = {path.name for path in workspace.folder.rglob("*") if path not in kept}
    assert new <= {"people.sqlite-shm", "people.sqlite-wal"}  # there while the store is open


def stand_in_visits(monkeypatch, workspace) -> str:
    """Let cameras be stand-ins that tell of two visits of one face; return the address of one."""
    lines = []
    for number, ended in ((1, True), (2, False)):
        header, picture = unpack(told(number, toward=9, began=100.0 * number, ended=ended))
        lines.append(json.dumps({**header, "jpeg": base64.b64encode(picture).decode()}))
    command = [sys.executable, str(STAND_IN)]
    monkeypatch.setattr(watching, "camera_command", lambda head, _: [*command, str(head)])
    monkeypatch.setattr(watching, "SECONDS_AFTER_LAST", 0.1)
    monkeypatch.setenv("PYTHONPATH", str(Path.cwd()))
    return "http://camera/visit/" + base64.urlsafe_b64encode("\n".join(lines).encode()).decode()


def test_a_stranger_who_was_here_before_is_told_by_keyboard(site, workspace, photos, monkeypatch):
    add_table(workspace, photos)
    add_head(workspace)
    add_camera(workspace, "door", stand_in_visits(monkeypatch, workspace))
    page = site.open("/live")
    page.get_by_role("button", name="door", exact=True).wait_for()
    page.keyboard.press("c")
    expect(page.locator(".visits li")).to_have_count(2)
    page.keyboard.press("v")
    page.keyboard.press("Enter")
    dialog = page.get_by_role("dialog", name="Who was this?")
    dialog.get_by_text("door: somebody unknown, similarity 1.00").wait_for()
    page.keyboard.press("Escape")
    expect(dialog).to_have_count(0)
    site.problems[:] = [line for line in site.problems if "decode" not in line]  # the stand-in sends no pictures


def test_a_camera_is_left_out_and_what_is_wrong_with_one_is_said(site, workspace, monkeypatch):
    workspace.head.parent.mkdir(exist_ok=True)
    workspace.head.write_bytes(b"a head")
    stand_in_visits(monkeypatch, workspace)
    add_camera(workspace, "door", "http://me:secret@camera/fails")
    page = site.open("/live")
    page.get_by_role("button", name="door", exact=True).click()
    page.get_by_text("The camera's process has stopped").wait_for()
    page.get_by_text("this camera is broken").wait_for()
    expect(page.get_by_text("secret")).to_have_count(0)
    page.get_by_role("button", name="Remove: door").click()
    page.get_by_text("No cameras yet").wait_for()
    expect(page.get_by_text("this camera is broken")).to_have_count(0)
    page.get_by_label("Name", exact=True).fill("door")
    page.get_by_label("Number, or").fill("no address")
    page.get_by_role("button", name="Add camera").click()
    page.get_by_text("This camera cannot be added").wait_for()
    site.problems[:] = [line for line in site.problems if "400" not in line]
