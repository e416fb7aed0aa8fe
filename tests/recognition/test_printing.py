import pytest

from recognition.errors import AddressError, DisplayError, OptionsError, SaveError, SourceError
from recognition.printing import printable

CLEAR_SCREEN = "\x1b[2J\x9b2J\u202e\r\n"


def test_letters_keep_what_joins_them() -> None:
    assert printable("\u0639\u0644\u06cc\u200c\u0631\u0636\u0627") == "\u0639\u0644\u06cc\u200c\u0631\u0636\u0627"


def test_nothing_is_left_that_moves_the_cursor() -> None:
    assert printable(f"a{CLEAR_SCREEN}b") == "a [2J 2J   b"


@pytest.mark.parametrize("kind", [AddressError, DisplayError, OptionsError, SaveError, SourceError])
def test_messages_of_errors_are_plain(kind: type[Exception]) -> None:
    error = kind(f"a{CLEAR_SCREEN}.mp4: expected a video")
    assert str(error) == "a [2J 2J   .mp4: expected a video"
    assert isinstance(error, ValueError | OSError)
