"""The documentation builds as a site, without a warning, and loads nothing from elsewhere."""

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
