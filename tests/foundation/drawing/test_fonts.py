import logging
from pathlib import Path

import numpy as np
import pytest
from PIL import ImageFont

from foundation.drawing import fonts
from foundation.drawing.fonts import choose_font, font_runs, forget_chosen_font, open_font
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


def test_what_no_font_has_is_reported_once(caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch) -> None:
    covers = fonts._covers
    monkeypatch.setattr(fonts, "_covers", lambda font, text: "\U00016a40" not in text and covers(font, text))
    fonts._font_of.cache_clear()
    fonts.font_runs.cache_clear()
    fonts._report_missing.cache_clear()
    with caplog.at_level(logging.WARNING):
        for text in ("x\U00016a40y", "\U00016a40", "x\U00016a40y"):
            font_runs(text)
            text_plate(text, 20, GREEN)
    assert len(caplog.records) == 1
    assert "no font on this system has the characters \U00016a40" in caplog.text
    assert "fonts-noto-cjk" in caplog.text


def test_without_fontconfig_and_matplotlib_fonts_are_looked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    caches = (fonts.font_runs, fonts._ask_fontconfig, fonts._latin_font, fonts._font_of, fonts._installed_fonts)
    for cache in caches:
        cache.cache_clear()
    monkeypatch.setattr(fonts.shutil, "which", lambda _: None)
    monkeypatch.setattr(fonts.importlib.util, "find_spec", lambda _: None)
    try:
        (run,) = font_runs("ann")
        assert run.font is None
        assert isinstance(open_font(None, 20).font, ImageFont.FreeTypeFont)
        if fonts._installed_fonts():
            assert all(run.font is not None for run in font_runs("Иван"))
    finally:
        for cache in caches:
            cache.cache_clear()


def test_a_damaged_font_is_passed_over(tmp_path_factory: pytest.TempPathFactory) -> None:
    path = tmp_path_factory.mktemp("fonts") / "bad.ttf"
    path.write_bytes(b"no font")
    assert not fonts._covers(fonts.FontFile(str(path), 0), "a")


def test_a_font_that_is_chosen_comes_first_and_lacks_are_filled() -> None:
    latin = fonts._latin_font()
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
