import logging
import subprocess
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import ImageFont

from foundation.drawing import fonts, installed_fonts
from foundation.drawing.fonts import choose_font, font_runs, forget_chosen_font, open_font
from foundation.drawing.installed_fonts import fonts_in_folders, latin_font, scripts_of
from foundation.drawing.rendered_text import text_plate
from foundation.errors import InputError

GREEN = (22, 128, 60)


def test_one_font_for_a_latin_name() -> None:
    (run,) = font_runs("Łukasz Ñandú Ωμέγα Иван")
    assert run.font is not None
    assert run.font.path.endswith("DejaVuSans.ttf")


def _has_chinese_font() -> bool:
    return all(run.font is not None for run in font_runs("张伟"))


def test_a_chinese_name_is_drawn_with_different_letters() -> None:
    if not _has_chinese_font():
        pytest.skip("no font with Chinese characters; apt install fonts-noto-cjk")
    plates = [text_plate(name, 24, GREEN) for name in ("张", "伟")]
    assert not np.array_equal(*plates)
    sign_of_nothing = text_plate("\U0010ffff", 24, GREEN)
    assert all(plate.shape != sign_of_nothing.shape or not np.array_equal(plate, sign_of_nothing) for plate in plates)


def test_scripts_no_single_font_has_are_split_into_runs() -> None:
    if not _has_chinese_font():
        pytest.skip("no font with Chinese characters; apt install fonts-noto-cjk")
    runs = font_runs("علي 张伟")
    assert len(runs) >= 2
    assert "".join(run.text for run in runs) == "علي 张伟"
    assert all(run.font is not None for run in runs)


@pytest.fixture
def fresh_fonts() -> Iterator[None]:
    """Forget which fonts there are, before and after a test."""
    forget_chosen_font()
    fonts._has_character.cache_clear()
    fonts._report_missing.cache_clear()
    yield
    forget_chosen_font()


@pytest.mark.usefixtures("fresh_fonts")
def test_what_no_font_has_is_reported_once(caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch) -> None:
    covers = fonts._covers
    monkeypatch.setattr(fonts, "_covers", lambda font, text: "\U00016a40" not in text and covers(font, text))
    with caplog.at_level(logging.WARNING):
        for text in ("x\U00016a40y", "\U00016a40", "x\U00016a40y"):
            font_runs(text)
            text_plate(text, 20, GREEN)
    assert len(caplog.records) == 1
    assert "no font on this system has the characters \U00016a40" in caplog.text
    assert "fonts-noto-cjk" in caplog.text


@pytest.mark.usefixtures("fresh_fonts")
def test_without_fontconfig_and_matplotlib_fonts_are_looked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(installed_fonts.shutil, "which", lambda _: None)
    monkeypatch.setattr(installed_fonts.importlib.util, "find_spec", lambda _: None)
    (run,) = font_runs("ann")
    assert run.font is None
    assert isinstance(open_font(None, 20).font, ImageFont.FreeTypeFont)
    if fonts_in_folders():
        assert all(run.font is not None for run in font_runs("Иван"))


@pytest.mark.usefixtures("fresh_fonts")
def test_fontconfig_is_asked_once_for_a_script_and_each_character_is_tried_once(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    latin = latin_font()
    assert latin is not None
    asked, tried = [], []

    def answer(command: list[str], **_options: object) -> subprocess.CompletedProcess[str]:
        asked.append(command[-1])
        # Its first font is damaged: what can be drawn with is chosen among those behind.
        (tmp_path / "bad.ttf").write_bytes(b"no font")
        return subprocess.CompletedProcess(command, 0, f"{tmp_path}/bad.ttf\t0\n{latin.path}\t0\n", "")

    has_glyph = fonts._has_glyph
    monkeypatch.setattr(installed_fonts.shutil, "which", lambda name: f"/bin/{name}")
    monkeypatch.setattr(installed_fonts.subprocess, "run", answer)
    monkeypatch.setattr(fonts, "latin_font", lambda: None)
    monkeypatch.setattr(
        fonts, "_has_glyph", lambda font, character, mode="": (tried.append(character), has_glyph(font, character))[1]
    )
    names = [f"{first} {last}" for first in ("Zoë", "Łukasz", "Gülşen", "Ångström") for last in ("Müller", "Nováková")]
    assert [font_runs(name) for name in names] == [(fonts.FontRun(latin, name),) for name in names]
    assert len(asked) == 1
    assert len(tried) == len(set("".join(names))) - 1  # the space rides along
    font_runs("Иван")
    font_runs("Ольга")
    assert len(asked) == 2


@pytest.mark.usefixtures("fresh_fonts")
def test_a_script_is_drawn_with_one_font_whoever_comes_first() -> None:
    if not _has_chinese_font():
        pytest.skip("no font with Chinese characters; apt install fonts-noto-cjk")
    chosen = {run.font for name in ("张伟", "王芳", "李娜", "刘洋") for run in font_runs(name)}
    forget_chosen_font()
    assert {run.font for name in ("刘洋", "李娜", "王芳", "张伟") for run in font_runs(name)} == chosen
    assert len(chosen) == 1


def test_scripts_are_told_apart() -> None:
    assert scripts_of("Zoë 2") == ("LATIN", "N")
    assert scripts_of("Иван") == ("CYRILLIC",)
    assert scripts_of("สมชาย-แก้ว") == ("P", "THAI")


@pytest.mark.usefixtures("fresh_fonts")
def test_a_font_that_is_chosen_later_draws_what_is_kept_anew() -> None:
    latin = latin_font()
    assert latin is not None
    before = text_plate("kept", 20, GREEN)
    choose_font(Path(latin.path).with_name("DejaVuSerif-Bold.ttf"))
    assert not np.array_equal(text_plate("kept", 20, GREEN), before)


def test_a_damaged_font_is_passed_over(tmp_path_factory: pytest.TempPathFactory) -> None:
    path = tmp_path_factory.mktemp("fonts") / "bad.ttf"
    path.write_bytes(b"no font")
    assert not fonts._covers(fonts.FontFile(str(path), 0), "a")


def test_a_font_that_is_chosen_comes_first_and_lacks_are_filled() -> None:
    latin = latin_font()
    assert latin is not None
    bold = Path(latin.path).with_name("DejaVuSerif-Bold.ttf")
    choose_font(bold)
    try:
        assert [run.font and Path(run.font.path).name for run in font_runs("ann")] == ["DejaVuSerif-Bold.ttf"]
        if _has_chinese_font():
            assert font_runs("张")[0].font != fonts.FontFile(str(bold), 0)
    finally:
        forget_chosen_font()
    assert font_runs("ann")[0].font == latin


@pytest.mark.parametrize("content", [b"no font", b"", None])
def test_a_bad_font_is_refused_in_one_line(tmp_path: Path, content: bytes | None) -> None:
    path = tmp_path / "bad.ttf"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(
        InputError, match=r"bad\.ttf: expected a font file .*, found none \(.*\); name another"
    ) as caught:
        choose_font(path)
    assert "\n" not in str(caught.value)
    assert fonts._chosen == []


def test_emoji_of_several_parts_are_one_picture() -> None:
    runs = font_runs("👍🏽")
    if any(run.font is None for run in runs):
        pytest.skip("no font with emoji; apt install fonts-noto-color-emoji")
    assert len(runs) == 1
    plate = text_plate("👍🏽", 24, GREEN)
    assert plate.shape[1] < 50
    assert len(np.unique(plate.reshape(-1, 3), axis=0)) > 3
