"""Explanations as a page and as a drawing."""

import sys

import numpy as np
import pytest
from PIL import Image

from classifiers.heads.open_set import build_head
from classifiers.heads.registry import make_head
from classifiers.members.explanation import explain_face
from classifiers.members.explanation_plot import ExplainedFace, save_plot, write_html
from classifiers.scores.gallery import Gallery
from classifiers.scores.matcher import Matcher
from tests.drawn_text import assert_drawn_with_its_glyphs, record_drawn_text, skip_without_font

BOX = np.array([10, 10, 90, 90], np.float32)


def faces(names=("<b>Ada</b>", "$Bo$", "Cy")):
    gallery = Gallery.build(
        np.eye(3), list(names), paths=["ada.jpg", "gone.jpg", "cy.jpg"], boxes=[BOX, BOX, BOX * np.nan]
    )
    head = build_head(Matcher(gallery), make_head("gallery"), threshold=0.5)
    return [ExplainedFace("probe.jpg", BOX, explain_face(head, vector)) for vector in np.eye(3)[:2]]


def read_photo(path):
    if path == "gone.jpg":
        raise FileNotFoundError(path)
    return np.full((100, 100, 3), (255, 0, 0) if path == "ada.jpg" else (0, 0, 255), np.uint8)


def test_the_page_shows_faces_and_escapes_names(tmp_path):
    write_html(tmp_path / "e.html", faces(), read_photo=read_photo)
    page = (tmp_path / "e.html").read_text(encoding="utf-8")
    assert "<b>Ada" not in page
    assert "&lt;b&gt;Ada&lt;/b&gt;, decides" in page
    # Two faces in question and Ada's photo in each section; Bo's photo is gone and Cy's face is not known.
    assert (page.count("<img"), page.count("photo not found")) == (4, 4)
    assert "next person" in page


def test_a_page_without_a_face(tmp_path):
    write_html(tmp_path / "e.html", [], read_photo=read_photo)
    assert "no face" in (tmp_path / "e.html").read_text(encoding="utf-8")


@pytest.mark.usefixtures("drawing")
def test_the_drawing_has_a_row_a_face(tmp_path):
    save_plot(tmp_path / "one.png", faces()[:1], read_photo=read_photo)
    save_plot(tmp_path / "two.png", faces(), read_photo=read_photo)
    with Image.open(tmp_path / "one.png") as one, Image.open(tmp_path / "two.png") as two:
        assert abs(two.height - 2 * one.height) <= 1
        pixels = np.asarray(one.convert("RGB")).reshape(-1, 3).astype(int)
    red = np.sum((pixels[:, 0] > 230) & (pixels[:, 1] < 25) & (pixels[:, 2] < 25))
    blue = np.sum((pixels[:, 2] > 230) & (pixels[:, 0] < 25) & (pixels[:, 1] < 25))
    grey = np.sum(np.all(pixels == 204, axis=1))
    assert min(red, blue, grey) > 5000
    assert abs(red - blue) < 0.1 * red


@pytest.mark.usefixtures("drawing")
def test_what_cannot_be_drawn(tmp_path):
    with pytest.raises(ValueError, match="`faces` must hold at least one"):
        save_plot(tmp_path / "e.png", [], read_photo=read_photo)
    with pytest.raises(ValueError, match="xyz"):
        save_plot(tmp_path / "e.xyz", faces(), read_photo=read_photo)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no file-size limit to set")
@pytest.mark.usefixtures("drawing")
def test_a_drawing_without_room_names_its_file_and_keeps_the_old_one(tmp_path):
    import resource

    path = tmp_path / "e.png"
    path.write_bytes(b"old")
    limit = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1000, limit[1]))
    try:
        with pytest.raises(OSError, match="no room to write it") as raised:
            save_plot(path, faces(), read_photo=read_photo)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limit)
    assert raised.value.filename == str(path)
    assert path.read_bytes() == b"old"


@pytest.mark.usefixtures("drawing")
@pytest.mark.parametrize("name", ["张伟", "山田ひろし", "김민준", "สมชาย", "علي", "Иван"])
def test_names_of_every_script_are_drawn_with_a_font_that_has_them(tmp_path, monkeypatch, name):
    skip_without_font(name)
    with record_drawn_text(monkeypatch) as drawn:
        save_plot(tmp_path / "e.png", faces((name, "Bo", "Cy")), read_photo=read_photo)
    assert_drawn_with_its_glyphs(name, drawn)
