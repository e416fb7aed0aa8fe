"""Text from elsewhere, such as file names, typed names and servers' answers, made fit for a terminal."""

# Letters of Persian and Indian names take other shapes without them.
_JOINERS = "\u200c\u200d"


def printable(text: str) -> str:
    r"""Return `text` without characters that would end a line, move the cursor or hide what stands before.

    >>> printable("a\tb\nc")
    'a b c'
    """
    return "".join(character if character.isprintable() or character in _JOINERS else " " for character in text)
