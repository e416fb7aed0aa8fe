"""Who is with whom, as a picture."""

import pytest
from PIL import Image

from foundation.drawing.fonts import has_font
from foundation.errors import InputError
from people.search.together_plot import MOST_PEOPLE, count_matrix, save_together


def test_those_with_most_photos_together_are_drawn():
    pairs = [("Ada", f"P{i:02}", i) for i in range(40)]
    names, counts = count_matrix(pairs)
    assert len(names) == MOST_PEOPLE and names[:2] == ["Ada", "P39"] and "P10" not in names
    assert counts[0, 1] == counts[1, 0] == 39 and counts[1, 2] == 0


@pytest.mark.filterwarnings("error:Glyph")
def test_a_picture(tmp_path, drawing):
    chinese = "李" if has_font("李") else "Li"
    save_together(tmp_path / "t.png", [("Ada $x$", f"{chinese} " + "w" * 300, 3), ("Ada $x$", "Bob", 1)])
    with Image.open(tmp_path / "t.png") as picture:
        assert min(picture.size) > 300


@pytest.mark.parametrize(
    ("name", "pairs", "message"),
    [("t.png", [], "found none; name more faces first"), ("t.doc", [("Ada", "Bob", 1)], r"got \.doc")],
)
def test_what_cannot_be_drawn_is_said(tmp_path, drawing, name, pairs, message):
    with pytest.raises(InputError, match=message):
        save_together(tmp_path / name, pairs)
    assert list(tmp_path.iterdir()) == []
