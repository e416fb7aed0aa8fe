"""The demo: its commands, what it counts, what it draws. The whole of it is run by ``make demo``."""

import json
import re
import sys
from types import SimpleNamespace

import numpy as np
import pytest
from PIL import Image

from experiments import demo
from experiments.demo import StepError, Steps, answers_on, count, figures_as_text, main, what_next
from experiments.demo_sheet import Answer, Choice, draw_sheet
from facetable import command_groups
from tests.drawn_text import assert_drawn_with_its_glyphs, record_drawn_text, skip_without_font


class Table(SimpleNamespace):
    def __len__(self):
        return len(self.identities)


def a_table():
    """Return two photos of Anna (one with a second face), one of Bert, one without a face."""
    return Table(
        embeddings=np.eye(4, dtype=np.float32),
        identities=np.array(["anna", "", "anna", "bert"], object),
        paths=np.array(["anna/1.jpg", "anna/1.jpg", "anna/2.jpg", "bert/1.jpg"], object),
        boxes=np.arange(16, dtype=np.float32).reshape(4, 4),
        images=SimpleNamespace(path=np.array(["anna/1.jpg", "anna/2.jpg", "bert/1.jpg", "carl/1.jpg"], object)),
    )


class FakeHead:
    threshold = 0.5

    def __init__(self, identities, scores):
        self.identities, self.scores = np.array(identities), np.array(scores, np.float32)

    def match(self, vectors):
        np.testing.assert_array_equal(vectors, np.eye(4, dtype=np.float32)[[0, 2, 3]])
        return SimpleNamespace(identities=self.identities, scores=self.scores)


@pytest.fixture
def answers():
    heads = {
        "knn": FakeHead(["anna", "anna", "anna"], [0.9, 0.4, 0.6]),
        "svm": FakeHead(["anna", "bert", "bert"], [0.9, 0.1, 0.5]),
    }
    return answers_on(a_table(), heads)


# --- what is counted ---


def test_only_the_main_face_of_each_photo_counts(answers):
    assert [answer.path for answer in answers] == ["anna/1.jpg", "anna/2.jpg", "bert/1.jpg", "carl/1.jpg"]
    assert [answer.truth for answer in answers] == ["anna", "anna", "bert", "carl"]
    np.testing.assert_array_equal(answers[1].box, [8, 9, 10, 11])
    assert answers[0].choices["knn"] == Choice("anna", pytest.approx(0.9), True)
    assert answers[2].choices["svm"] == Choice("bert", 0.5, True)  # at the threshold is accepted
    assert answers[3] == Answer("carl/1.jpg", "carl", None, {})


def test_counts(answers):
    assert count(answers, "knn") == {
        "photos": 4,
        "right_before_threshold": 2,
        "right_and_accepted": 1,
        "wrong_and_accepted": 1,
        "no_face": 1,
    }
    assert count(answers, "svm") == {
        "photos": 4,
        "right_before_threshold": 2,
        "right_and_accepted": 2,
        "wrong_and_accepted": 0,
        "no_face": 1,
    }
    assert count([], "knn") == dict.fromkeys(count(answers, "knn"), 0)


def test_figures_stand_under_their_headings(answers):
    text = figures_as_text({name: {**count(answers, name), "threshold": 0.5} for name in ("knn", "svm")})
    head, knn, svm = text.splitlines()
    assert knn.split() == ["knn", "2", "of", "4", "1", "1", "0.500"]
    assert svm.split() == ["svm", "2", "of", "4", "2", "0", "0.500"]
    assert len(head) == len(knn) == len(svm)


# --- the steps ---


@pytest.mark.parametrize("code", [0, 1])
def test_a_step_is_shown_as_typed_and_timed(capfd, code):
    steps = Steps()
    steps.run("a step", "-c", f"print('hello'); raise SystemExit({code})")
    assert capfd.readouterr().out.splitlines() == [
        "",
        "== a step",
        f"$ python -c 'print('\"'\"'hello'\"'\"'); raise SystemExit({code})'",
        "hello",
    ]
    assert 0 <= steps.seconds["a step"] < 30


def test_lines_of_a_step_go_to_a_file(tmp_path, capfd):
    Steps().run("a step", "-c", "print('hello')", lines_to=tmp_path / "a b.txt")
    assert (tmp_path / "a b.txt").read_text() == "hello\n"
    assert capfd.readouterr().out.splitlines()[-1].endswith(f" > '{tmp_path}/a b.txt'")


def test_paths_inside_the_project_are_typed_relative_to_it(capfd):
    Steps().run("a step", "-c", "import sys; print(sys.argv[1])", demo.PROJECT / "out" / "demo")
    assert capfd.readouterr().out.splitlines()[-1] == "out/demo"


def test_a_step_that_could_not_run_ends_the_demo():
    with pytest.raises(StepError, match="a step: expected exit code 0 or 1, got 2"):
        Steps().run("a step", "-c", "raise SystemExit(2)")


def test_steps_use_the_public_commands(tmp_path, monkeypatch):
    commands = []
    monkeypatch.setattr(Steps, "run", lambda self, title, *typed, **_: commands.append([str(one) for one in typed]))
    demo.run_steps(tmp_path, tmp_path / "a.tar.gz")
    assert commands[0] == ["-m", "data.samples", "--archive", str(tmp_path / "a.tar.gz")]
    for command in commands:
        script = command[1].split(".")[0] if command[0] == "-m" else command[0]
        assert (demo.PROJECT / script).exists()
    assert [command[-1] for command in commands if command[0] == "train_classifier.py"] == [
        str(tmp_path / "knn.skops"),
        str(tmp_path / "svm.skops"),
    ]
    commands.clear()
    demo.run_steps(tmp_path, None)
    assert commands[0] == ["-m", "data.samples"]


