import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from recognition.errors import DisplayError
from recognition.tracking.evidence import Verdict
from recognition.tracking.loop import TrackedFace
from recognition.viewer import window
from recognition.viewer.viewer import Viewer
from recognition.viewer.window import SHIFT, Key, NameField, check_display, decode_key, key_of
from tests.recognition.fakes import image_with

IMAGE = image_with()
ENTER, ESCAPE, BACKSPACE, TAB = 13, 27, 8, 9


def face(number: int | None, x: int) -> TrackedFace:
    return TrackedFace(np.array([x, 20.0, x + 30.0, 60.0]), number, Verdict("unknown", 0.1, False))


FACES = [face(1, 10), face(2, 60), face(None, 120)]


class FakeWindow:
    """Gives the keys of a list, one a call; keeps what was shown."""

    def __init__(self, keys: list[int | None], on_click: Callable[[int, int], None]) -> None:
        self.keys = keys
        self.click = on_click
        self.shown: list[np.ndarray] = []
        self.is_closed = False

    def show(self, image: np.ndarray) -> None:
        self.shown.append(image)

    def wait(self, seconds: float) -> int | None:
        time.sleep(min(max(seconds, 0.0), 0.001))
        return self.keys.pop(0) if self.keys else None

    def close(self) -> None:
        self.is_closed = True


class Setup:
    def __init__(self, folder: Path, *, can_enrol: bool = True) -> None:
        self.enrolled: list[tuple[int, str]] = []
        self.answer: str | Exception = "done"
        self.keys: list[int | None] = []
        self.stopping = threading.Event()
        self.windows: list[FakeWindow] = []

        def make(on_click: Callable[[int, int], None]) -> Any:
            self.windows.append(FakeWindow(self.keys, on_click))
            return self.windows[0]

        def enrol(track: int, name: str) -> str:
            self.enrolled.append((track, name))
            if isinstance(self.answer, Exception):
                raise self.answer
            return self.answer

        self.viewer = Viewer(make, enrol if can_enrol else None, folder=folder, stopping=self.stopping)
        self.viewer.show_message("")

    def press(self, text: str, faces: list[TrackedFace] = FACES) -> None:
        for character in text:
            self.keys.append(ord(character))
            self.viewer.show(IMAGE, faces)

    def wait_for_enrolment(self) -> None:
        until_s = time.monotonic() + 60
        while (self.viewer._message.startswith("enrolling") or not self.enrolled) and time.monotonic() < until_s:
            time.sleep(0.01)


@pytest.fixture
def setup(tmp_path: Path) -> Setup:
    return Setup(tmp_path)


@pytest.mark.parametrize("key", ["q", chr(ESCAPE)])
def test_quit(setup: Setup, key: str) -> None:
    setup.press("x")
    assert not setup.viewer.wants_to_quit
    setup.press(key)
    assert setup.viewer.wants_to_quit


def test_closing_the_window_quits(setup: Setup) -> None:
    setup.windows[0].is_closed = True
    setup.viewer.show(IMAGE, FACES)
    assert setup.viewer.wants_to_quit


def test_a_pause_lasts_until_the_key_comes_again(setup: Setup) -> None:
    setup.keys += [ord(" "), None, None, None, ord("p")]
    setup.viewer.show(IMAGE, FACES)
    assert setup.keys == []
    assert len(setup.windows[0].shown) == 5
    assert not setup.viewer.wants_to_quit


def test_a_service_that_stops_ends_a_pause(setup: Setup) -> None:
    setup.stopping.set()
    setup.press(" ")
    assert setup.viewer.wants_to_quit


def test_a_snapshot_is_what_is_shown(setup: Setup, tmp_path: Path) -> None:
    from PIL import Image

    setup.press("ss")
    paths = sorted(tmp_path.glob("snapshot-*.png"))
    assert len(paths) == 2
    assert np.array_equal(np.asarray(Image.open(paths[0])), IMAGE)
    assert setup.viewer._message == f"saved {paths[1]}"


def test_a_snapshot_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    setup = Setup(tmp_path / "file")
    setup.press("s")
    assert setup.viewer._message.startswith("no snapshot: ")


def test_tab_goes_through_the_faces_that_have_a_track(setup: Setup) -> None:
    selected = []
    for _ in range(3):
        setup.press(chr(TAB))
        selected.append(setup.viewer._selected)
    assert selected == [1, 2, 1]
    setup.press("n", [])
    assert setup.viewer._selected is None


def test_a_click_selects_a_face(setup: Setup) -> None:
    setup.viewer.show(IMAGE, FACES)
    setup.windows[0].click(75, 30)
    assert setup.viewer._selected == 2
    setup.windows[0].click(75, 80)
    assert setup.viewer._selected is None


