"""Live pictures in Chromium, from a real camera server, with the names of a head of real photos."""

import shutil
import time

import cv2
import pytest

from embedder.images.reading import read_image
from tests.recognition.mjpeg_server import MjpegServer
from webapp.live import watching


def jpeg_of(photo):
    image = cv2.resize(read_image(photo)[..., ::-1], (640, 480))
    return cv2.imencode(".jpg", image)[1].tobytes()


@pytest.mark.realdata
def test_a_camera_is_seen_with_names_and_its_process_ends(site, workspace, data, people_head, monkeypatch):
    monkeypatch.setattr(watching, "SECONDS_AFTER_LAST", 0.2)
    workspace.head.parent.mkdir(exist_ok=True)
    shutil.copyfile(people_head, workspace.head)
    picture = jpeg_of(data / "people" / "test" / "obama1.jpg")
    begun = []
    popen = watching.subprocess.Popen
    monkeypatch.setattr(
        watching.subprocess, "Popen", lambda *args, **more: begun.append(popen(*args, **more)) or begun[-1]
    )
    with MjpegServer(lambda _: picture, 10.0) as camera:
        page = site.open("/live")
        page.get_by_label("Name", exact=True).fill("<b>door</b>".replace("/", "|"))
        page.get_by_label("Number, or").fill(camera.url)
        page.get_by_role("button", name="Add camera").click()
        page.get_by_role("button", name="<b>door<|b>", exact=True).click()
        page.locator(".visits li", has_text="obama").first.wait_for(timeout=40_000)
        values = page.evaluate(
            "() => new Set(document.querySelector('canvas').getContext('2d').getImageData(0, 0, 640, 480).data).size"
        )
        assert values > 50
        site.check_accessible()
        page.goto(f"{site.address}/people")
        until_s = time.monotonic() + 20
        while any(process.poll() is None for process in begun):
            assert time.monotonic() < until_s
            time.sleep(0.1)
    assert len(begun) == 1
