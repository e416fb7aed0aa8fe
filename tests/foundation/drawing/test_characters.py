import pytest

from foundation.drawing.characters import split_characters


@pytest.mark.parametrize(
    ("text", "n"),
    [
        ("", 0),
        ("Ann", 3),
        ("Zoe\u0308", 3),
        ("🇮🇹🇫🇷", 2),
        ("👍🏽", 1),
        ("👩\u200d👧", 1),
        ("น้ำ", 1),
        ("नि", 1),
        ("❤\ufe0f", 1),
    ],
)
def test_as_people_count(text: str, n: int) -> None:
    characters = split_characters(text)
    assert len(characters) == n
    assert "".join(characters) == text
