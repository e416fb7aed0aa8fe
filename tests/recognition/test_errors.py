import pytest

from recognition.errors import AddressError, DisplayError, OptionsError, SaveError, SourceError


@pytest.mark.parametrize("kind", [AddressError, DisplayError, OptionsError, SaveError, SourceError])
def test_messages_of_errors_are_plain(kind: type[Exception]) -> None:
    error = kind("a\x1b[2J\x9b2J\u202e\r\n.mp4: expected a video")
    assert str(error) == "a [2J 2J   .mp4: expected a video"
    assert isinstance(error, ValueError | OSError)
