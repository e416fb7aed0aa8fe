"""The program whose types `make lint` checks uses every public name."""

import ast

import classifiers
import embedder
from tests import PROJECT


def test_every_public_name_is_used():
    tree = ast.parse((PROJECT / "tests" / "typed_use" / "program.py").read_text("utf-8"))
    imported = {
        node.module: {alias.name for alias in node.names} for node in tree.body if isinstance(node, ast.ImportFrom)
    }
    for package in (embedder, classifiers):
        assert imported[package.__name__] == set(package.__all__)
    used = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}
    assert imported["embedder"] | imported["classifiers"] <= used


def test_lint_and_continuous_integration_check_its_types():
    for file in ("Makefile", ".ci/run"):
        assert "mypy --strict --config-file= --follow-imports=silent" in (PROJECT / file).read_text("utf-8")
