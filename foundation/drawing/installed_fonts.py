"""Which font files this system has: by fontconfig, where it is installed, otherwise by looking into its folders."""

import importlib.util
import logging
import os
import shutil
import subprocess
import sys
import unicodedata
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

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
_FC_MATCH_SECONDS = 5.0
# What fontconfig has answered, by scripts and language: it is a process of 40 ms, and is asked once for each script.
_answers: dict[tuple[tuple[str, ...], str], tuple["FontFile", ...]] = {}


class FontFile(NamedTuple):
    """One face of a font file."""

    path: str
    face_number: int


@lru_cache(maxsize=1)
def latin_font() -> FontFile | None:
    """Return DejaVu Sans from matplotlib, which is not imported for it: the same labels on every machine."""
    spec = importlib.util.find_spec("matplotlib")
    for folder in (spec.submodule_search_locations or ()) if spec else ():
        path = Path(folder, "mpl-data", "fonts", "ttf", "DejaVuSans.ttf")
        if path.is_file():
            return FontFile(str(path), 0)
    return None


def scripts_of(text: str) -> tuple[str, ...]:
    """Return the scripts of the letters of `text`, by the first words of their names in Unicode, and its other kinds.

    >>> scripts_of("Zoë 2"), scripts_of("Иван")
    (('LATIN', 'N'), ('CYRILLIC',))
    """
    kinds = set()
    for character in text:
        category = unicodedata.category(character)
        if category[0] == "L":
            kinds.add(unicodedata.name(character, category).split()[0])
        elif category[0] in "NPS":
            kinds.add(category[0])
    return tuple(sorted(kinds))


def fonts_for(text: str) -> tuple[FontFile, ...]:
    """Return the fonts of this system that may have the characters of `text`, the best first.

    Fontconfig, where it is installed, is asked once for each set of scripts: it names a font for every character, and
    first those that have all characters of the text it was asked for.
    """
    command = shutil.which("fc-match")
    if command is None:
        return fonts_in_folders()
    key = (scripts_of(text), _language_of(text))
    if key not in _answers:
        _answers[key] = _ask_fontconfig(command, text, key[1])
    return _answers[key]


def forget_answers() -> None:
    """Ask fontconfig and look into folders again when fonts are asked for."""
    _answers.clear()
    latin_font.cache_clear()
    fonts_in_folders.cache_clear()


def _ask_fontconfig(command: str, text: str, language: str) -> tuple[FontFile, ...]:
    codes = " ".join(f"{ord(character):x}" for character in sorted(set(text)) if not character.isspace())
    pattern = f"sans-serif:lang={language}:charset={codes}"
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
def fonts_in_folders() -> tuple[FontFile, ...]:
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
