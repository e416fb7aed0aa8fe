"""Find fonts of this system that have the characters of a name, whatever its script."""

import logging
import unicodedata
from collections.abc import Callable, Iterator
from contextlib import suppress
from functools import lru_cache
from pathlib import Path
from typing import Any, NamedTuple, TypeVar, cast

from PIL import Image, ImageFont

from foundation.drawing.characters import split_characters
from foundation.drawing.installed_fonts import FontFile, fonts_for, forget_answers, latin_font, scripts_of
from foundation.errors import InputError
from foundation.paths import display_path

logger = logging.getLogger(__name__)

Function = TypeVar("Function", bound=Callable[..., Any])

_PROBE_SIZE = 24
# Sizes of the pictures in colour fonts without outlines: Noto Color Emoji (Debian, Android), Apple Color Emoji.
_STRIKES = (109, 136, 160, 128, 96)
# What the user has chosen comes first: none or one.
_chosen: list[FontFile] = []
# The font found last for texts of some scripts, and sets of scripts that no font has all of.
_found: dict[tuple[str, ...], FontFile] = {}
_mixed: set[tuple[str, ...]] = set()
_caches: list[Any] = []
# A code point that no font may hold (Unicode, section 23.7): what is drawn for it is the sign of a missing glyph.
_NONCHARACTER = "\U0010ffff"


def kept_until_fonts_change(maxsize: int) -> Callable[[Function], Function]:
    """Return `functools.lru_cache`, emptied when another font is chosen."""

    def decorate(function: Function) -> Function:
        cached = lru_cache(maxsize)(function)
        _caches.append(cached)
        # To the type checker a cached function takes anything.
        return cast(Function, cached)

    return decorate


class FontRun(NamedTuple):
    """Characters that are drawn with one font; `font` is None where no font has them."""

    font: FontFile | None
    text: str


class LoadedFont(NamedTuple):
    """A font that can be drawn with; `strike` is the size of its pictures, pixels, where it has no outlines."""

    font: ImageFont.FreeTypeFont | ImageFont.ImageFont
    strike: int | None = None


@lru_cache(maxsize=256)
def open_font(font: FontFile | None, size: int) -> LoadedFont:
    """Return `font` at `size` pixels, or at the one size its pictures have; for None Pillow's own Latin font.

    Raises
    ------
    OSError
        If the file is no font.
    """
    if font is None:
        return LoadedFont(ImageFont.load_default(size))
    try:
        return LoadedFont(ImageFont.truetype(font.path, size, index=font.face_number))
    except OSError:
        for strike in _STRIKES:
            with suppress(OSError):
                return LoadedFont(ImageFont.truetype(font.path, strike, index=font.face_number), strike)
        raise


def choose_font(path: str | Path) -> None:
    """Draw all text with the font file `path` from now on, but for the characters that it lacks.

    Raises
    ------
    InputError
        If it is no font that can be read.
    """
    font = FontFile(str(path), 0)
    try:
        if not Path(path).is_file():
            raise OSError("it is not there" if not Path(path).exists() else "it is no file")
        open_font(font, _PROBE_SIZE)
    except OSError as error:
        raise InputError(
            f"{display_path(path)}: expected a font file such as NotoSans-Regular.ttf, found none ({error}); "
            "name another, or leave --font out"
        ) from error
    forget_chosen_font()
    _chosen.append(font)


def forget_chosen_font() -> None:
    """Draw with the fonts of the system again."""
    for memory in (_chosen, _found, _mixed):
        memory.clear()
    for cache in _caches:
        cache.cache_clear()
    forget_answers()


@kept_until_fonts_change(1024)
def font_runs(text: str) -> tuple[FontRun, ...]:
    """Split `text` into runs, each with a font that has its characters.

    A single font for the whole text is preferred, so that scripts that join their letters or run from right to left
    are shaped as a whole. Characters that no font has are reported once.
    """
    scripts = scripts_of(text)
    whole = None if scripts in _mixed else _font_of(text)
    if whole is None and len(scripts) > 1:
        _mixed.add(scripts)
    if whole is not None:
        return (FontRun(whole, text),)
    runs: list[FontRun] = []
    missing = ""
    for character in split_characters(text):
        # The spaces of fonts of pictures are as wide as their pictures.
        joins = runs and _rides_along(character) and not (character.isspace() and _has_pictures(runs[-1].font))
        font = runs[-1].font if joins else _font_of(character)
        missing += "".join(code for code in character if font is None and not _default_covers(code))
        if runs and runs[-1].font == font:
            runs[-1] = FontRun(font, runs[-1].text + character)
        else:
            runs.append(FontRun(font, character))
    if missing:
        _report_missing("".join(dict.fromkeys(missing)))
    return tuple(runs)


def _has_pictures(font: FontFile | None) -> bool:
    return open_font(font, _PROBE_SIZE).strike is not None


def has_font(text: str) -> bool:
    """Return whether a font of this system, or Pillow's own, has all characters of `text`."""
    return _font_of(text) is not None or all(_default_covers(c) for c in text)


@kept_until_fonts_change(1024)
def _font_of(text: str) -> FontFile | None:
    """Return a font that has all characters of `text`, the one found last for its scripts before others."""
    scripts = scripts_of(text)
    for font in _candidates(text, _found.get(scripts)):
        if _covers(font, text):
            _found[scripts] = font
            return font
    return None


@lru_cache(maxsize=256)
def _report_missing(characters: str) -> None:
    logger.warning(
        "no font on this system has the characters %s; labels show boxes for them; install one that does "
        "(on Debian for Chinese, Japanese and Korean: apt install fonts-noto-cjk)",
        characters,
    )


def _rides_along(character: str) -> bool:
    """Whether `character` is drawn with the one before it: marks, joiners, spaces."""
    return unicodedata.category(character[0]) in ("Mn", "Mc", "Me", "Cf", "Zs")


def _candidates(text: str, found: FontFile | None) -> Iterator[FontFile]:
    """Yield fonts that may have the characters of `text`, the best first."""
    yield from _chosen
    latin = latin_font()
    if latin is not None:
        yield latin
    if text.isascii():
        return
    if found is not None:
        yield found
    yield from fonts_for(text)


def _default_covers(character: str) -> bool:
    return _has_glyph(open_font(None, _PROBE_SIZE).font, character)


def _covers(font: FontFile, text: str) -> bool:
    return all(_rides_along(character) or _has_character(font, character) for character in text)


# Names share their characters: each is tried once in each font.
@lru_cache(maxsize=16384)
def _has_character(font: FontFile, character: str) -> bool:
    try:
        opened = open_font(font, _PROBE_SIZE)
    except OSError:  # a damaged file, or pictures of other sizes only
        return False
    return _has_glyph(opened.font, character, mode="" if opened.strike is None else "RGBA")


def _has_glyph(font: ImageFont.FreeTypeFont | ImageFont.ImageFont, character: str, *, mode: str = "") -> bool:
    """Whether `font` draws something for `character` that is not its sign for a missing glyph."""
    if not isinstance(font, ImageFont.FreeTypeFont):
        return character.isascii()
    drawn, absent = font.getmask(character, mode), _drawn_for_nothing(font, mode)
    return drawn.size != (0, 0) and (drawn.size != absent.size or list(drawn) != list(absent))


@lru_cache(maxsize=256)
def _drawn_for_nothing(font: ImageFont.FreeTypeFont, mode: str) -> "Image.core.ImagingCore":
    return font.getmask(_NONCHARACTER, mode)
