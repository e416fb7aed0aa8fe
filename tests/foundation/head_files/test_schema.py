import pytest

from foundation.errors import InputError
from foundation.head_files.schema import (
    MAX_DEPTH,
    depth_of,
    list_of,
    mapping,
    mapping_of,
    nullable,
    number,
    one_of,
    parse_json,
    text,
)


@pytest.mark.parametrize(
    ("content", "found"),
    [
        (b"", "no JSON"),
        (b"\xff", "no JSON"),
        (b'{"a": NaN}', "holds the number NaN"),
        (b"[1e999]", "holds the number 1e999, which is too large"),
        (b"9" * 5000, "no JSON"),
        (b'{"a": 1, "a": 2}', "holds one key twice"),
        (b"[" * 10_000 + b"]" * 10_000, "nested too deep"),
        (b"[" * (MAX_DEPTH + 1) + b"]" * (MAX_DEPTH + 1), "nested too deep"),
    ],
)
def test_json_that_is_not_believed(content: bytes, found: str) -> None:
    with pytest.raises(InputError, match=f"^it.*{found}"):
        parse_json(content, "it")


def test_json_that_is() -> None:
    assert parse_json(b'{"a": [1, 2.5, "\\u00e9", null, true]}', "it") == {"a": [1, 2.5, "é", None, True]}
    assert parse_json(b'{"a": 1, "a": 2}', "it", unique=False) == {"a": 2}
    assert depth_of(parse_json(b"[" * MAX_DEPTH + b"]" * MAX_DEPTH, "it")) == MAX_DEPTH


@pytest.mark.parametrize(
    ("check", "good", "bad", "expected"),
    [
        (text(), "a", 1, "text of at most 1,000 characters, got 1"),
        (text(longest=2), "ab", "abc", "text of at most 2 characters, got 'abc'"),
        (text(r"[a-z]+", expected="letters"), "ab", "a1", "letters of at most"),
        (number(0), 0, -1, "a number of at least 0, got -1"),
        (number(0, 1), 1.0, 1.5, "a number of at least 0 and at most 1, got 1.5"),
        (number(0, above=True), 0.1, 0, "a number above 0, got 0"),
        (number(1, whole=True), 1, 1.0, "a whole number of at least 1, got 1.0"),
        (number(), 5, True, "a number of at least -inf, got True"),
        (one_of("a", "b"), "b", ["b"], "one of a, b, got"),
        (nullable(number(0)), None, "x", "a number"),
        (list_of(number(0), shortest=1), [0], [], "a list of at least 1 values"),
        (list_of(number(0), longest=1), [0], [0, 1], "a list"),
        (list_of(number(0)), [], [0, "x"], "a number"),
        (mapping_of(number(0)), {"a": 1}, {"a": []}, "a number"),
        (mapping_of(number(0), keys=text(r"a+")), {"a": 1}, {"b": 1}, "text"),
        (mapping_of(number(0)), {}, [], "a mapping"),
        (mapping({"a": number(0)}), {"a": 1, "other": object()}, {"a": "x"}, "a number"),
        (mapping({"a": number(0)}), {"a": 1}, 5, "a mapping"),
    ],
)
def test_checks(check, good, bad, expected) -> None:
    check(good, "thing")
    with pytest.raises(InputError, match=f"^its thing.* must be {expected}"):
        check(bad, "thing")


def test_what_a_mapping_must_have() -> None:
    check = mapping({"a": number(0), "b": number(0)}, required=("a",))
    check({"a": 1}, "thing")
    with pytest.raises(InputError, match=r"^its thing lacks 'a'$"):
        check({"b": 1}, "thing")
    with pytest.raises(InputError, match=r"^it lacks 'a'$"):
        check({}, "")


def test_long_values_are_cut_in_messages() -> None:
    with pytest.raises(InputError) as raised:
        number()("x" * 1000, "thing")
    assert len(str(raised.value)) < 100
