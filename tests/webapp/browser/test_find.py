"""Find and photo in the browser, by keyboard."""

import io
import re
from types import MappingProxyType

import cv2
import numpy as np
from PIL import Image
from playwright.sync_api import expect

from embedder.detection.faces import Faces
from foundation.formats import hash_file
from people.store.scanned import ScannedFile
from people.store.store import PeopleStore
from tests.webapp.made import add_table


def test_find_by_name_then_name_a_face_and_go_back(site, workspace):
    page = site.open("/find")
    page.get_by_text("Who shall be on the photos?").wait_for()
    site.check_accessible()
    page.get_by_role("combobox", name="With", exact=True).fill("Ada")
    page.keyboard.press("Enter")
    page.get_by_role("status").filter(has_text="6 photos").wait_for()
    site.check_accessible()
    address = page.url
    page.get_by_role("list", name="Photos").get_by_role("link").first.click()
    face = page.get_by_role("button", name="Face 2: no name")
    face.wait_for()
    site.check_accessible()
    face.focus()
    page.keyboard.press("n")
    page.get_by_role("combobox", name="Name").fill("Eve")
    page.keyboard.press("Enter")
    page.get_by_role("button", name="Face 2: Eve").wait_for()
    with PeopleStore(workspace.store) as store:
        assert store.find_person("Eve").n_faces == 1
    page.keyboard.press("d")
    page.get_by_text("1 face not Eve").wait_for()
    page.keyboard.press("u")
    page.get_by_role("button", name="Face 2: Eve").wait_for()
    page.go_back()
    page.get_by_role("status").filter(has_text="6 photos").wait_for()
    assert page.url == address


def test_chips_are_taken_out_and_nothing_found_is_said(site):
    page = site.open("/find?with=1&with=2")
    page.get_by_text("No photo is like this").wait_for()
    page.get_by_role("button", name="Take Bob out").click()
    page.get_by_role("status").filter(has_text="6 photos").wait_for()
    page.get_by_label("Nobody else").check()
    expect(page.get_by_role("status").filter(has_text="0 photos")).to_be_visible()
    page.get_by_role("button", name="Take Ada out").click()
    page.get_by_text("Who shall be on the photos?").wait_for()


def test_a_photo_that_is_gone_is_said(site, workspace):
    number = 0
    with PeopleStore(workspace.store) as store:
        from people.store.records import photo_number

        file = next(file for file in store.files() if file.path != "crowd.png")
        number = photo_number(file.sha256)
    page = site.open("/find?with=1")
    page.route("**/picture*", lambda route: route.fulfill(status=404))
    page.evaluate(f"history.pushState({{}}, '', '/photos/{number}')")
    page.evaluate("dispatchEvent(new PopStateEvent('popstate'))")
    page.get_by_text("This photo is gone or was changed.").wait_for()
    site.problems[:] = [line for line in site.problems if "404" not in line]


def test_from_a_person_to_a_photo_and_back(site):
    page = site.open("/people/1")
    page.get_by_role("option", name="Face 1", exact=True).focus()
    page.keyboard.press("o")
    page.get_by_role("button", name="Face 1: Ada").wait_for()
    page.keyboard.press("Backspace")
    page.get_by_role("heading", name="Ada", level=1).wait_for()


class OneLikeBob:
    """Stands in for the networks: on every picture Bob's face and one that nobody has."""

    fingerprint = MappingProxyType({"space": {"embedding_length": 16}, "provenance": {}})

    def encode(self, picture: np.ndarray) -> "OneLikeBob":
        self.embeddings = np.eye(16, dtype=np.float32)[[9, 1]]
        self.faces = Faces(np.array([[0, 0, 9, 9], [20, 10, 60, 50]]), np.zeros((2, 5, 2)), np.ones(2))
        return self

    def __len__(self) -> int:
        return 2


def picture() -> dict:
    content = io.BytesIO()
    Image.new("RGB", (80, 60), (90, 60, 40)).save(content, "PNG")
    return {"name": '"><img onerror=alert(1)>\u202e.png', "mimeType": "image/png", "buffer": content.getvalue()}


def test_photos_like_a_dropped_picture_by_each_of_its_faces(site, workspace, photos, monkeypatch):
    add_table(workspace, photos)
    monkeypatch.setattr("webapp.finding.by_photo.encoder_of", lambda context: OneLikeBob())
    page = site.open("/find")
    page.keyboard.press("o")
    page.get_by_label("Drop a picture here").set_input_files(picture())
    page.get_by_role("status").filter(has_text="9 photos").wait_for()
    expect(page.get_by_role("list", name="Photos").get_by_role("link").first).to_contain_text("alike")
    site.check_accessible()
    page.get_by_role("list", name="Photos").get_by_role("link").nth(1).click()
    page.get_by_text("2 of 9").wait_for()
    page.keyboard.press("Backspace")
    page.get_by_role("status").filter(has_text="9 photos").wait_for()
    page.get_by_role("button", name="Like face 1").click()
    page.get_by_role("status").filter(has_text="1 photo").wait_for()
    page.get_by_role("button", name="Search without the picture").click()
    page.get_by_text("Who shall be on the photos?").wait_for()


