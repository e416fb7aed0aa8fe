"""Names that are elsewhere now: where, and until when the old place works."""

import re
import types
import warnings

import pytest

from foundation import __version__, moved_names
from tests import PROJECT


def version(text: str) -> tuple[int, ...]:
    return tuple(int(part) for part in text.split("."))


def test_a_moved_name_says_where_it_is_and_until_when():
    load = moved_names("old.place", {"sqrt": "math"}, gone_in="9.0")
    with pytest.warns(DeprecationWarning) as caught:
        assert load("sqrt")(4.0) == 2.0
    assert str(caught[0].message) == (
        "old.place.sqrt is math.sqrt now, and gone from here in version 9.0; import it from math"
    )
    assert caught[0].filename == __file__


def test_other_names_are_not_there_and_warn_of_nothing():
    module = types.ModuleType("old")
    module.__getattr__ = moved_names("old", {"sqrt": "math"}, gone_in="9.0")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert not hasattr(module, "cube_root")


def test_no_old_place_outlives_the_version_it_is_gone_in():
    sources = [
        path for name in ("embedder", "classifiers", "people", "recognition") for path in (PROJECT / name).rglob("*.py")
    ]
    promised = [found for path in sources for found in re.findall(r'gone_in="([\d.]+)"', path.read_text("utf-8"))]
    assert promised
    assert min(map(version, promised)) > version(__version__)
