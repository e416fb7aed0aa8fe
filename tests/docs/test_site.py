"""The documentation builds as a site, without a warning, and loads nothing from elsewhere."""

import html
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests import PROJECT
from tests.docs.pages import PAGES

pytest.importorskip("sphinx", reason="the documentation is built with Sphinx: pip install -r requirements-dev.txt")


@pytest.fixture(scope="module")
def site(tmp_path_factory) -> Path:
    """Return the folder of the site, built as ``make docs`` does it."""
    folder = tmp_path_factory.mktemp("site")
    command = [sys.executable, "-m", "sphinx", "-q", "-W", "--keep-going", "-b", "html", "-d", str(folder / "state")]
    run = subprocess.run(
        [*command, str(PROJECT / "docs"), str(folder / "html")], capture_output=True, text=True, timeout=300
    )
    assert (run.returncode, run.stderr) == (0, "")
    return folder / "html"


def test_every_page_is_in_the_site_and_reached_from_its_first(site) -> None:
    first = (site / "index.html").read_text("utf-8")
    for document in PAGES:
        if document.parent.name == "docs" and document.stem != "index":
            assert (site / f"{document.stem}.html").is_file()
            assert f'href="{document.stem}.html"' in first


def test_notebooks_are_pages(site) -> None:
    first = (site / "index.html").read_text("utf-8")
    notebooks = sorted((PROJECT / "docs" / "notebooks").glob("*.ipynb"))
    assert len(notebooks) == 3
    for notebook in notebooks:
        page = (site / "notebooks" / f"{notebook.stem}.html").read_text("utf-8")
        assert f'href="notebooks/{notebook.stem}.html"' in first
        assert f'/{notebook.name}"' in page  # the file itself can be had
        assert "cell_type" not in page and "FACETABLE_SAMPLES" in page


# What a newcomer asks, where the first page leads, and what stands there that answers it.
QUESTIONS = {
    "my photos are in albums": ("people.html", "Folders are taken for albums"),
    "this is not that person": ("people.html#decisions", "this is not Anna"),
    "all photos of somebody": ("people.html#finding-photos", "--without"),
    "who was at the door": ("camera.html#who-was-at-the-door-and-who-was-the-stranger", "--save-unknown"),
    "vectors of my own": ("scikit-learn.html#vectors-of-another-program", "from_arrays"),
    "a head of my own": ("heads.html#a-head-of-one-s-own", "check_head"),
    "which threshold": ("thresholds.html", "--fpir"),
    "a second network": ("presets.html", "every name stays"),
    "somebody wants to be forgotten": ("privacy.html#forget-somebody", "--dry-run"),
    "I moved the archive": ("moving.html", "moved the whole photo folder"),
    "my machine is slow": ("slow_machine.html", "int8"),
    "how do I cite it": ("citing.html", "@software"),
}


@pytest.mark.parametrize("question", QUESTIONS)
def test_the_first_page_leads_to_the_answer(site, question) -> None:
    target, answer = QUESTIONS[question]
    page, _, section = target.partition("#")
    assert f'href="{target}"' in (site / "index.html").read_text("utf-8")
    text = (site / page).read_text("utf-8")
    if section:
        assert f'id="{section}"' in text
        text = text.partition(f'id="{section}"')[2]
    # What highlights code cuts it into pieces.
    assert answer in html.unescape(re.sub(r"<[^>]+>", "", text.partition("<article")[2] or text))


def test_links_to_files_of_the_project_became_links_to_pages(site) -> None:
    for page in site.glob("*.html"):
        assert re.findall(r'href="[^":]*\.md[#"]', page.read_text("utf-8")) == []


def test_what_is_public_is_explained(site) -> None:
    import classifiers
    import embedder

    text = (site / "api.html").read_text("utf-8")
    missing = [
        f"{package.__name__}.{name}"
        for package in (embedder, classifiers)
        for name in package.__all__
        if f'id="{package.__name__}.{name}"' not in text
    ]
    assert missing == []
