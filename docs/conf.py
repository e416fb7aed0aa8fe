"""The documentation as a site: ``make docs`` builds it into out/docs, any warning being an error."""

import json
import re
import sys
from pathlib import Path
from typing import Any

PROJECT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(PROJECT))

from sphinx.application import Sphinx  # noqa: E402

from foundation import __version__  # noqa: E402

project = "Facetable"
copyright = "the Facetable authors, MIT licence"
version = release = __version__

extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx.ext.napoleon"]
source_suffix = {".md": "markdown", ".ipynb": "markdown"}
exclude_patterns = ["examples", "schemas", "**.ipynb_checkpoints"]
html_theme = "pydata_sphinx_theme"
html_title = "Facetable"
html_show_sourcelink = False
html_sidebars = {"**": ["globaltoc"]}
html_theme_options = {
    "navbar_center": [],
    "navigation_with_keys": True,
    "secondary_sidebar_items": ["page-toc"],
    "footer_start": ["copyright"],
    "footer_end": [],
}
myst_heading_anchors = 3
autodoc_member_order = "bysource"
autodoc_typehints = "none"
napoleon_use_rtype = False
# Words of types such as "list of paths" are no references to attributes of that name.
suppress_warnings = ["ref.python"]

# Of what scikit-learn adds to estimators, its own documentation tells.
autodoc_default_options = {"exclude-members": "set_fit_request, set_score_request, set_predict_request, set_params"}

# Files that are read on their own stand outside of this folder; the site has pages of them.
_PAGES = {
    "experiments/README.md": "results.md",
    "CHANGELOG.md": "changes.md",
    "data/README.md": "data.md",
    "ARCHITECTURE.md": "architecture.md",
}


def _point_to_pages(text: str) -> str:
    for file, page in _PAGES.items():
        text = re.sub(rf"\]\((?:\.\./)?{re.escape(file)}", f"]({page}", text)
    return re.sub(r"\]\((?:\.\./)?docs/", "](", text)


def _in_a_page(app: Sphinx, name: str, source: list[str]) -> None:
    path = Path(app.env.doc2path(name))
    if path.suffix == ".ipynb":
        source[0] = _notebook_page(path, json.loads(source[0]))
    source[0] = _point_to_pages(source[0])


def _notebook_page(path: Path, notebook: dict[str, Any]) -> str:
    """Return a notebook's text and code as Markdown; what it prints and shows is kept nowhere."""
    cells = ["".join(cell["source"]) for cell in notebook["cells"]]
    parts = [
        text if cell["cell_type"] == "markdown" else f"```python\n{text}\n```"
        for text, cell in zip(cells, notebook["cells"], strict=True)
    ]
    run_it = (
        f"This page is a notebook: {{download}}`{path.name}`. Open it with Jupyter to run it and see the pictures and "
        "tables that are left out here."
    )
    return "\n\n".join([parts[0], run_it, *parts[1:]])


def _in_an_included_file(_: object, __: Path, ___: str, content: list[str]) -> None:
    content[0] = _point_to_pages(content[0])


def setup(app: Sphinx) -> None:
    """Let links to files outside of this folder lead to their pages."""
    app.connect("source-read", _in_a_page)
    app.connect("include-read", _in_an_included_file)