def test_the_selected_face_is_enrolled_under_the_typed_name(setup: Setup) -> None:
    setup.press("n" + "e" + "Żoé q" + chr(BACKSPACE) + "s" + chr(ENTER))
    setup.wait_for_enrolment()
    assert setup.enrolled == [(1, "Żoé s")]
    assert setup.viewer._message == "done"
    assert not setup.viewer.wants_to_quit


def test_a_face_alone_needs_no_selection(setup: Setup) -> None:
    setup.press("eann" + chr(ENTER), FACES[:1])
    setup.wait_for_enrolment()
    assert setup.enrolled == [(1, "ann")]


def test_enrolment_can_be_given_up(setup: Setup) -> None:
    setup.press("ne" + "ann" + chr(ESCAPE))
    setup.press("e" + "  " + chr(ENTER))
    assert setup.enrolled == []
    assert not setup.viewer.wants_to_quit


def test_among_several_faces_one_must_be_selected(setup: Setup) -> None:
    setup.press("e")
    assert setup.viewer._message == "select a face first: tab, or click it"


def test_a_face_that_has_gone_is_not_enrolled(setup: Setup, tmp_path: Path) -> None:
    setup.press("ne")
    setup.press("aqs", [])
    assert not setup.viewer.wants_to_quit, "keys of a name are no commands"
    setup.press(chr(ENTER), [])
    assert setup.enrolled == []
    assert setup.viewer._message == "aqs is not enrolled: the face has gone"
    assert list(tmp_path.iterdir()) == []


def test_a_face_that_is_back_is_enrolled_under_the_whole_name(setup: Setup) -> None:
    setup.press("nean")
    setup.press("n", [])
    setup.windows[0].click(75, 30)
    setup.press("a" + chr(ENTER))
    setup.wait_for_enrolment()
    assert setup.enrolled == [(1, "anna")]


def test_what_went_wrong_is_told(setup: Setup) -> None:
    setup.answer = ValueError("nobody may be called that")
    setup.press("neunknown" + chr(ENTER))
    setup.wait_for_enrolment()
    assert setup.viewer._message == "not enrolled: nobody may be called that"


def test_where_nobody_can_be_enrolled(tmp_path: Path) -> None:
    setup = Setup(tmp_path, can_enrol=False)
    setup.press("e")
    assert setup.viewer._message == "nobody can be enrolled from here"


def test_a_file_is_shown_at_its_own_speed(setup: Setup) -> None:
    started_s = time.monotonic()
    setup.viewer.show(IMAGE, FACES, until_s=started_s + 0.1)
    assert 0.1 <= time.monotonic() - started_s < 5


def test_keys_are_served_without_new_pictures(setup: Setup) -> None:
    setup.viewer.serve()
    setup.viewer.show(IMAGE, FACES)
    setup.keys.append(ord("q"))
    setup.viewer.serve()
    assert setup.viewer.wants_to_quit
    setup.viewer.close()
    assert setup.windows[0].is_closed


def test_the_window_answers_before_the_first_picture(tmp_path: Path) -> None:
    setup = Setup(tmp_path)
    setup.keys += [ord("s"), SHIFT, ord("q")]
    for expected in (False, False, True):
        setup.viewer.serve()
        assert setup.viewer.wants_to_quit is expected
    assert list(tmp_path.iterdir()) == []
    closed = Setup(tmp_path)
    closed.windows[0].is_closed = True
    closed.viewer.serve()
    assert closed.viewer.wants_to_quit


def test_messages_and_the_selection_are_drawn(setup: Setup) -> None:
    setup.viewer.show_message("hello")
    setup.press("n")
    shown = setup.windows[0].shown[-1]
    setup.viewer.show(IMAGE, FACES)
    assert not np.array_equal(setup.windows[0].shown[-1], IMAGE)
    assert shown.shape == IMAGE.shape


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        (-1, None),
        (ord("a"), ord("a")),
        (ord("A"), ord("a")),
        (0xE9, 0xE9),
        (-55, 0xE9),
        (0x01000416, 0x436),
        (0x6D6, ord("ж")),
        (0x7E1, ord("α")),
        (0x1B3, ord("ł")),
        (0xCE0, ord("א")),
        (0x8A1, None),
        (0xFF0D, 13),
        (0xFF1B, 27),
        (0xFF08, 8),
        (0xFF09, 9),
        (0xFFE1, SHIFT),
        (0xFFBE, None),
        (0x02000000, None),
        (-300, None),
        (0, None),
    ],
)
def test_keys_of_x11(code: int, expected: int | None) -> None:
    assert decode_key(code) == expected


def test_what_keys_ask_for() -> None:
    assert key_of(ord("q")) is Key.QUIT
    assert key_of(ord("z")) is None


