"""Which fields of two fingerprints differ."""

import pytest

from foundation.errors import SpaceMismatchError
from foundation.fingerprint import differing_fields, refuse_other_space


def test_differing_fields_sees_missing_ones():
    assert differing_fields({"a": 1, "b": 2}, {"b": 2, "c": 3}) == {"a": (1, "(not said)"), "c": ("(not said)", 3)}


def test_another_space_is_refused_and_another_provenance_is_not():
    refuse_other_space({"space": {"a": 1}, "provenance": {"b": 1}}, {"space": {"a": 1}, "provenance": {"b": 2}})
    with pytest.raises(SpaceMismatchError, match="compared with the table's: expected a 1, got a 2"):
        refuse_other_space({"space": {"a": 1}}, {"space": {"a": 2}}, source="the table's")
