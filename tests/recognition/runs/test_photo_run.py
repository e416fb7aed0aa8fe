from contextlib import ExitStack

import pytest

from recognition.runs.photo_run import _open_window
from recognition.viewer.window import SHIFT
from tests.recognition.fakes import image_with
from tests.recognition.viewer.test_viewer import ESCAPE, FakeWindow


@pytest.mark.parametrize(
    ("keys", "goes_on"),
    [([None, ord(" ")], True), ([ord("q")], False), ([None, ESCAPE], False), ([SHIFT, None, SHIFT, ord("n")], True)],
)
def test_a_photo_is_shown_until_a_key_is_pressed(
    monkeypatch: pytest.MonkeyPatch, keys: list[int | None], goes_on: bool
) -> None:
    windows: list[FakeWindow] = []
    monkeypatch.setattr(
        "recognition.viewer.window.Window",
        lambda _title, on_click: windows.append(FakeWindow([*keys, None], on_click)) or windows[0],
    )
    with ExitStack() as stack:
        show = _open_window(stack, "photos")
        assert show(image_with()) is goes_on
        assert windows[0].keys == [None], "each key is taken, and no more"
    assert windows[0].is_closed


def test_a_window_that_is_closed_ends_the_photos(monkeypatch: pytest.MonkeyPatch) -> None:
    window = FakeWindow([], lambda _x, _y: None)
    window.is_closed = True
    monkeypatch.setattr("recognition.viewer.window.Window", lambda _title, _on_click: window)
    with ExitStack() as stack:
        assert _open_window(stack, "photos")(image_with()) is False
