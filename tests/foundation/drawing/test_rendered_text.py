import numpy as np
import pytest

from foundation.drawing import rendered_text
from foundation.drawing.rendered_text import label_plate, plate_height, plate_width, shorten, text_plate

GREEN = (22, 128, 60)


@pytest.mark.parametrize("text", ["", "ann", "Łukasz 0.83", "e\u0301"])
def test_a_plate_has_the_size_that_was_foretold(text: str) -> None:
    assert text_plate(text, 14, GREEN).shape == (plate_height(14), plate_width(text, 14), 3)


def test_the_text_has_its_colour() -> None:
    plate = text_plate("ann", 20, GREEN, (250, 10, 10))
    assert (plate == (250, 10, 10)).all(axis=2).any()
    assert tuple(plate[0, 0]) == GREEN


def test_what_fits_is_not_shortened() -> None:
    assert shorten("Ann", 12, plate_width("Ann", 12)) == "Ann"
    assert shorten("", 12, 5) == ""


@pytest.mark.parametrize("width", [60, 90, 150])
def test_the_longest_beginning_that_fits_is_kept(width: int) -> None:
    name = "Maximilian von Hohenlohe-Schillingsfürst"
    short = shorten(name, 12, width)
    kept = short.removesuffix("…")
    assert name.startswith(kept)
    assert plate_width(short, 12) <= width
    assert plate_width(f"{name[: len(kept) + 2]}…", 12) > width


def test_a_label_leaves_room_for_its_score() -> None:
    label = label_plate("Maximilian von Hohenlohe", "0.83", size=12, max_width=120, color=GREEN)
    score = text_plate("0.83", 12, GREEN)
    assert label.shape[0] == plate_height(12)
    assert 100 <= label.shape[1] <= 120
    assert np.array_equal(label[:, -score.shape[1] :], score)
    assert np.array_equal(label_plate("Ann", "", size=12, max_width=120, color=GREEN), text_plate("Ann", 12, GREEN))


def test_a_new_score_does_not_draw_the_name_again(monkeypatch: pytest.MonkeyPatch) -> None:
    drawn: list[str] = []
    draw = rendered_text._draw_part
    monkeypatch.setattr(
        rendered_text,
        "_draw_part",
        lambda plate, part, *rest, **how: (drawn.append(part), draw(plate, part, *rest, **how)),
    )
    for score in ("0.81", "0.82", "0.81", "0.83"):
        label_plate("Ada Lovelace of the test", score, size=13, max_width=300, color=(1, 2, 3))
    assert drawn.count("Ada Lovelace of the test") == 1
    assert len(drawn) == 4  # the name and three scores


def test_large_plates_are_not_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    sizes: list[int] = []
    draw = rendered_text._draw_part
    monkeypatch.setattr(
        rendered_text, "_draw_part", lambda *rest, size, **how: (sizes.append(size), draw(*rest, size=size, **how))
    )
    for size in (33, 33):
        label_plate("Ada", "0.8", size=size, max_width=900, color=GREEN)
    assert sizes == [33] * 4


def test_no_letter_is_cut_in_two() -> None:
    name = "Zoe\u0308" * 12
    for width in range(30, 120):
        kept = shorten(name, 12, width).removesuffix("…")
        assert not name[len(kept) :].startswith("\u0308")


def test_one_character_stays_however_narrow() -> None:
    assert shorten("Maximilian", 12, 1) == "M…"
    assert shorten("M", 12, 1) == "M"


def test_a_plate_cannot_be_written() -> None:
    with pytest.raises(ValueError, match="read-only"):
        text_plate("ann", 12, GREEN)[:] = np.uint8(0)
    with pytest.raises(ValueError, match="read-only"):
        label_plate("ann", "0.8", size=12, max_width=100, color=GREEN)[:] = np.uint8(0)
