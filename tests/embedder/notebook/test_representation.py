"""What tables say of themselves, with pictures where a notebook asks for them."""

import base64
import io
import re
from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

from embedder import EmbeddingTable
from embedder.errors import ImageError, VideoError
from embedder.notebook.pictures import THUMBNAIL_SIZE, cut_face
from foundation.errors import InputError


@pytest.fixture
def table(tmp_path):
    picture = np.zeros((100, 200, 3), np.uint8)
    picture[20:60, 100:140] = (250, 10, 10)
    Image.fromarray(picture).save(tmp_path / "a.png")
    return EmbeddingTable.from_arrays(
        np.eye(3),
        ["Ada <b>", "", "Bo"],
        ["a.png", "gone.png", "none.png"],
        boxes=[[100, 20, 140, 60], [0, 0, 5, 5], [0, 0, 0, 0]],
        space="clip",
        photo_root=tmp_path,
    )


def test_a_table_in_three_lines(table):
    assert repr(table).splitlines() == [
        "EmbeddingTable: 3 faces, 2 people, 3 photos",
        "  3 numbers a face, clip",
        f"  photos in {table.photo_root}",
    ]
    assert len(repr(EmbeddingTable.from_arrays(np.eye(2))).splitlines()) == 2


def test_a_notebook_shows_faces_and_grey_tiles(table):
    page = table._repr_html_()
    (picture,) = re.findall(r'src="data:image/jpeg;base64,([^"]+)"', page)
    thumbnail = Image.open(io.BytesIO(base64.b64decode(picture)))
    assert max(thumbnail.size) <= THUMBNAIL_SIZE
    assert thumbnail.convert("RGB").getpixel((28, 28))[0] > 200
    assert page.count("background:#ccc") == 2
    assert "Ada &lt;b&gt;" in page
    assert "<b>" not in page


def test_a_face_is_shown_with_a_little_around_it(table):
    shown = table.show(0)
    assert shown.size == (56, 56)
    assert shown.getpixel((28, 28)) == (250, 10, 10)
    assert shown.getpixel((2, 2)) == (0, 0, 0)
    with pytest.raises(OSError, match=r"gone\.png"):
        table.show(1)
    with pytest.raises(InputError, match="must be one of the table's 3 rows, got 3"):
        table.show(3)
    with pytest.raises(VideoError, match=r"expected a frame at 1\.500 s"):
        replace(table, times=np.array([1.5, np.nan, np.nan])).show(0)


def test_a_face_at_the_edge_or_without_a_box():
    photo = np.zeros((10, 20, 3), np.uint8)
    assert cut_face(photo, np.zeros(4)).size == (20, 10)
    assert cut_face(photo, np.array([-5.0, -5.0, 3.0, 3.0])).size == (5, 5)
    assert cut_face(photo, np.array([30.0, 30.0, 40.0, 40.0])).size == (1, 1)


def test_what_is_no_photo_says_so(table, tmp_path):
    (tmp_path / "gone.png").write_text("text")
    with pytest.raises(ImageError, match=r"gone\.png"):
        table.show(1)
