import logging

import numpy as np
import pytest
from PIL import ImageFont

from recognition.outputs import fonts
from recognition.outputs.fonts import font_runs, open_font
from recognition.outputs.overlay import NAMED_COLOR, Mark, draw_marks, text_plate

GREY = np.full((120, 200, 3), 96, np.uint8)


def test_a_box_and_its_plate_are_drawn_and_the_picture_stays() -> None:
    image = GREY.copy()
    drawn = draw_marks(image, [Mark((50, 60, 90, 100), "ann 0.80", NAMED_COLOR)])
    assert np.array_equal(image, GREY)
    for y, x in ((60, 50), (60, 89), (99, 50), (99, 89), (80, 50), (55, 51)):
        assert tuple(drawn[y, x]) == NAMED_COLOR
    assert tuple(drawn[80, 70]) == (96, 96, 96)


def test_no_mark_changes_nothing() -> None:
    assert np.array_equal(draw_marks(GREY, []), GREY)


def test_without_text_only_the_box_is_drawn() -> None:
    drawn = draw_marks(GREY, [Mark((50, 60, 90, 100), "", NAMED_COLOR)])
    assert np.array_equal(drawn[:60], GREY[:60])


@pytest.mark.parametrize(
    "box",
    [
        (0, 0, 200, 120),
        (-30, -30, 20, 20),
        (180, 100, 260, 160),
        (0, 0, 30, 30),
        (300, 300, 320, 320),
        (5, 5, 5, 5),
        (40, -60, 80, -10),
    ],
)
def test_a_face_anywhere_keeps_its_name_in_the_picture(box: tuple[int, int, int, int]) -> None:
    drawn = draw_marks(GREY, [Mark(box, "ann", NAMED_COLOR)])
    assert drawn.shape == GREY.shape
    if box[0] < 200:
        assert (drawn == (255, 255, 255)).all(axis=2).any(), "no letter is seen"


def test_a_name_of_two_lines_is_drawn_on_one() -> None:
    assert np.array_equal(text_plate("an\nn", 12, NAMED_COLOR), text_plate("an n", 12, NAMED_COLOR))


def test_a_picture_smaller_than_a_label() -> None:
    assert draw_marks(np.zeros((6, 8, 3), np.uint8), [Mark((1, 1, 5, 5), "long name", NAMED_COLOR)]).shape == (6, 8, 3)


def test_one_font_for_a_latin_name() -> None:
    (run,) = font_runs("Łukasz Ñandú Ωμέγα Иван")
    assert run.font is not None
    assert run.font.path.endswith("DejaVuSans.ttf")


def _has_chinese_font() -> bool:
    return all(run.font is not None for run in font_runs("张伟"))


def test_a_chinese_name_is_drawn_with_different_letters() -> None:
    if not _has_chinese_font():
        pytest.skip("no font with Chinese characters; apt install fonts-noto-cjk")
    plates = [text_plate(name, 24, NAMED_COLOR) for name in ("张", "伟")]
    assert not np.array_equal(*plates)
    sign_of_nothing = text_plate("\U0010ffff", 24, NAMED_COLOR)
    assert all(plate.shape != sign_of_nothing.shape or not np.array_equal(plate, sign_of_nothing) for plate in plates)


def test_scripts_no_single_font_has_are_split_into_runs() -> None:
    if not _has_chinese_font():
        pytest.skip("no font with Chinese characters; apt install fonts-noto-cjk")
    runs = font_runs("علي 张伟")
    assert len(runs) >= 2
    assert "".join(run.text for run in runs) == "علي 张伟"
    assert all(run.font is not None for run in runs)


def test_what_no_font_has_is_reported_once(caplog: pytest.LogCaptureFixture) -> None:
    fonts.font_runs.cache_clear()
    fonts._report_missing.cache_clear()
    with caplog.at_level(logging.WARNING):
        for text in ("x\U00016a40y", "\U00016a40", "x\U00016a40y"):
            font_runs(text)
            text_plate(text, 20, NAMED_COLOR)
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
        assert isinstance(open_font(None, 20), ImageFont.FreeTypeFont)
        if fonts._installed_fonts():
            assert all(run.font is not None for run in font_runs("Иван"))
    finally:
        for cache in caches:
            cache.cache_clear()


def test_a_damaged_font_is_passed_over(tmp_path_factory: pytest.TempPathFactory) -> None:
    path = tmp_path_factory.mktemp("fonts") / "bad.ttf"
    path.write_bytes(b"no font")
    assert not fonts._covers(fonts.FontFile(str(path), 0), "a")
