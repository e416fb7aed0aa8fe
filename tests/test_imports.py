"""The import rules: which module may load what, read from the source and tried in fresh interpreters."""

import ast
import json
import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import pytest

from tests import PROJECT

PACKAGES = ("foundation", "embedder", "classifiers", "people", "recognition", "webapp")
SCRIPTS = ("facetable", "recognize", "train_classifier")

# Loaded only by a training run, so that Keras and TensorFlow may stand at the top of its modules.
KERAS_MODULES = ("embedder.training",)
# A preset, a file and a suffix that are called so.
PROPER_NAMES = ("facenet-ms1m-keras", "facenet_keras.h5", '".keras"')
KERAS = {"keras", "tensorflow", "tf2onnx", "tensorboard"}
HEAVY = KERAS | {"onnx", "onnxruntime", "sklearn", "scipy", "pandas", "skops", "matplotlib", "cv2", "h5py", "joblib"}


@dataclass(frozen=True)
class Import:
    module: str  # that has the import
    name: str  # that is imported, down to the module where the source says so
    place: str  # "top", "function" or "types"


def module_name(path: Path) -> str:
    parts = path.relative_to(PROJECT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def sources() -> dict[str, Path]:
    """Return module name -> file of packages, scripts, experiments and data."""
    paths = [path for folder in (*PACKAGES, "experiments", "data") for path in (PROJECT / folder).rglob("*.py")]
    paths += [PROJECT / f"{script}.py" for script in SCRIPTS if (PROJECT / f"{script}.py").is_file()]
    return {module_name(path): path for path in sorted(paths)}


def imports_of(module: str, source: str) -> Iterator[Import]:
    """Yield the imports of a module's source; ``from a import b`` gives ``a.b``, for b may be a module."""

    def visit(node: ast.AST, place: str) -> Iterator[Import]:
        if isinstance(node, ast.Import):
            yield from (Import(module, alias.name, place) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            package = module.split(".")[: -node.level] if node.level else []
            base = ".".join([*package, *([node.module] if node.module else [])])
            yield from (Import(module, f"{base}.{alias.name}", place) for alias in node.names)
        elif isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)):
            place = "function" if place == "top" else place
        elif isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test):
            for child in node.body:
                yield from visit(child, "types")
            for child in node.orelse:
                yield from visit(child, place)
            return
        for child in ast.iter_child_nodes(node):
            yield from visit(child, place)

    yield from visit(ast.parse(source), "top")


@cache
def all_imports() -> list[Import]:
    return [found for module, path in sources().items() for found in imports_of(module, path.read_text("utf-8"))]


def within(name: str, *packages: str) -> bool:
    return any(name == package or name.startswith(f"{package}.") for package in packages)


def top(name: str) -> str:
    return name.partition(".")[0]


def fresh(code: str, cwd: Path = PROJECT, **environment: str) -> list[str]:
    """Run `code` in a new interpreter and return what it leaves in `result`."""
    program = f"import json, sys\nsys.path.insert(0, {str(PROJECT)!r})\n{code}\nprint(json.dumps(result))"
    done = subprocess.run(
        [sys.executable, "-c", program],
        cwd=cwd,
        capture_output=True,
        text=True,
        check=False,
        env={"PATH": "/usr/bin:/bin", "PYTHONDONTWRITEBYTECODE": "1", **environment},
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.splitlines()[-1])


THIRD_PARTY_LOADED = """
own = {"foundation", "embedder", "classifiers", "people", "recognition", "data", "experiments"}
own |= {"facetable", "recognize", "train_classifier"}
before = {name.partition(".")[0] for name in sys.modules}
%s
loaded = {name.partition(".")[0] for name, module in sys.modules.items() if module is not None}
result = sorted(loaded - before - own - sys.stdlib_module_names)
"""


