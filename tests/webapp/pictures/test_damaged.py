"""Pictures of files that a scan could not read: the part that is there, never anything outside the photo folders."""

import asyncio
import io
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from PIL import Image

from webapp.jobs.job import JobFolder
from webapp.pictures.damaged import render_damaged, render_damaged_in_turn


def noise(path, kind="JPEG", size=(640, 480), share=1.0):
    """Write a picture of noise, or so much of its file."""
    Image.effect_noise(size, 90).convert("RGB").save(path, kind)
    content = path.read_bytes()
    path.write_bytes(content[: int(len(content) * share)])
    return path


def seen(content):
    return np.asarray(Image.open(io.BytesIO(content)))


@pytest.mark.parametrize("kind", ["JPEG", "PNG"])
def test_of_a_file_that_is_cut_off_the_part_before_is_seen(tmp_path, kind):
    pixels = seen(render_damaged(noise(tmp_path / "a.jpg", kind, share=0.5), 320))
    assert pixels.shape == (240, 320, 3)
    assert pixels[:100].std() > 10 and pixels[-60:].max() < 10  # the rest is black


def test_a_whole_photo_is_seen_whole(tmp_path):
    assert seen(render_damaged(noise(tmp_path / "a.jpg"), 320))[-60:].std() > 10


@pytest.mark.parametrize("content", [b"", b"no picture", b"\xff\xd8\xff broken"])
def test_of_what_is_no_picture_nothing_is_seen(tmp_path, content):
    (tmp_path / "a.jpg").write_bytes(content)
    assert render_damaged(tmp_path / "a.jpg", 320) is None


def test_of_a_header_alone_nothing_is_seen(tmp_path):
    assert render_damaged(noise(tmp_path / "a.png", "PNG", share=0.0005), 320) is None


def test_of_a_palette_without_a_row_nothing_is_seen(tmp_path):
    path = tmp_path / "a.png"
    picture = Image.effect_noise((640, 480), 90).convert("P")
    picture.putpalette([255, 255, 255, *picture.getpalette()[3:]])  # the first colour is white
    picture.save(path)
    content = path.read_bytes()
    path.write_bytes(content[: content.index(b"IDAT") + 8])
    assert render_damaged(path, 320) is None


@pytest.mark.parametrize("share", [0.5, 1.0])
def test_what_would_take_much_memory_is_not_decoded(tmp_path, monkeypatch, share):
    path = noise(tmp_path / "a.png", "PNG", share=share)
    assert render_damaged(path, 320) is not None
    monkeypatch.setattr("webapp.pictures.damaged._MOST_PIXELS", 1_000)
    assert render_damaged(path, 320) is None
    monkeypatch.undo()
    if share < 1:
        monkeypatch.setattr("webapp.pictures.damaged._MOST_BYTES", 1_000)
        assert render_damaged(path, 320) is None


def test_who_waits_for_a_turn_holds_no_thread(tmp_path, monkeypatch):
    n_threads, n_now, most = threading.active_count(), [], []

    def slow(_place, _side):
        n_now.append(1)
        most.append((len(n_now), threading.active_count()))
        time.sleep(0.02)
        n_now.pop()
        if len(most) == 1:
            raise OSError("gone")
        return b"picture"

    async def ask_many():
        return await asyncio.gather(*(render_damaged_in_turn(tmp_path, 320) for _ in range(30)), return_exceptions=True)

    monkeypatch.setattr("webapp.pictures.damaged.render_damaged", slow)
    with ThreadPoolExecutor(1) as own:  # the browser's tests leave a running loop in this one
        answers = own.submit(asyncio.run, ask_many()).result()
    assert answers.count(b"picture") == 29 and sum(isinstance(answer, OSError) for answer in answers) == 1
    assert max(most)[0] == 1, "one at a time"
    assert max(threads for _, threads in most) <= n_threads + 3, "its own, and one or two that render"
    assert len(most) == 30


def test_a_failure_is_shown_by_its_place_and_nothing_outside_the_folders(client, workspace, photos, tmp_path):
    noise(photos / "cut.jpg", share=0.5)
    noise(tmp_path / "secret.jpg")
    (photos / "link.jpg").symlink_to(tmp_path / "secret.jpg")
    (photos / "empty.jpg").touch()
    names = ("cut.jpg", "empty.jpg", "link.jpg", "../secret.jpg", "gone.jpg")
    folder = JobFolder(workspace)
    job = folder.add("scan")
    failures = [{"path": name, "status": "unreadable", "message": ""} for name in names]
    folder.end(job, "done", result={"failures": failures})
    answers = [client.get(f"/api/v1/jobs/{job.id}/failures/{place}/picture") for place in range(6)]
    assert [answer.status_code for answer in answers] == [200, 204, 404, 404, 404, 404]
    assert Image.open(io.BytesIO(answers[0].content)).size == (320, 240)
    kinds = [answer.json()["error"]["kind"] for answer in answers[2:]]
    assert kinds == ["unknown_photo", "unknown_photo", "gone", "unknown_photo"]
    assert client.get("/api/v1/jobs/20260101T000000-00000000/failures/0/picture").status_code == 404
