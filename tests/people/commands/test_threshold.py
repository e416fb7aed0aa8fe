"""``facetable people WORKSPACE threshold``, as it is typed."""

import json

import pytest

import facetable
from classifiers.files.head_file import load_head
from tests.people.threshold.made import made_head, made_workspace


@pytest.fixture
def run(tmp_path, capsys):
    """Return a function that runs the action on a workspace whose head knows some people."""

    def make(n_people: int, *arguments: str, code: int = 0) -> list[str]:
        if not (tmp_path / "family").exists():
            made_workspace(tmp_path, made_head(n_people, spread=1.6))
        capsys.readouterr()
        assert facetable.main(["people", str(tmp_path / "family"), "threshold", *arguments]) == code
        told = capsys.readouterr()
        return (told.err if code else told.out).splitlines()

    return make


def test_it_says_what_was_measured_on_whom(run):
    first, strangers, found = run(40)
    assert "not chosen by anybody; the preset's own is 0.5" in first
    assert "each of 40 people having played one" in strangers and "of 120 faces of 40 people" in found


def test_one_is_chosen_by_rate_or_by_hand_and_taken_back(run, tmp_path):
    head = tmp_path / "family" / "heads" / "people.skops"
    first, *_ = run(40, "--fpir", "0.1", "--json", str(tmp_path / "t.json"))
    told = json.loads((tmp_path / "t.json").read_text())
    assert told["threshold"] == told["chosen"] == load_head(head).threshold and told["fpir"]["value"] <= 0.1
    assert f"threshold {told['threshold']:.3f}, chosen" in first
    assert "threshold 0.371, chosen" in run(40, "--set", "0.371")[0]
    assert load_head(head).threshold == 0.371
    assert "not chosen by anybody" in run(40, "--reset")[0]
    assert load_head(head).threshold == pytest.approx(told["preset"])


def test_few_people_say_nothing_about_strangers(run, tmp_path):
    _, strangers, found = run(5)
    assert strangers.startswith(
        "strangers: not measured on your 5 people, which takes 30; the preset's is for 1 in 100"
    )
    assert found == "found: not measured, 5 people have a second photo, which takes 10"
    assert "needs at least 30 named people" in run(5, "--fpir", "0.1", code=2)[0]
    assert "a score from -1 to 1, got 7.0" in run(5, "--set", "7", code=2)[0]
    (tmp_path / "family" / "heads" / "people.skops").unlink()
    assert "expected named people that a scan has learned" in run(5, code=2)[0]
