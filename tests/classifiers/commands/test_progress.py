"""Bars of the commands on large tables: there from the start, on a terminal alone."""

import io
import logging
from pathlib import Path

import numpy as np
import pytest

import train_classifier
from classifiers.commands import progress
from classifiers.commands.main import main
from embedder.tables.table import EmbeddingTable
from tests.classifiers.people import make_people


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def see(monkeypatch: pytest.MonkeyPatch) -> Terminal:
    """Let standard error be a terminal; called in the test itself, before which pytest sets its own."""
    stream = Terminal()
    monkeypatch.setattr("sys.stderr", stream)
    return stream


def test_a_large_table_has_a_bar_before_anything_is_done(monkeypatch: pytest.MonkeyPatch) -> None:
    terminal = see(monkeypatch)
    with progress.share_bar("grouping faces", progress.LARGE_TABLE) as show:
        assert "grouping faces:   0%" in terminal.getvalue()
        show(1.0)
    assert "100%" in terminal.getvalue()


def test_a_small_table_has_none_within_a_second(monkeypatch: pytest.MonkeyPatch) -> None:
    terminal = see(monkeypatch)
    with progress.share_bar("grouping faces", progress.LARGE_TABLE - 1) as show:
        show(0.5)
    with progress.step_bar(["reading", "saving"], progress.LARGE_TABLE - 1) as end_step:
        end_step()
    assert not terminal.getvalue().strip()


def test_each_step_is_named_when_it_begins(monkeypatch: pytest.MonkeyPatch) -> None:
    terminal = see(monkeypatch)
    with progress.step_bar(["reading", "saving"], progress.LARGE_TABLE) as end_step:
        assert "reading: step 1 of 2" in terminal.getvalue()
        assert "saving" not in terminal.getvalue()
        end_step()
        assert "saving: step 2 of 2" in terminal.getvalue()


def test_a_warning_stands_on_a_line_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    terminal = see(monkeypatch)
    monkeypatch.setattr(logging.getLogger(), "handlers", [logging.StreamHandler(terminal)])
    with progress.step_bar(["reading", "saving"], progress.LARGE_TABLE):
        logging.getLogger("a_step").warning("Anna and anna differ only in case: two people?")
    line = next(line for line in terminal.getvalue().split("\n") if "Anna" in line)
    assert line.rpartition("\r")[2].strip() == "Anna and anna differ only in case: two people?"


def test_nothing_is_shown_where_the_output_goes_elsewhere(monkeypatch: pytest.MonkeyPatch) -> None:
    stream = io.StringIO()
    monkeypatch.setattr("sys.stderr", stream)
    with progress.share_bar("grouping faces", progress.LARGE_TABLE), progress.step_bar(["a"], progress.LARGE_TABLE):
        pass
    assert stream.getvalue() == ""


@pytest.mark.parametrize("command", ["cluster", "train"])
def test_the_commands_say_what_they_do_on_a_large_table(
    command: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    terminal = see(monkeypatch)
    monkeypatch.setattr(progress, "LARGE_TABLE", 1)
    people = make_people(3, 4)
    table = tmp_path / "t.h5"
    EmbeddingTable.from_arrays(np.asarray(people.vectors), [str(name) for name in people.identities]).write(table)
    if command == "cluster":
        assert main(["cluster", str(table), "-o", str(tmp_path / "people.csv")]) == 0
        assert "grouping faces:   0%" in terminal.getvalue()
    else:
        assert train_classifier.main([str(table), "-o", str(tmp_path / "h.skops"), "--threshold", "0.5"]) == 0
        for step in (
            "comparing the photos of each person: step 1 of 3",
            "training: step 2 of 3",
            "saving: step 3 of 3",
        ):
            assert step in terminal.getvalue()
