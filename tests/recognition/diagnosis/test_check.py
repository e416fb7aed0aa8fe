from pathlib import Path

import pytest

from recognition.diagnosis import check
from recognition.diagnosis.check import Findings, run_check, without_private_parts


def raising(error: BaseException):
    def run() -> Findings:
        raise error

    return run


@pytest.mark.parametrize(
    ("error", "problem"),
    [
        (ValueError("two\nlines"), "ValueError: two lines"),
        (KeyError("x"), "KeyError: 'x'"),
        (ModuleNotFoundError("No module named 'h5py'", name="h5py"), "the package `h5py` is not installed; run: pip"),
        (ImportError("libGL.so.1: cannot open shared object file"), "OpenCV needs the system library libGL.so.1"),
    ],
)
def test_a_check_that_fails_says_one_line(error, problem):
    found = run_check(raising(error))
    assert found.lines == [] and len(found.problems) == 1
    assert found.problems[0].startswith(problem) and "\n" not in found.problems[0]


def test_an_interrupt_is_the_users():
    with pytest.raises(KeyboardInterrupt):
        run_check(raising(KeyboardInterrupt()))


def test_neither_home_nor_user_nor_the_place_of_the_cache_is_told(monkeypatch, tmp_path):
    monkeypatch.setattr(check, "_home", lambda: "/home/anna")
    monkeypatch.setattr(check, "_user", lambda: "anna")
    monkeypatch.chdir(tmp_path)
    environment = {"FACETABLE_CACHE": "/srv/anna/faces"}
    for text, told in [
        ("/home/anna/x.pb is damaged", "~/x.pb is damaged"),
        ("/srv/anna/faces/a: user anna owns it", "$FACETABLE_CACHE/a: user USER owns it"),
        (f"{tmp_path}/photo", "./photo"),
        ("annabel, hannah", "annabel, hannah"),
        ("esc \x1b[1m", "esc  [1m"),
    ]:
        assert without_private_parts(text, environment) == told
    assert run_check(lambda: Findings(["/home/anna"], ["/home/anna"])) == Findings(["~"], ["~"])


def test_without_a_home_or_a_user_nothing_fails(monkeypatch):
    def missing(*_: object) -> str:
        raise RuntimeError

    def nobody() -> str:
        raise OSError

    monkeypatch.setattr(Path, "home", missing)
    monkeypatch.setattr("getpass.getuser", nobody)
    assert without_private_parts("as it was", {}) == "as it was"