def test_a_picture_that_is_not_kept_any_more_is_told(site, workspace, photos, monkeypatch):
    add_table(workspace, photos)
    page = site.open(f"/find?like={'A' * 16}.0")
    page.get_by_role("heading", name="The picture is not kept any more").wait_for()
    site.problems[:] = [line for line in site.problems if "404" not in line]


def test_photos_without_faces_videos_and_copies_by_date(site, workspace, photos):
    crowd = hash_file(photos / "crowd.png")
    (photos / "more").mkdir(exist_ok=True)
    video = write_video(photos / "more" / "walk.mp4")
    files = [
        ScannedFile("crowd.png", crowd, 640, 480, "2019-07-01T12:00:00"),
        ScannedFile("more/crowd.png", crowd, 640, 480, "2019-07-01T12:00:00"),
        ScannedFile("more/walk.mp4", hash_file(video), 64, 48, "2019-07-02T12:00:00", "video"),
    ]
    with PeopleStore(workspace.store) as store:
        places = np.array([[0.1, 0.1, 0.3, 0.5, 1.4]])
        store.record_table(files, np.array([2]), face_indices=np.array([0]), places=places)
    page = site.open("/find")
    page.get_by_label("From").fill("2019-07")
    page.keyboard.press("Enter")
    page.get_by_role("status").filter(has_text="2 photos").wait_for()
    tiles = page.get_by_role("list", name="Photos").get_by_role("link")
    expect(tiles.nth(0)).to_contain_text("0 faces")
    expect(tiles.nth(0)).to_contain_text("in 2 places")
    expect(tiles.nth(1)).to_contain_text("Video, 0:01")
    expect(tiles.nth(1).locator("img")).to_have_attribute("src", re.compile(r"thumbnail\?at=1\.4$"))
    expect(tiles.nth(1).locator("img")).to_have_js_property("naturalWidth", 64)
    site.check_accessible()
    tiles.nth(0).click()
    page.get_by_text("in 2 places").click()
    expect(page.get_by_text("more/crowd.png")).to_be_visible()
    expect(page.get_by_role("button", name="Draw a face")).to_be_visible()
    site.check_accessible()
    page.keyboard.press("ArrowRight")
    shown = page.get_by_role("img", name="more/walk.mp4")
    shown.wait_for()
    assert "at=1.4" in shown.get_attribute("src")
    expect(shown).to_have_js_property("naturalWidth", 64)
    expect(page.get_by_role("button", name="Draw a face")).to_have_count(0)


def write_video(place):
    """Write two seconds of grey, 64×48."""
    writer = cv2.VideoWriter(str(place), cv2.VideoWriter.fourcc(*"mp4v"), 10, (64, 48))
    for _ in range(20):
        writer.write(np.full((48, 64, 3), 128, np.uint8))
    writer.release()
    return place


def test_photos_like_a_picture_of_the_webcam(site, workspace, photos, monkeypatch):
    add_table(workspace, photos)
    monkeypatch.setattr("webapp.finding.by_photo.encoder_of", lambda context: OneLikeBob())
    page = site.open("/find")
    page.evaluate(
        """() => { navigator.mediaDevices.getUserMedia = async () => {
            const canvas = document.createElement("canvas");
            canvas.getContext("2d").fillRect(0, 0, 9, 9);
            window.track = canvas.captureStream(30);
            setInterval(() => canvas.getContext("2d").fillRect(0, 0, 9, 9), 50);
            return window.track;
        }; }"""
    )
    page.get_by_text("Like a face on a picture").click()
    page.get_by_role("button", name="Webcam").click()
    page.get_by_role("button", name="Take the picture").click()
    page.get_by_role("status").filter(has_text="9 photos").wait_for()
    assert page.evaluate("window.track.getTracks()[0].readyState") == "ended"


def test_without_somebody_and_with_strangers(site, workspace):
    with PeopleStore(workspace.store) as store:
        strangers = [face.face for face in store.faces_in_table() if face.state == "open"][:2]
        store.mark_nobody(strangers)
    page = site.open("/find")
    page.get_by_label("With strangers").check()
    page.get_by_role("status").filter(has_text="2 photos").wait_for()
    page.get_by_role("list", name="Photos").get_by_role("link").first.focus()
    page.keyboard.press("-")
    page.keyboard.type("Ada")
    page.keyboard.press("Enter")
    page.get_by_role("button", name="Take Ada out").wait_for()
    page.get_by_role("status").filter(has_text="0 photos").wait_for()
    expect(page.get_by_role("combobox", name="Without")).to_be_focused()
    expect(page.get_by_label("With strangers")).to_be_checked()


def test_only_somebody_and_with_somebody_unnamed(site):
    page = site.open("/find?with=1")
    page.get_by_role("status").filter(has_text="6 photos").wait_for()
    page.get_by_label("With somebody unnamed").check()
    page.get_by_role("status").filter(has_text="6 photos").wait_for()
    page.get_by_label("Nobody else").check()
    page.get_by_role("heading", name="No photo is like this").wait_for()
    page.get_by_label("With somebody unnamed").uncheck()
    assert "only" in page.url and "unnamed" not in page.url