def third_party_loaded_by(code: str) -> set[str]:
    # Compiled parts show up under names of their own, such as `_pillow_heif` and Cython's run-time modules.
    names = fresh(THIRD_PARTY_LOADED % code)
    return {name.removeprefix("_") for name in names if not name.startswith(("cython", "_cython", "__"))}


# --- the reading of imports itself ---


def test_imports_are_found_wherever_they_stand():
    source = (
        "import a.b\nfrom typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    import t\nelse:\n    import e\n"
        "class C:\n    import c\n    def m(self):\n        from f import g, h\n"
        "try:\n    from . import s\nexcept ImportError:\n    from ..up import u\n"
    )
    assert {(found.name, found.place) for found in imports_of("p.q.m", source)} == {
        ("a.b", "top"),
        ("typing.TYPE_CHECKING", "top"),
        ("t", "types"),
        ("e", "top"),
        ("c", "top"),
        ("f.g", "function"),
        ("f.h", "function"),
        ("p.q.s", "top"),
        ("p.up.u", "top"),
    }


def test_there_is_something_to_read():
    modules = {found.module for found in all_imports()}
    assert {
        "embedder.images.reading",
        "embedder.pipeline.runner",
        "classifiers.heads.open_set",
        "data.samples",
    } <= modules


# --- rule 1: light modules ---


@pytest.mark.parametrize(
    "module",
    [
        "images.reading",
        "images.listing",
        "images.photo",
        "detection.boxes",
        "detection.faces",
        "networks.presets",
        "tables.table",
        "verification.metrics",
    ],
)
def test_light_modules_load_only_pixels_and_hdf5(module):
    allowed = {"numpy", "PIL", "pillow_heif", "cv2", "h5py"}
    assert third_party_loaded_by(f"import embedder.{module}") <= allowed


def test_pandas_is_imported_only_inside_functions_of_the_embedder():
    places = {
        (found.module, found.place)
        for found in all_imports()
        if top(found.name) == "pandas" and top(found.module) == "embedder"
    }
    assert {place for _, place in places} <= {"function", "types"}
    assert {module for module, _ in places} == {"embedder.notebook.search", "embedder.tables.table"}


# --- rule 2: Keras and TensorFlow ---


def test_keras_and_tensorflow_are_imported_only_where_networks_are_trained():
    elsewhere = [
        found
        for found in all_imports()
        if top(found.name) in KERAS
        and found.place != "types"
        and top(found.module) in (*PACKAGES, *SCRIPTS, "data")
        and not within(found.module, *KERAS_MODULES)
    ]
    assert elsewhere == []


def mentions(text: str) -> list[str]:
    """Return the lines of a file that speak of Keras or TensorFlow."""
    for name in PROPER_NAMES:
        text = text.replace(name, "")
    return [line for line in text.splitlines() if re.search("tensorflow|keras", line, re.IGNORECASE)]


def test_no_file_outside_training_mentions_them():
    assert mentions("x = 1  # as Keras does") and not mentions("python -m data.samples: facenet_keras.h5")
    files = [path for path in (PROJECT / "embedder").rglob("*") if path.suffix in (".py", ".json")]
    others = [path for path in files if not path.is_relative_to(PROJECT / "embedder" / "training")]
    assert len(others) > 60
    assert {path.name: lines for path in others if (lines := mentions(path.read_text("utf-8")))} == {}


FIRST_USE = """
absent = ("tensorflow", "keras", "tf2onnx", "tensorboard", "pandas", "matplotlib")
sys.modules.update(dict.fromkeys(absent))
import numpy as np
from embedder import MTCNN, FaceEmbedder
image = np.random.default_rng(0).integers(0, 256, (160, 160, 3), np.uint8)
result = [MTCNN(threads=1).detect(image).boxes.shape[1], *FaceEmbedder(threads=1).embed(image[None]).shape]
"""


