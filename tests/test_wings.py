"""The layout: which wing may import which, how large wings are, and what each wing says about itself.

`ALLOWED` is the whole graph: an import between wings that is not in it fails with file and line, imports for type
checking included. Each wing's ``__init__`` says the same in its docstring.
"""

import ast
import re
from collections.abc import Iterator
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

from tests import PROJECT

ALLOWED = {
    "foundation": "",
    "foundation.head_files": "foundation",
    "foundation.drawing": "foundation",
    "foundation.plug_ins": "foundation",
    "embedder.images": "foundation",
    "embedder.runtime": "foundation embedder.hdf5",
    "embedder.detection": "foundation embedder.runtime",
    "embedder.videos": "foundation embedder.images embedder.detection",
    "embedder.finding": "foundation embedder.images embedder.detection",
    "embedder.network_files": "foundation embedder.runtime",
    "embedder.networks": (
        "foundation foundation.plug_ins embedder.runtime embedder.detection embedder.finding embedder.network_files"
    ),
    "embedder.hdf5": "",
    "embedder.notebook": "foundation embedder.videos",
    "embedder.tables": "foundation embedder.images embedder.videos embedder.hdf5 embedder.notebook",
    "embedder.exchange": "foundation embedder.tables",
    "embedder.folders": "foundation embedder.images embedder.detection embedder.finding",
    "embedder.engines": "foundation",
    "embedder.pipeline": (
        "foundation embedder.images embedder.videos embedder.detection embedder.finding embedder.networks "
        "embedder.tables embedder.engines"
    ),
    "embedder.scikit_learn": "foundation embedder.images embedder.networks",
    "embedder.verification": (
        "foundation foundation.drawing embedder.images embedder.runtime embedder.detection embedder.networks "
        "embedder.tables embedder.pipeline"
    ),
    "embedder.training": "foundation",
    "embedder.training.data": "foundation embedder.images embedder.networks embedder.training",
    "embedder.training.model": (
        "foundation embedder.runtime embedder.networks embedder.training embedder.training.data"
    ),
    "embedder.training.run": (
        "foundation embedder.networks embedder.verification "
        "embedder.training embedder.training.data embedder.training.model"
    ),
    "embedder.choosing": (
        "foundation embedder.images embedder.runtime embedder.detection embedder.finding embedder.networks "
        "embedder.verification"
    ),
    "embedder.preset_commands": "foundation embedder.choosing embedder.networks",
    "embedder.commands": "foundation foundation.drawing foundation.head_files embedder.*",
    "classifiers.scores": "foundation foundation.head_files",
    "classifiers.heads": "foundation foundation.head_files foundation.plug_ins classifiers.scores",
    "classifiers.files": "foundation foundation.head_files classifiers.scores classifiers.heads",
    "classifiers.training": "foundation classifiers.scores classifiers.heads",
    "classifiers.scikit_learn": (
        "foundation classifiers.scores classifiers.heads classifiers.files classifiers.training"
    ),
    "classifiers.people_files": "foundation classifiers.scores",
    "classifiers.groups": "foundation classifiers.scores classifiers.people_files",
    "classifiers.presets": (
        "foundation classifiers.scores classifiers.people_files classifiers.groups classifiers.training"
    ),
    "classifiers.preset_commands": (
        "foundation classifiers.scores classifiers.presets embedder.networks embedder.tables"
    ),
    "classifiers.measuring": (
        "foundation foundation.drawing classifiers.scores classifiers.heads classifiers.training classifiers.groups"
    ),
    "classifiers.measuring_commands": (
        "foundation foundation.drawing classifiers.scores classifiers.heads classifiers.training "
        "classifiers.measuring embedder.tables"
    ),
    "classifiers.members": (
        "foundation foundation.drawing foundation.head_files classifiers.scores classifiers.heads classifiers.files "
        "classifiers.groups"
    ),
    "classifiers.commands": (
        "foundation foundation.plug_ins classifiers.* embedder.images embedder.videos embedder.networks "
        "embedder.tables people.forgetting"
    ),
    "people.store": "foundation classifiers.scores",
    "people.workspace": (
        "foundation people.store embedder.images embedder.videos embedder.detection embedder.networks "
        "embedder.pipeline embedder.tables classifiers.scores classifiers.heads classifiers.files classifiers.training "
        "classifiers.groups classifiers.people_files"
    ),
    "people.browsing": "people.store classifiers.scores",
    "people.suggestions": (
        "foundation people.store embedder.finding embedder.tables classifiers.scores classifiers.groups"
    ),
    "people.enrolling": ("foundation people.store people.workspace classifiers.heads classifiers.members"),
    "people.threshold": (
        "foundation people.workspace classifiers.scores classifiers.heads classifiers.files classifiers.training"
    ),
    "people.forgetting": (
        "foundation people.store people.workspace embedder.images embedder.runtime embedder.hdf5 embedder.tables "
        "embedder.exchange classifiers.scores classifiers.heads classifiers.files classifiers.members"
    ),
    "people.sidecars": "foundation classifiers.scores people.store people.workspace embedder.images",
    "people.search": (
        "foundation foundation.drawing people.store people.workspace embedder.images embedder.videos "
        "embedder.networks embedder.tables classifiers.scores classifiers.groups"
    ),
    "people.commands": (
        "foundation people.store people.workspace people.suggestions people.threshold people.search people.sidecars "
        "classifiers.files embedder.images embedder.tables embedder.exchange"
    ),
    "recognition.sources": "foundation foundation.plug_ins embedder.images embedder.videos",
    "recognition.events": "foundation recognition.sources",
    "recognition.outputs": "foundation foundation.drawing recognition.sources",
    "recognition.tracking": (
        "foundation embedder.detection embedder.finding embedder.networks classifiers.scores classifiers.heads "
        "classifiers.files recognition.sources recognition.events"
    ),
    "recognition.anonymizing": "embedder.detection recognition.sources recognition.tracking",
    "recognition.viewer": "foundation recognition.sources recognition.outputs recognition.tracking",
    "recognition.clips": (
        "foundation embedder.detection embedder.networks embedder.videos classifiers.members recognition.sources "
        "recognition.tracking"
    ),
    "recognition.diagnosis": (
        "foundation foundation.drawing embedder.runtime embedder.detection embedder.networks recognition.viewer"
    ),
    "recognition.runs": (
        "foundation foundation.drawing foundation.plug_ins recognition.* embedder.images embedder.detection "
        "embedder.finding embedder.networks embedder.tables embedder.videos classifiers.heads classifiers.files "
        "classifiers.members"
    ),
    "webapp.access": "foundation",
    "webapp.pictures": ("foundation people.store people.browsing people.workspace people.sidecars embedder.videos"),
    "webapp.jobs": (
        "foundation people.workspace people.store people.suggestions people.threshold embedder.tables "
        "classifiers.files webapp.pictures"
    ),
    "webapp.naming": (
        "foundation people.store people.browsing people.workspace people.suggestions people.threshold "
        "classifiers.scores classifiers.groups classifiers.files classifiers.heads classifiers.members webapp.api"
    ),
    "webapp.api": "foundation people.store people.browsing people.workspace webapp.access webapp.pictures webapp.jobs",
    "webapp.programs": (
        "foundation people.store people.enrolling people.forgetting embedder.images embedder.networks "
        "classifiers.heads classifiers.members webapp.api webapp.naming"
    ),
    "webapp.live": (
        "foundation people.store people.workspace recognition.sources recognition.tracking recognition.runs "
        "embedder.detection embedder.networks classifiers.files classifiers.members webapp.api webapp.naming"
    ),
    "webapp.finding": "people.store people.browsing people.search webapp.api webapp.naming webapp.programs",
    "webapp.server": (
        "foundation people.store people.workspace webapp.access webapp.api webapp.naming webapp.programs webapp.live "
        "webapp.finding"
    ),
}
PACKAGES = ("foundation", "embedder", "classifiers", "people", "recognition", "webapp")
MOST_MODULES = 10
NOT_COUNTED = {"__init__.py", "__main__.py", "errors.py"}