def test_what_next_names_commands_that_exist(tmp_path):
    text = what_next(tmp_path)
    assert f"{tmp_path}/summary.png" in text
    for words in (
        "embed photos -o out/faces.h5",
        "train out/faces.h5 -o out/family.skops",
        "recognize party.jpg --head out/family.skops",
        "cluster out/faces.h5 -o out/people.csv",
    ):
        assert re.search(rf"facetable(\.py)? {re.escape(words)}", text)
        facetable_command = words.split()[0]
        assert facetable_command in {command.name for group in command_groups() for command in group.commands}


# --- the picture ---


def draw(tmp_path, answers):
    for answer in answers:
        (tmp_path / answer.path).parent.mkdir(exist_ok=True)
        Image.new("RGB", (300, 200), (0, 0, 120)).save(tmp_path / answer.path)
    draw_sheet(answers, tmp_path, tmp_path / "summary.png")
    with Image.open(tmp_path / "summary.png") as picture:
        return np.asarray(picture.convert("RGB")).astype(int)


def has_text(sheet, colour):
    return (np.abs(sheet - colour).max(axis=2) <= 10).any()


GREEN, AMBER, RED = (20, 130, 50), (190, 120, 0), (200, 30, 30)


@pytest.mark.parametrize(
    ("choice", "colour"),
    [
        (Choice("anna", 0.9, True), GREEN),
        (Choice("anna", 0.2, False), AMBER),
        (Choice("bert", 0.9, True), RED),
        (Choice("bert", 0.2, False), RED),
    ],
)
def test_each_verdict_has_its_colour(tmp_path, choice, colour):
    sheet = draw(tmp_path, [Answer("anna.jpg", "anna", np.array([100, 50, 200, 150]), {"knn": choice})])
    below_the_legend = sheet[40:]
    assert [has_text(below_the_legend, one) for one in (GREEN, AMBER, RED)] == [
        one == colour for one in (GREEN, AMBER, RED)
    ]
    assert (below_the_legend == (0, 0, 120)).all(axis=2).any()  # the photo
    assert (below_the_legend == 255).all(axis=2).any()  # the frame of the face


@pytest.mark.parametrize("name", ["张伟", "สมชาย"])
def test_names_of_every_script_are_drawn_with_a_font_that_has_them(tmp_path, monkeypatch, name):
    skip_without_font(name)
    with record_drawn_text(monkeypatch) as drawn:
        draw(tmp_path, [Answer("a.jpg", name, None, {"knn": Choice(name, 0.9, True)})])
    assert_drawn_with_its_glyphs(name, drawn)


def test_photo_without_a_face(tmp_path):
    sheet = draw(tmp_path, [Answer("anna.jpg", "anna", None, {})])
    assert has_text(sheet[40:], RED)
    assert not (sheet[40:] == 255).all(axis=2).any()


@pytest.mark.parametrize(("n", "n_rows"), [(0, 1), (1, 1), (5, 1), (6, 2), (25, 5)])
def test_sheet_grows_by_rows(tmp_path, n, n_rows):
    answers = [Answer(f"{i}.jpg", "anna", None, {"knn": Choice("anna", 0.9, True)}) for i in range(n)]
    sheet = draw(tmp_path, answers)
    assert sheet.shape == (32 + n_rows * 272 + 12, 5 * 232 + 12, 3)


def test_missing_photo_leaves_no_picture(tmp_path):
    with pytest.raises(FileNotFoundError):
        draw_sheet([Answer("gone.jpg", "anna", None, {})], tmp_path, tmp_path / "summary.png")
    assert list(tmp_path.iterdir()) == []


# --- the script ---


def test_script_ends_with_figures_times_and_what_next(tmp_path, monkeypatch, capsys, answers):
    out = tmp_path / "new" / "demo"
    monkeypatch.setattr(demo, "run_steps", lambda *_: Steps({"a step": 1.5}))
    monkeypatch.setattr("embedder.tables.table.EmbeddingTable.read", lambda path: path)
    monkeypatch.setattr("classifiers.files.head_file.load_head", lambda path: SimpleNamespace(threshold=0.5))
    monkeypatch.setattr(demo, "answers_on", lambda *_: answers)
    monkeypatch.setattr(demo, "DATA", tmp_path)
    for answer in answers:
        (tmp_path / "samples" / "val" / answer.path).parent.mkdir(parents=True, exist_ok=True)
        Image.new("RGB", (30, 20)).save(tmp_path / "samples" / "val" / answer.path)
    assert main(["--out", str(out)]) == 0
    printed = capsys.readouterr().out
    assert "names on 4 photos" in printed
    assert "1.5 s  a step" in printed
    assert "Next, with your own photos" in printed
    summary = json.loads((out / "summary.json").read_text())
    assert summary["heads"]["svm"]["right_before_threshold"] == 2
    assert set(summary["seconds"]) == {"a step", "all"}
    assert (out / "summary.png").is_file()


def test_script_reports_a_failed_step_in_one_line(tmp_path, monkeypatch, capsys):
    python = tmp_path / "python"
    python.write_text("#!/bin/sh\nexit 2\n")
    python.chmod(0o755)
    monkeypatch.setattr(sys, "executable", str(python))
    assert main(["--out", str(tmp_path / "demo")]) == 2
    assert capsys.readouterr().err == (
        "python -m experiments.demo: error: sample photos: expected exit code 0 or 1, got 2; its message stands above\n"
    )