def test_the_letter_after_shift_is_a_capital() -> None:
    field = NameField()
    for character in (SHIFT, ord("é"), ord("v"), ord("a"), SHIFT, BACKSPACE, ord("e")):
        field.type(character)
    assert field.text == "Éve"


def test_a_name_in_any_script_is_typed_in_the_terminal(setup: Setup) -> None:
    setup.press("nt")
    assert setup.viewer._message == "there is no terminal to type the name in"
    asked: list[str] = []
    setup.viewer._ask = lambda question: asked.append(question) or "张伟 "  # type: ignore[func-returns-value]
    setup.press("t")
    setup.wait_for_enrolment()
    assert setup.enrolled == [(1, "张伟")]
    assert asked == ["name of the selected face (empty: nobody): "]


@pytest.mark.parametrize("error", [EOFError(), UnicodeDecodeError("utf-8", b"\xff", 0, 1, "invalid start byte")])
def test_a_terminal_that_answers_nothing_enrols_nobody(
    setup: Setup, error: Exception, monkeypatch: pytest.MonkeyPatch
) -> None:
    broken: list[Any] = []
    monkeypatch.setattr(threading, "excepthook", broken.append)

    def ask(_: str) -> str:
        raise error

    setup.viewer._ask = ask
    setup.press("nt")
    assert setup.viewer._asking is not None
    setup.viewer._asking.join(5)
    assert (setup.enrolled, broken) == ([], [])


def test_the_terminal_asks_once_at_a_time_and_the_end_waits_for_the_enrolment(setup: Setup) -> None:
    typed, enrolling, done = threading.Event(), threading.Event(), threading.Event()
    asked: list[str] = []

    def ask(question: str) -> str:
        asked.append(question)
        typed.wait(5)
        return "ann"

    def enrol(_track: int, _name: str) -> str:
        enrolling.set()
        time.sleep(0.3)
        done.set()
        return "done"

    setup.viewer._ask, setup.viewer._enrol = ask, enrol
    setup.press("ntt")
    typed.set()
    assert enrolling.wait(5)
    setup.viewer.close()
    assert done.is_set()
    assert len(asked) == 1


def test_a_name_field_takes_printable_characters_only() -> None:
    field = NameField()
    for character in "a\x01b":
        assert field.type(ord(character)) is None
    assert field.text == "ab"


@pytest.mark.parametrize(
    ("wayland", "message"),
    [
        ("", "--show needs a display, and DISPLAY names none; save instead with --save FILE"),
        ("wayland-0", r"DISPLAY names none \(Wayland alone is not enough: install XWayland\); save instead"),
    ],
)
def test_no_display(monkeypatch: pytest.MonkeyPatch, wayland: str, message: str) -> None:
    monkeypatch.setattr(window, "has_windows", lambda: True)
    monkeypatch.setattr("sys.platform", "linux")
    monkeypatch.delenv("DISPLAY", raising=False)
    monkeypatch.setenv("WAYLAND_DISPLAY", wayland)
    with pytest.raises(DisplayError, match=message):
        check_display()


@pytest.mark.parametrize(("gui", "is_refused"), [("NONE", True), ("QT5", False), ("GTK3", False)])
def test_an_opencv_without_windows_says_what_to_install(
    monkeypatch: pytest.MonkeyPatch, gui: str, is_refused: bool
) -> None:
    monkeypatch.setattr("sys.platform", "linux")
    monkeypatch.delenv("DISPLAY", raising=False)
    monkeypatch.setattr(
        window.cv2, "getBuildInformation", lambda: f"  Media:\n  GUI:                 {gui}\n  x: NONE\n"
    )
    monkeypatch.setattr(window, "opencv_wheels", lambda: {"opencv-python-headless": "5.0.0.93"})
    with pytest.raises(DisplayError) as refused:
        check_display()
    expected = (
        "--show needs OpenCV with windows, found opencv-python-headless, which has none; run: pip uninstall -y "
        "opencv-python-headless; then: pip install opencv-python; or save instead with --save FILE"
    )
    assert (str(refused.value) == expected) == is_refused


def test_a_display_that_is_not_there(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(window, "has_windows", lambda: True)
    monkeypatch.setattr("sys.platform", "linux")
    monkeypatch.setenv("DISPLAY", ":4242")
    with pytest.raises(DisplayError, match="none can be opened at DISPLAY=:4242; save instead"):
        check_display()


def test_a_display_that_does_not_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(window, "has_windows", lambda: True)
    monkeypatch.setattr("sys.platform", "linux")
    monkeypatch.setenv("DISPLAY", ":1")
    with pytest.raises(DisplayError, match="the one at DISPLAY=:1 does not answer"):
        check_display(timeout_s=0.01)
