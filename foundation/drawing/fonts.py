"""Find fonts of this system that have the characters of a name, whatever its script."""

import importlib.util
import logging
import os
import shutil
import subprocess
import sys
import unicodedata
from collections.abc import Iterator
from contextlib import suppress
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

from PIL import ImageFont

from foundation.drawing.characters import split_characters
from foundation.errors import InputError
from foundation.paths import display_path

logger = logging.getLogger(__name__)

_FONT_FOLDERS = {
    "linux": ("~/.local/share/fonts", "~/.fonts", "/usr/local/share/fonts", "/usr/share/fonts"),
    "darwin": ("~/Library/Fonts", "/Library/Fonts", "/System/Library/Fonts"),
    "win32": ("~/AppData/Local/Microsoft/Windows/Fonts", "C:/Windows/Fonts"),
}
_FONT_SUFFIXES = {".ttf", ".otf", ".ttc", ".otc"}
# Read first where fontconfig cannot be asked: the widest fonts of Debian, Fedora, macOS and Windows.
_WIDE_FONTS = (
    "dejavusans",
    "notosans-regular",
    "notosanscjk",
    "notosans",
    "droidsansfallback",
    "wqy",
    "pingfang",
    "hiragino",
    "arial unicode",
    "segoeui",
    "msyh",
    "yugoth",
    "malgun",
    "simsun",
    "nirmala",
)
_PROBE_SIZE = 24
# Sizes of the pictures in colour fonts without outlines: Noto Color Emoji (Debian, Android), Apple Color Emoji.
_STRIKES = (109, 136, 160, 128, 96)
# What the user has chosen comes first: none or one.
_chosen: list["FontFile"] = []
_FC_MATCH_SECONDS = 5.0
# A code point that no font may hold (Unicode, section 23.7): what is drawn for it is the sign of a missing glyph.
_NONCHARACTER = "\U0010ffff"


class FontFile(NamedTuple):
    """One face of a font file."""

    path: str
    face_number: int


class FontRun(NamedTuple):
    """Characters that are drawn with one font; `font` is None where no font has them."""

    font: FontFile | None
    text: str


class LoadedFont(NamedTuple):
    """A font that can be drawn with; `strike` is the size of its pictures, pixels, where it has no outlines."""

    font: ImageFont.FreeTypeFont | ImageFont.ImageFont
    strike: int | None = None


@lru_cache(maxsize=64)
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
    _chosen[:] = [font]
    font_runs.cache_clear()
    _font_of.cache_clear()


def forget_chosen_font() -> None:
    """Draw with the fonts of the system again."""
    _chosen.clear()
    font_runs.cache_clear()
    _font_of.cache_clear()


@lru_cache(maxsize=1024)
def font_runs(text: str) -> tuple[FontRun, ...]:
    """Split `text` into runs, each with a font that has its characters.

    A single font for the whole text is preferred, so that scripts that join their letters or run from right to left
    are shaped as a whole. Characters that no font has are reported once.
    """
    whole = next((font for font in _candidates(text) if _covers(font, text)), None)
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
    return any(_covers(font, text) for font in _candidates(text)) or all(_default_covers(c) for c in text)


@lru_cache(maxsize=1024)
def _font_of(character: str) -> FontFile | None:
    return next((font for font in _candidates(character) if _covers(font, character)), None)


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


def _candidates(text: str) -> Iterator[FontFile]:
    """Yield fonts that may have the characters of `text`, the best first, none twice."""
    seen: set[FontFile] = set()
    for font in _all_candidates(text):
        if font not in seen:
            seen.add(font)
            yield font


def _all_candidates(text: str) -> Iterator[FontFile]:
    yield from _chosen
    latin = _latin_font()
    if latin is not None:
        yield latin
    if text.isascii():
        return
    yield from _ask_fontconfig(text)
    if shutil.which("fc-match") is None:
        yield from _installed_fonts()


