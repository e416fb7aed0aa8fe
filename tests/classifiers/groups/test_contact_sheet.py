"""Contact sheets."""

import base64
import io
import re
from html.parser import HTMLParser

import numpy as np
import pytest
from PIL import Image

from classifiers.groups.contact_sheet import THUMBNAIL_SIZE, Section, cut_thumbnails, render, write_page

EVIL = '<script>alert("1")</script><img src=x onerror=alert(1)>\'"&'


class Page(HTMLParser):
    """Collects tags, attributes and text."""

    def __init__(self, text):
        super().__init__()
        self.tags, self.attributes, self.text = [], [], ""
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.attributes += [(tag, *attribute) for attribute in attrs]

    def handle_data(self, data):
        self.text += data


def test_every_text_is_escaped():
    page = Page(render(EVIL, [Section(EVIL, EVIL, [0, 1], [EVIL, EVIL])], {0: b"jpeg"}, remark=EVIL))
    assert "script" not in page.tags
    assert page.tags.count("img") == 1
    assert {name for _, name, _ in page.attributes} == {
        "lang",
        "charset",
        "name",
        "content",
        "title",
        "alt",
        "src",
        "class",
        "loading",
        "decoding",
    }
    assert page.text.count(EVIL) == 7
    assert ("li", "title", EVIL) in page.attributes


def test_the_page_needs_nothing_else():
    page = Page(render("People", [Section("0", "2 faces", [0, 1], ["a", "b"])], {0: b"x", 1: b"y"}))
    sources = [value for tag, name, value in page.attributes if tag == "img" and name == "src"]
    assert sources == [f"data:image/jpeg;base64,{base64.b64encode(data).decode()}" for data in (b"x", b"y")]
    assert not {"link", "script", "iframe"} & set(page.tags)


def test_a_face_opens_its_photo(tmp_path):
    photos = [tmp_path / 'a "b" <c>#?&.jpg', None]
    page = Page(render("People", [Section("0: Ann", "", [0, 1], ["a", "b"], photos)], {0: b"x", 1: b"y"}))
    links = [value for tag, name, value in page.attributes if tag == "a" and name == "href"]
    assert links == [f"{tmp_path.as_uri()}/a%20%22b%22%20%3Cc%3E%23%3F%26.jpg"]
    assert page.tags.count("img") == 2


def test_thumbnails_load_lazily_in_the_size_asked_for_and_colours_follow_the_system():
    text = render("People", [Section("0", "", [0], ["a"])], {0: b"x"}, size=200)
    assert ("img", "loading", "lazy") in Page(text).attributes
    assert "width: 200px; height: 200px" in text
    assert "prefers-color-scheme: dark" in text


def test_a_missing_photo_is_a_grey_tile():
    page = Page(render("People", [Section("0", "", [7], ["gone.jpg"])], {}))
    assert "img" not in page.tags
    assert ("span", "class", "missing") in page.attributes
    assert ("li", "title", "gone.jpg (photo not found)") in page.attributes


def test_no_section():
    assert re.search("<h1>People</h1>\n<p>0 faces</p>\n</body>", render("People", [], {}, remark="0 faces"))


class TestThumbnails:
    def test_shows_the_face_and_what_is_around_it(self):
        photo = np.zeros((100, 200, 3), np.uint8)
        photo[40:60, 90:110] = (255, 0, 0)
        reads = []

        def read(path):
            reads.append(path)
            return photo

        boxes = np.array([[90, 40, 110, 60], [0, 0, 10, 10]], np.float32)
        thumbnails = cut_thumbnails([0, 1], ["a.jpg", "a.jpg"], boxes, read_photo=read)
        face = np.asarray(Image.open(io.BytesIO(thumbnails[0])))
        assert face.shape == (THUMBNAIL_SIZE, THUMBNAIL_SIZE, 3)
        assert face[56, 56, 0] > 230
        assert face[4, 56, 0] < 30
        assert reads == ["a.jpg"]

    @pytest.mark.parametrize("box", [[-50, -50, -20, -20], [500, 500, 600, 700], [3, 3, 3, 3], [0, 0, 200, 100]])
    def test_any_box(self, box):
        photo = np.zeros((100, 200, 3), np.uint8)
        thumbnail = cut_thumbnails([0], ["a"], np.array([box], float), read_photo=lambda path: photo)[0]
        assert Image.open(io.BytesIO(thumbnail)).size == (THUMBNAIL_SIZE, THUMBNAIL_SIZE)

    def test_another_size(self):
        photo = np.zeros((100, 200, 3), np.uint8)
        (thumbnail,) = cut_thumbnails([0], ["a"], np.ones((1, 4)), read_photo=lambda path: photo, size=200).values()
        assert Image.open(io.BytesIO(thumbnail)).size == (200, 200)

    @pytest.mark.parametrize("error", [FileNotFoundError("a"), ValueError("no image")])
    def test_unreadable_photos_are_left_out(self, error):
        def read(path):
            if path == "bad":
                raise error
            return np.zeros((9, 9, 3), np.uint8)

        boxes = np.array([[0, 0, 9, 9]] * 2, float)
        assert list(cut_thumbnails([0, 1], ["bad", "good"], boxes, read_photo=read)) == [1]


def test_the_page_is_written_in_one_step(tmp_path):
    path = tmp_path / "people.html"
    write_page(path, "李 \udcff")
    assert path.read_bytes() == "李 &#56575;".encode()
    assert list(tmp_path.iterdir()) == [path]
