"""Text from elsewhere, such as file names, typed names and servers' answers, made fit for a terminal."""

import re

# Letters of Persian and Indian names take other shapes without the joiners; what stands for bytes of a file name that
# are no text is escaped on the output.
_KEPT = re.compile("[\u200c\u200d\udc80-\udcff]")


def printable(text: str) -> str:
    r"""Return `text` without characters that would end a line, move the cursor or hide what stands before.

    >>> printable("a\tb\nc")
    'a b c'
    """
    return "".join(character if character.isprintable() or _KEPT.match(character) else " " for character in text)
