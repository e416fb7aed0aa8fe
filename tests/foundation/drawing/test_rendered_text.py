import numpy as np
import pytest

from foundation.drawing.rendered_text import plate_height, plate_width, shorten, text_plate

GREEN = (22, 128, 60)


@pytest.mark.parametrize("text", ["", "ann", "Łukasz 0.83", "e\u0301"])
def test_a_plate_has_the_size_that_was_foretold(text: str) -> None:
    assert text_plate(text, 14, GREEN).shape == (plate_height(14), plate_width(text, 14), 3)


def test_the_text_has_its_colour() -> None:
    plate = text_plate("ann", 20, GREEN, (250, 10, 10))
    assert (plate == (250, 10, 10)).all(axis=2).any()
    assert tuple(plate[0, 0]) == GREEN


def test_what_fits_is_not_shortened() -> None:
    assert shorten("Ann", 12, plate_width("Ann 0.83", 12), "0.83") == "Ann 0.83"
    assert shorten("Ann", 12, plate_width("Ann", 12)) == "Ann"
    assert shorten("", 12, 5, "0.83") == "0.83"


@pytest.mark.parametrize("width", [60, 90, 150])
def test_the_longest_beginning_that_fits_is_kept_with_the_ending(width: int) -> None:
    name = "Maximilian von Hohenlohe-Schillingsfürst"
    short = shorten(name, 12, width, "0.83")
    kept = short.removesuffix("… 0.83")
    assert name.startswith(kept)
    assert plate_width(short, 12) <= width
    assert plate_width(f"{name[: len(kept) + 2]}… 0.83", 12) > width


def test_no_letter_is_cut_in_two() -> None:
    name = "Zoe\u0308" * 12
    for width in range(30, 120):
        kept = shorten(name, 12, width).removesuffix("…")
        assert not name[len(kept) :].startswith("\u0308")


def test_one_character_stays_however_narrow() -> None:
    assert shorten("Maximilian", 12, 1, "0.83") == "M… 0.83"
    assert shorten("M", 12, 1) == "M"


def test_a_plate_cannot_be_written() -> None:
    with pytest.raises(ValueError, match="read-only"):
        text_plate("ann", 12, GREEN)[:] = np.uint8(0)
