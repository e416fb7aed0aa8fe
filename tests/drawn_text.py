"""What is drawn as text, and with which fonts: for tests of pictures that show names."""

from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from foundation.drawing import fonts, rendered_text


@contextmanager
def record_drawn_text(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[tuple[str, fonts.LoadedFont]]]:
    """Give a list that fills with every run of text that is drawn, and the font it is drawn with."""
    drawn: list[tuple[str, fonts.LoadedFont]] = []
    draw = rendered_text._draw_part

    def record(plate, part, at, *, font, size, text_color):
        drawn.append((part, font))
        draw(plate, part, at, font=font, size=size, text_color=text_color)

    fonts.forget_chosen_font()  # what is kept would not be drawn
    with monkeypatch.context() as patch:
        patch.setattr(rendered_text, "_draw_part", record)
        yield drawn


def assert_drawn_with_its_glyphs(name: str, drawn: list[tuple[str, fonts.LoadedFont]]) -> None:
    """Check that all letters of a name were drawn, each with a font that has it."""
    assert set(name) <= set("".join(part for part, _ in drawn))
    for part, font in drawn:
        missing = [
            letter for letter in set(part) & set(name) if letter.isalpha() and not fonts._has_glyph(font.font, letter)
        ]
        assert missing == [], f"{part!r} is drawn with a font that lacks {missing}"


def skip_without_font(name: str) -> None:
    """Skip a test where this system has no font for a name."""
    if not fonts.has_font(name):
        pytest.skip(f"no font with the characters of {name}; apt install fonts-noto fonts-noto-cjk")