def test_the_first_use_of_all_networks_needs_none_of_them(tmp_path):
    assert fresh(FIRST_USE, FACETABLE_CACHE=str(tmp_path / "cache")) == [4, 1, 512]
    assert len(list((tmp_path / "cache").glob("*.onnx"))) == 4


def test_serving_and_the_command_lines_load_neither():
    modules = [
        f"embedder.{name}"
        for name in (
            "commands.main",
            "pipeline.runner",
            "verification.comparison",
            "runtime.conversion",
            "detection.mtcnn_networks",
            "networks.inception_resnet_v1",
        )
    ]
    assert third_party_loaded_by(f"import {', '.join(modules)}, classifiers.commands.main") & KERAS == set()


MISTYPED = """
for run, argv in (
    ("train_classifier", ["faces.h5", "-o", "family.skops"]),
    ("train_classifier", [__file__, "--names", "people.csv", "-o", "family.skops"]),
    ("classifiers.commands.main", ["evaluate", "faces.h5"]),
    ("embedder.commands.main", ["train", "faces", "-o", "run"]),
    ("embedder.commands.main", ["train", ".", "--pretrained", "weights", "-o", "run"]),
    ("facetable", ["scan", "family"]),
):
    assert importlib.import_module(run).main(argv) == 2
"""


def test_a_mistyped_file_name_is_reported_before_anything_heavy_is_loaded(tmp_path):
    program = f"import importlib\n__file__ = {str(PROJECT / 'README.md')!r}\n{MISTYPED}"
    assert third_party_loaded_by(program) & {*KERAS, "sklearn", "skops", "pandas", "h5py"} == set()


# --- rule 3: where detector, embedder and table meet ---


def test_detector_and_network_meet_in_the_encoder_and_where_workers_load_them():
    detectors = {"embedder.detection.mtcnn.MTCNN", "embedder.detection.detector.load_detector"}
    parts = {
        *detectors,
        "embedder.networks.face_embedder",
        "embedder.networks.joined",
        "embedder.tables.table",
    }
    used: dict[str, set[str]] = {}
    for found in all_imports():
        if top(found.module) == "embedder" and found.module != "embedder" and found.place != "types":
            used.setdefault(found.module, set()).update(part for part in parts if within(found.name, part))
    loaders = {"embedder.networks.face_embedder", "embedder.networks.joined"}
    both_networks = {module for module, some in used.items() if some & detectors and some & loaders}
    assert {module for module in both_networks if "embedder.tables.table" in used[module]} == set()
    assert both_networks == {"embedder.networks.encoder", "embedder.pipeline.worker"}


# --- rule 4: classifiers know tables only by their columns ---


def test_libraries_of_classifiers_never_import_the_embedder():
    found = [
        found
        for found in all_imports()
        if top(found.module) == "classifiers" and top(found.name) == "embedder" and found.place != "types"
    ]
    assert {one.place for one in found} <= {"function"}
    commands = ("classifiers.commands.", "classifiers.preset_commands.", "classifiers.measuring_commands.")
    assert {one.module for one in found if not one.module.startswith(commands)} == set()


def test_the_embedder_imports_nothing_that_comes_after_it():
    assert [
        found
        for found in all_imports()
        if top(found.module) == "embedder" and top(found.name) in ("classifiers", "people", "recognition", "data")
    ] == []
    assert [
        found
        for found in all_imports()
        if top(found.module) == "classifiers"
        and top(found.name) in ("people", "recognition", "data")
        # `audit` and `forget` look into files of every kind, workspaces among them.
        and not (within(found.module, "classifiers.commands") and within(found.name, "people.forgetting"))
    ] == []


# --- rule 5: nothing imports scripts or experiments ---


def test_nothing_imports_scripts_or_experiments():
    assert [
        found
        for found in all_imports()
        if top(found.name) in (*SCRIPTS, "experiments", "tests", "webapp")
        and top(found.module) != top(found.name)
        and found.module != "facetable"  # which is the scripts' common face
    ] == []


