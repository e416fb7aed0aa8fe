"""Every block of code on every page is run by a test, or the page says above it why none runs it."""

import configparser
import json
import re

import pytest

from tests import PROJECT
from tests.docs.pages import PAGES, TERMINAL, Block, blocks_in, blocks_of
from tests.docs.scenes import SCENES
from tests.docs.test_python import RUN_ELSEWHERE, RUN_HERE

# Pages whose commands another module of tests/docs runs.
TERMINAL_ELSEWHERE = {"groups": "test_examples.py", "one_folder_a_person": "test_examples.py", "http": "test_http.py"}
# What is read, not run: a tree of folders, formulas, rows of a file; a citation; what Sphinx puts in.
TEXT = ("text", "bibtex", "{include}", "{eval-rst}", "{glossary}", "{toctree}")


def not_accounted_for(page: str, block: Block) -> str:
    """Return what is wrong with a block that no test runs; nothing where one does, or where the page says why not."""
    language = block.language.split(" ")[0]
    if block.not_run is not None or language in TEXT or language in ("json", "ini"):
        return ""
    if language == "python":
        return "" if page in RUN_HERE | RUN_ELSEWHERE else "name the page in RUN_HERE of test_python.py"
    if language in TERMINAL:
        return "" if page in SCENES or page in TERMINAL_ELSEWHERE else "give the page a scene in scenes.py, or mark it"
    return f"nobody knows how to run {language!r}; write <!-- not run: WHY --> above the block"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_a_block_is_run_or_says_why_it_is_not(page) -> None:
    wrong = [(block.code, said) for block in blocks_of(page) if (said := not_accounted_for(page.stem, block))]
    assert wrong == []


@pytest.mark.parametrize("language", ["python", "", "bash", "console", "ruby"])
def test_a_new_block_is_seen(language) -> None:
    """A page that nobody runs may not gain a block in silence."""
    shown = f"```{language}\nsomething\n```\n"
    (bare,) = blocks_in(shown)
    assert not_accounted_for("citing", bare) != ""
    (marked,) = blocks_in(f"<!-- not run: it takes a year -->\n{shown}")
    assert (marked.not_run, not_accounted_for("citing", marked)) == ("it takes a year", "")


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_no_block_is_written_in_a_way_that_is_overlooked(page) -> None:
    """Each fence that opens or closes stands at the start of its line, and each mark directly above a block."""
    text = page.read_text("utf-8")
    assert len(re.findall(r"^[ >]*(?:```|~~~)", text, re.MULTILINE)) == 2 * len(list(blocks_of(page)))
    assert text.count("not run:") == sum(block.not_run is not None for block in blocks_of(page))


def test_scenes_are_of_pages() -> None:
    assert set(SCENES) | set(TERMINAL_ELSEWHERE) <= {page.stem for page in PAGES}


def test_json_and_ini_can_be_read() -> None:
    n_read = 0
    for page in PAGES:
        for block in blocks_of(page):
            if block.language == "json":
                assert isinstance(json.loads(block.code), dict)
                n_read += 1
            elif block.language == "ini":
                unit = configparser.ConfigParser(interpolation=None)
                unit.read_string(block.code)
                assert {"Unit", "Service", "Install"} <= set(unit)
                n_read += 1
    assert n_read >= 4


def test_the_event_that_is_shown_is_as_its_schema_says() -> None:
    jsonschema = pytest.importorskip("jsonschema")
    schema = json.loads((PROJECT / "docs" / "schemas" / "event.schema.json").read_text("utf-8"))
    (block,) = [block for block in blocks_of(PROJECT / "docs" / "camera.md") if block.language == "json"]
    jsonschema.validate(json.loads(block.code), schema)
