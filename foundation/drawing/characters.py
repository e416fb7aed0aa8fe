"""Split text into the characters that people see: a letter with its marks, an emoji with its parts."""

import unicodedata

_JOINER = "\u200d"
_SKIN_TONES = range(0x1F3FB, 0x1F400)
_FLAGS = range(0x1F1E6, 0x1F200)


def split_characters(text: str) -> list[str]:
    r"""Return `text` as the characters that people see (grapheme clusters, Unicode Annex 29, without Hangul jamo).

    >>> [len(character) for character in split_characters("Zoe\u0308")], len(split_characters("👩‍👧🇮🇹👍🏽"))
    ([1, 1, 2], 3)
    """
    found: list[str] = []
    for character in text:
        joins = unicodedata.category(character) in ("Mn", "Mc", "Me", "Cf") or ord(character) in _SKIN_TONES
        # Thai and Lao vowels that stand behind their consonant hang on it, too.
        joins = joins or character in "\u0e33\u0eb3"
        if found and (joins or found[-1].endswith(_JOINER) or _completes_flag(found[-1], character)):
            found[-1] += character
        else:
            found.append(character)
    return found


def _completes_flag(before: str, character: str) -> bool:
    return len(before) == 1 and ord(before) in _FLAGS and ord(character) in _FLAGS
