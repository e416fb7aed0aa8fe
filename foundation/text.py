"""Write text for people: counts with their nouns, and foreign text without what would upset a terminal."""

import re


def pluralize(n: int, noun: str, plural: str | None = None) -> str:
    """Return a number with its noun; `plural` is for nouns that do not only take an "s".

    >>> pluralize(1, "face"), pluralize(0, "face"), pluralize(2000, "person", "people")
    ('1 face', '0 faces', '2,000 people')
    """
    if n == 1:
        return f"1 {noun}"
    return f"{n:,} {f'{noun}s' if plural is None else plural}"


# Letters of Persian and Indian names take other shapes without the joiners; what stands for bytes of a file name that
# are no text is escaped on the output.
_KEPT = re.compile("[\u200c\u200d\udc80-\udcff]")


def sanitize_for_terminal(text: str) -> str:
    r"""Return `text` without characters that would end a line, move the cursor or hide what stands before.

    >>> sanitize_for_terminal("a\tb\nc")
    'a b c'
    """
    return "".join(character if character.isprintable() or _KEPT.match(character) else " " for character in text)
