from pathlib import Path

import pytest

import foundation.text
from embedder.images.listing import ImageListing


@pytest.mark.parametrize("counted", [foundation.text.pluralize, foundation.text.pluralize])
def test_one_and_many(counted) -> None:
    assert [counted(n, "photo") for n in (0, 1, 2, 1234567)] == ["0 photos", "1 photo", "2 photos", "1,234,567 photos"]
    assert [counted(n, "person", "people") for n in (0, 1, 2)] == ["0 people", "1 person", "2 people"]


def test_files_left_out() -> None:
    assert ImageListing((Path(),), (), 1, 1).left_out == "1 hidden file, 1 that are no images"
    assert ImageListing((Path(),), (), 0, 1200).left_out == "0 hidden files, 1,200 that are no images"