# --- rule 6: no import has a side effect ---

EVERY_PUBLIC_NAME = """
import facetable, recognize, train_classifier, embedder, classifiers, foundation, people, recognition
result = [name for package in (embedder, classifiers) for name in package.__all__ if getattr(package, name) is None]
"""


def test_no_import_of_a_public_name_warns():
    assert fresh(f"import warnings\nwarnings.simplefilter('error')\n{EVERY_PUBLIC_NAME}") == []


SIDE_EFFECTS = """
import importlib, logging, os, signal, threading
import cv2, joblib, sklearn  # these set variables of their own
before = (dict(os.environ), logging.root.level, list(logging.root.handlers), signal.getsignal(signal.SIGINT),
          threading.active_count(), os.getcwd(), os.umask(0o022))
for module in %r:
    importlib.import_module(module)
after = (dict(os.environ), logging.root.level, list(logging.root.handlers), signal.getsignal(signal.SIGINT),
         threading.active_count(), os.getcwd(), os.umask(0o022))
names = ("environment", "logging level", "logging handlers", "signal handler", "threads", "folder", "umask")
result = [name for name, was, now in zip(names, before, after) if was != now]
"""

CALLS_WITH_EFFECT = {
    "filterwarnings",
    "simplefilter",
    "basicConfig",
    "mkdir",
    "makedirs",
    "setdefault",
    "urlopen",
    "write_text",
    "write_bytes",
    "unlink",
    "chdir",
    "environ",
    "putenv",
    "set_start_method",
}


def light_modules() -> list[str]:
    """Return all modules that do not have Keras at their top."""
    return [
        module
        for module in sources()
        if top(module) in (*PACKAGES, *SCRIPTS, "data")
        and not within(module, *KERAS_MODULES)
        and not module.endswith("__main__")
    ]


def test_importing_everything_changes_nothing(tmp_path):
    folders = {"HOME": str(tmp_path), "FACETABLE_CACHE": str(tmp_path / "cache"), "TMPDIR": str(tmp_path)}
    assert fresh(SIDE_EFFECTS % light_modules(), tmp_path, **folders) == []
    assert list(tmp_path.iterdir()) == []


def statements_run_on_import(node: ast.AST) -> Iterator[ast.AST]:
    for child in ast.iter_child_nodes(node):
        if isinstance(child, (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)):
            continue
        if isinstance(child, ast.If) and "__main__" in ast.unparse(child.test):
            continue
        yield child
        yield from statements_run_on_import(child)


def effects_of(source: str) -> set[str]:
    nodes = list(statements_run_on_import(ast.parse(source)))
    named = {node.attr for node in nodes if isinstance(node, ast.Attribute)}
    named |= {node.id for node in nodes if isinstance(node, ast.Name)}
    return named & CALLS_WITH_EFFECT


def test_no_module_changes_environment_warnings_or_files_when_imported():
    assert effects_of("import os\nos.environ['X'] = '1'\ndef f():\n    os.mkdir('x')\n") == {"environ"}
    found = {module: effects_of(path.read_text("utf-8")) for module, path in sources().items()}
    assert {module: names for module, names in found.items() if names} == {}


def test_packages_themselves_load_nothing_heavy():
    assert third_party_loaded_by("import embedder, classifiers, recognition") & HEAVY == set()


def test_public_names_load_on_first_use():
    loaded = third_party_loaded_by("from embedder import read_image")
    assert "PIL" in loaded
    assert loaded & (KERAS | {"onnxruntime", "pandas", "h5py"}) == set()


@pytest.mark.parametrize("package", ["embedder", "classifiers"])
def test_unknown_names_are_attribute_errors_and_known_ones_are_listed(package):
    module = __import__(package)
    assert set(module.__all__) <= set(dir(module))
    with pytest.raises(AttributeError, match="nonsense"):
        _ = module.nonsense
