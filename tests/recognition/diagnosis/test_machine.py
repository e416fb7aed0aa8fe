import os
import shutil

import pytest

from foundation.drawing import fonts
from recognition.diagnosis import machine
from recognition.diagnosis.machine import check_cameras, check_fonts, check_providers, check_space, check_system


def test_the_system_and_its_threads(monkeypatch):
    monkeypatch.setenv("FACETABLE_THREADS", "3")
    found = check_system()
    assert found.lines[0].endswith(", threads 3, FACETABLE_THREADS set")
    assert found.facts["threads"] == 3


def test_providers_and_the_device(monkeypatch):
    monkeypatch.setenv("FACETABLE_DEVICE", "auto")
    found = check_providers()
    assert "CPUExecutionProvider" in found.facts["providers"]
    assert found.lines[0].endswith("; FACETABLE_DEVICE: auto")


def test_cameras_are_counted_and_those_that_may_not_be_opened_are_said(monkeypatch, tmp_path):
    monkeypatch.setattr("sys.platform", "linux")
    assert check_cameras(tmp_path).lines == ["none on this machine; streams need none"]
    for name in ("video10", "video2", "videodisk", "null"):
        (tmp_path / name).touch()
    monkeypatch.setattr(os, "access", lambda path, _: path.name != "video10")
    found = check_cameras(tmp_path)
    assert found.facts == {"cameras": {"2": True, "10": False}}
    assert found.lines == ["devices 2, 10", "devices 10 may not be opened; run: sudo usermod -aG video $USER"]
    monkeypatch.setattr("sys.platform", "darwin")
    assert check_cameras(tmp_path).lines[0].startswith("not listed on this system")


def test_scripts_without_a_font_are_said(monkeypatch):
    monkeypatch.setattr(fonts, "has_font", lambda word: word.isascii() or word == "Анна")
    found = check_fonts()
    assert found.lines[0] == "Latin, Cyrillic"
    assert found.lines[1].startswith("names in Greek, Arabic, Hebrew, Devanagari, Chinese, Japanese, Korean show boxes")
    assert found.problems == []


def test_pillows_own_font_has_latin_letters_and_nobody_has_a_noncharacter(monkeypatch):
    assert fonts.has_font("Ada")
    monkeypatch.setattr(fonts, "_font_of", lambda _: None)
    assert fonts.has_font("Ada") and not fonts.has_font("李")


@pytest.mark.parametrize(("free", "n_problems"), [(10**10, 0), (10**8, 3)])
def test_a_full_disk_is_a_problem(free, n_problems, monkeypatch, tmp_path):
    monkeypatch.setenv("FACETABLE_CACHE", str(tmp_path / "not" / "yet" / "there"))
    monkeypatch.setattr(shutil, "disk_usage", lambda folder: type("Usage", (), {"free": free}))
    found = check_space()
    assert len(found.problems) == n_problems
    assert found.facts["free_bytes"] == dict.fromkeys(("cache", "temporary files", "this folder"), free)


def test_the_nearest_folder_that_is_there_is_asked(tmp_path):
    assert machine._existing(tmp_path / "a" / "b") == tmp_path
