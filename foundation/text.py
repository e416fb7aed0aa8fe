"""Write text for people: counts with their nouns, and foreign text without what would upset a terminal."""

import re
import unicodedata
from collections.abc import Iterable, Sequence


def pluralize(n: int, noun: str, plural: str | None = None) -> str:
    """Return a number with its noun; `plural` is for nouns that do not only take an "s".

    >>> pluralize(1, "face"), pluralize(0, "face"), pluralize(2000, "person", "people")
    ('1 face', '0 faces', '2,000 people')
    """
    if n == 1:
        return f"1 {noun}"
    return f"{n:,} {f'{noun}s' if plural is None else plural}"


def format_apart(value: float, limit: float, *, digits: int = 0) -> tuple[str, str]:
    """Return a value and the limit that it misses, with as few digits behind the point as show that they differ.

    >>> format_apart(27.4, 60.0), format_apart(59.96, 60.0), format_apart(0.4537, 0.4541, digits=2)
    (('27', '60'), ('59.96', '60.00'), ('0.4537', '0.4541'))
    """
    for more in range(digits, digits + 9):
        shown, bound = f"{value:.{more}f}", f"{limit:.{more}f}"
        if shown != bound or value == limit:
            break
    return shown, bound


def percent(share: float) -> str:
    """Return a share as per cent with the digits it needs, such as on an axis.

    >>> percent(0.001), percent(0.1), percent(0.985), percent(1)
    ('0.1 %', '10 %', '98.5 %', '100 %')
    """
    return f"{100 * share:.6g} %"


def join_words(words: Sequence[str]) -> str:
    """Return words with commas between them and "and" before the last.

    >>> join_words(["Ann"]), join_words(["Ann", "Bob", "Cy"])
    ('Ann', 'Ann, Bob and Cy')
    """
    return " and ".join([", ".join(words[:-1]), words[-1]]) if len(words) > 1 else "".join(words)


# Letters of Persian and Indian names take other shapes without the joiners; what stands for bytes of a file name that
# are no text is escaped on the output.
_KEPT = re.compile("[\u200c\u200d\udc80-\udcff]")


def sanitize_for_terminal(text: str) -> str:
    r"""Return `text` without characters that would end a line, move the cursor or hide what stands before.

    >>> sanitize_for_terminal("a\tb\nc")
    'a b c'
    """
    return "".join(character if character.isprintable() or _KEPT.match(character) else " " for character in text)


MAX_NAME_LENGTH = 1_000
"""Most characters of a person's name: names are laid out as wide as the longest."""


def normalize_name(text: str) -> str:
    """Return a name in Unicode's composed form (NFC), without white space around it.

    Names that print alike are one name: folders and files come composed from some systems, decomposed from others.

    >>> normalize_name("Zoe\u0308 ") == "Zo\u00eb"
    True
    """
    return unicodedata.normalize("NFC", text).strip()


def has_letter_or_digit(text: str) -> bool:
    """Return whether `text` holds a letter or a digit, of whatever script; marks and emoji alone are none.

    >>> [has_letter_or_digit(name) for name in ("Ada", "李", "7", "-", "\u0301", "🙂")]
    [True, True, True, False, False, False]
    """
    return any(unicodedata.category(character)[0] in "LN" for character in text)


def find_lookalikes(names: Iterable[str]) -> list[tuple[str, ...]]:
    """Return the groups of names that differ only in case or accents, each group and the groups sorted.

    >>> find_lookalikes(["anna", "Bob", "Anna", "Zoë", "Zoe"])
    [('Anna', 'anna'), ('Zoe', 'Zoë')]
    """
    alike: dict[str, set[str]] = {}
    for name in names:
        bare = "".join(letter for letter in unicodedata.normalize("NFKD", name) if not unicodedata.combining(letter))
        alike.setdefault(bare.casefold(), set()).add(name)
    return sorted(tuple(sorted(group)) for group in alike.values() if len(group) > 1)


def lookalike_questions(names: Iterable[str]) -> list[str]:
    """Return one line for each group of names that differ only in case or accents.

    >>> lookalike_questions(["anna", "Anna"])
    ['Anna and anna differ only in case or accents: 2 people? Otherwise give them one name']
    """
    return [
        f"{join_words(group)} differ only in case or accents: {len(group)} people? Otherwise give them one name"
        for group in find_lookalikes(names)
    ]