def modules() -> dict[str, Path]:
    """Return dotted name -> file of all modules of the packages."""
    found = {}
    for path in (path for package in PACKAGES for path in (PROJECT / package).rglob("*.py")):
        parts = path.relative_to(PROJECT).with_suffix("").parts
        found[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path
    return found


MODULES = modules()


def wing_of(module: str) -> str | None:
    """Return the wing of a module; None for a package's face: its ``__init__``, ``__main__`` and ``errors``."""
    while module:
        if module in ALLOWED:
            return module
        module = module.rpartition(".")[0]
    return None


def allowed(wing: str) -> set[str]:
    patterns = ALLOWED[wing].split()
    wide = {pattern.removesuffix("*") for pattern in patterns if pattern.endswith("*")}
    return {*patterns, *(other for other in ALLOWED for start in wide if other.startswith(start))} - {wing}


def imported_modules(module: str, source: str) -> Iterator[tuple[str, int]]:
    """Yield the modules of the packages that a source imports, with the line, wherever the import stands."""
    for node in ast.walk(ast.parse(source)):
        names: list[str] = []
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{module}:{node.lineno}: a relative import"
            names = [f"{node.module}.{alias.name}" for alias in node.names]
        for name in names:
            while name and name not in MODULES:
                name = name.rpartition(".")[0]
            if name:
                yield name, node.lineno


def forbidden(module: str, source: str) -> list[str]:
    """Return one line for each import of a source that `ALLOWED` does not have."""
    wing = wing_of(module)
    if wing is None:
        return []
    return [
        f"{module.replace('.', '/')}.py:{line}: {wing} may not import {other} ({name})"
        for name, line in imported_modules(module, source)
        if (other := wing_of(name)) is not None and other != wing and other not in allowed(wing)
    ]


def test_every_import_between_wings_is_allowed():
    found = [line for module, path in MODULES.items() for line in forbidden(module, path.read_text("utf-8"))]
    assert found == []


@pytest.mark.parametrize(
    ("module", "source", "line"),
    [
        ("embedder.images.reading", "import os\nfrom embedder.tables.table import EmbeddingTable\n", 2),
        ("classifiers.scores.gallery", "def f():\n    import embedder.images.reading\n", 2),
        ("recognition.sources.source", "if TYPE_CHECKING:\n    from recognition.tracking.loop import FaceLoop\n", 2),
    ],
)
def test_a_forbidden_import_is_found_wherever_it_stands(module, source, line):
    assert [found.split(": ")[0] for found in forbidden(module, source)] == [f"{module.replace('.', '/')}.py:{line}"]
    assert forbidden(module, "from foundation.text import pluralize\n") == []


def test_no_circle():
    order = list(TopologicalSorter({wing: allowed(wing) for wing in ALLOWED}).static_order())
    assert order[0] == "foundation"


def test_no_arrow_is_allowed_that_nobody_needs():
    used = {
        (wing, other)
        for module, path in MODULES.items()
        if (wing := wing_of(module)) is not None
        for name, _ in imported_modules(module, path.read_text("utf-8"))
        if (other := wing_of(name)) is not None
    }
    stated = {(wing, other) for wing in ALLOWED for other in ALLOWED[wing].split() if not other.endswith("*")}
    assert stated - used == set()


@pytest.mark.parametrize("wing", ALLOWED)
def test_a_wing_says_what_comes_in_what_goes_out_and_what_it_imports(wing):
    text = ast.get_docstring(ast.parse(MODULES[wing].read_text("utf-8"))) or ""
    assert re.search(r"^In: .+\.$", text, re.MULTILINE)
    assert re.search(r"^Out: .+\.$", text, re.MULTILINE)
    said = re.search(r"^May import: (.+?)\.$", text, re.MULTILINE | re.DOTALL)
    assert said is not None
    names = {re.sub(r"^every wing of (\w+)$", r"\1.*", " ".join(name.split())) for name in said[1].split(",")}
    assert names - {"nothing"} == set(ALLOWED[wing].split())


def test_no_wing_and_no_package_has_more_than_ten_modules():
    folders = {path.parent for path in MODULES.values()}
    sizes = {
        str(folder.relative_to(PROJECT)): len({path.name for path in folder.glob("*.py")} - NOT_COUNTED)
        for folder in folders
    }
    assert {folder: size for folder, size in sizes.items() if size > MOST_MODULES} == {}


def test_every_module_belongs_to_a_wing_or_is_its_packages_face():
    faces = {module for module in MODULES if wing_of(module) is None}
    assert faces == {
        *(package for package in PACKAGES if package != "foundation"),
        "embedder.__main__",
        "embedder.errors",
        "classifiers.__main__",
        "classifiers.errors",
        "classifiers.estimators",
        "people.errors",
        "recognition.errors",
        "webapp.__main__",
        "webapp.errors",
    }


def test_the_architecture_names_every_module():
    text = (PROJECT / "ARCHITECTURE.md").read_text("utf-8")
    rows = dict(re.findall(r"^\| (?:\*\*)?`([\w/]+)/`(?:\*\*)? \|[^|]*\| ([^|]*) \|$", text, re.MULTILINE))
    named = {
        f"{folder}/{module}"
        for folder, modules in rows.items()
        for module in re.findall(r"`(\w+)`", re.sub(r"\([^)]*\)", "", modules))
    }
    there = {
        path.relative_to(PROJECT).with_suffix("").as_posix()
        for path in MODULES.values()
        if path.name not in NOT_COUNTED or (path.parent.name == "foundation" and path.name == "errors.py")
    }
    assert named == there
