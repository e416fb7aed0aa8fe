"""Where tables and heads hold a person."""

from types import SimpleNamespace

import numpy as np
import pytest

from classifiers.errors import IdentityError
from classifiers.heads.open_set import build_head
from classifiers.heads.registry import make_head
from classifiers.members.audit import Finding, audit_head, audit_table
from classifiers.scores.gallery import Gallery
from classifiers.scores.matcher import Matcher


def head_of(identities, paths, rejections=None):
    gallery = Gallery.build(np.eye(len(paths)), identities, paths=paths)
    head = build_head(Matcher(gallery), make_head("gallery"), threshold=0.5)
    return head if rejections is None else head.replaced(rejections=rejections)


def table_of(identities, paths, others=()):
    return SimpleNamespace(
        identities=np.array(identities, object),
        paths=np.array(paths, object),
        images=SimpleNamespace(path=np.array([*dict.fromkeys(paths), *others], object)),
    )


def test_a_head_holds_exemplars_rejections_and_paths():
    rejections = Gallery.build(np.eye(3)[:2], ["Ada", "Bo"], paths=["x.jpg", "party/Ada.png"])
    head = head_of(["Ada", "Bo", "Ada"], ["Ada/1.jpg", "Ada/2.jpg", ""], rejections)
    assert audit_head(head, "Ada") == [
        Finding("exemplars", 2, "Ada/1.jpg"),
        Finding("rejections", 1, "x.jpg"),
        Finding("paths", 2, "Ada/2.jpg"),
    ]
    assert audit_head(head, "Bo") == [Finding("exemplars", 1, "Ada/2.jpg"), Finding("rejections", 1, "party/Ada.png")]


def test_a_table_holds_rows_paths_and_files():
    table = table_of(["Ada", "", "Bo"], ["Ada/1.jpg", "Ada/1.jpg", "Bo/1.jpg"], ["Ada/no face.jpg", "old/Ada.jpg"])
    assert audit_table(table, "Ada") == [
        Finding("rows", 1, "Ada/1.jpg"),
        Finding("rows at paths", 1, "Ada/1.jpg"),
        Finding("files", 2, "Ada/no face.jpg"),
    ]


@pytest.mark.parametrize("name", ["ada", "Ad", "1", "jpg", "Ada/1", "Zoe"])
def test_names_are_exact(name):
    assert audit_head(head_of(["Ada"], ["Ada/x1.jpg"]), name) == []
    assert audit_table(table_of(["Ada"], ["Ada/x1.jpg"]), name) == []
    assert audit_table(table_of([], []), name) == []


def test_one_name_in_two_spellings_of_unicode():
    assert audit_head(head_of(["Jose\u0301"], [""]), "Jos\u00e9") == [Finding("exemplars", 1, "")]
    assert audit_table(table_of([""], ["Jose\u0301/1.jpg"]), "Jos\u00e9") == [
        Finding("rows at paths", 1, "Jose\u0301/1.jpg")
    ]


@pytest.mark.parametrize("name", ["", "unknown"])
def test_names_nobody_can_have(name):
    with pytest.raises(IdentityError, match="`name`"):
        audit_head(head_of(["Ada"], [""]), name)
    with pytest.raises(IdentityError, match="`name`"):
        audit_table(table_of([], []), name)