@lru_cache(maxsize=1)
def _latin_font() -> FontFile | None:
    """Return DejaVu Sans from matplotlib, which is not imported for it: the same labels on every machine."""
    spec = importlib.util.find_spec("matplotlib")
    for folder in (spec.submodule_search_locations or ()) if spec else ():
        path = Path(folder, "mpl-data", "fonts", "ttf", "DejaVuSans.ttf")
        if path.is_file():
            return FontFile(str(path), 0)
    return None


@lru_cache(maxsize=256)
def _ask_fontconfig(text: str) -> tuple[FontFile, ...]:
    """Return the fonts fontconfig would use for the characters of `text`; none where it is not installed."""
    command = shutil.which("fc-match")
    if command is None:
        return ()
    codes = " ".join(f"{ord(character):x}" for character in sorted(set(text)) if not character.isspace())
    pattern = f"sans-serif:lang={_language_of(text)}:charset={codes}"
    try:
        answer = subprocess.run(
            [command, "--sort", "--format", "%{file}\\t%{index}\\n", pattern],
            capture_output=True,
            text=True,
            timeout=_FC_MATCH_SECONDS,
            check=True,
        ).stdout
    except (OSError, subprocess.SubprocessError) as error:
        logger.debug("fontconfig did not answer: %s", error)
        return ()
    rows = [line.split("\t") for line in answer.splitlines() if "\t" in line]
    # The upper half of fontconfig's index numbers a variable font's named instance, which FreeType does not take here.
    return tuple(
        FontFile(path, int(index) & 0xFFFF) for path, index in rows if Path(path).suffix.lower() in _FONT_SUFFIXES
    )


def _language_of(text: str) -> str:
    """Return the language whose letter shapes suit `text`: Chinese, Japanese and Korean share code points."""
    names = [unicodedata.name(character, "") for character in text]
    if any(name.startswith(("HIRAGANA", "KATAKANA")) for name in names):
        return "ja"
    if any(name.startswith("HANGUL") for name in names):
        return "ko"
    return "zh-cn" if any(name.startswith("CJK") for name in names) else "en"


@lru_cache(maxsize=1)
def _installed_fonts() -> tuple[FontFile, ...]:
    """Return the font files in the system's font folders, those with many scripts first."""
    folders = [Path(folder).expanduser() for folder in _FONT_FOLDERS.get(sys.platform, _FONT_FOLDERS["linux"])]
    paths = [
        Path(folder, name)
        for root in folders
        for folder, _, names in os.walk(root)
        for name in names
        if Path(name).suffix.lower() in _FONT_SUFFIXES
    ]

    def rank(path: Path) -> tuple[int, str]:
        name = path.name.lower().replace("-", "")
        found = [place for place, wide in enumerate(_WIDE_FONTS) if name.startswith(wide.replace("-", ""))]
        return (min(found, default=len(_WIDE_FONTS)), str(path))

    return tuple(FontFile(str(path), 0) for path in sorted(paths, key=rank))


def _default_covers(character: str) -> bool:
    return _has_glyph(open_font(None, _PROBE_SIZE).font, character)


@lru_cache(maxsize=4096)
def _covers(font: FontFile, text: str) -> bool:
    try:
        opened = open_font(font, _PROBE_SIZE)
    except OSError:  # a damaged file, or pictures of other sizes only
        return False
    mode = "" if opened.strike is None else "RGBA"
    return all(_rides_along(character) or _has_glyph(opened.font, character, mode=mode) for character in set(text))


def _has_glyph(font: ImageFont.FreeTypeFont | ImageFont.ImageFont, character: str, *, mode: str = "") -> bool:
    """Whether `font` draws something for `character` that is not its sign for a missing glyph."""
    if not isinstance(font, ImageFont.FreeTypeFont):
        return character.isascii()
    drawn, absent = font.getmask(character, mode), font.getmask(_NONCHARACTER, mode)
    return drawn.size != (0, 0) and (drawn.size != absent.size or bytes(drawn) != bytes(absent))
