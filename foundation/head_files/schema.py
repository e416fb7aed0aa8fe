"""Read JSON that is not trusted, and check that it has the types, lengths and ranges it must have."""

import json
import math
import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any, NoReturn

from foundation.errors import InputError

Check = Callable[[Any, str], None]
"""Takes a value and what it is called; raises `InputError` if the value is not allowed."""

# Descriptions nest five deep, with a preset's settings seven; scikit-learn's estimators inside each other some thirty.
MAX_DEPTH = 100

_SHOWN = 40


def parse_json(content: bytes, name: str, *, unique: bool = True) -> Any:
    """Return the value that JSON holds: finite, no key twice in an object, not nested deeper than `MAX_DEPTH`.

    Parameters
    ----------
    content : bytes
        UTF-8.
    name : str
        What it is called in messages.
    unique : bool
        Whether a key that stands twice is refused, which takes as long as reading; otherwise the last one counts.

    Raises
    ------
    InputError
        If it is no such JSON.
    """
    try:
        value = json.loads(
            content.decode("utf-8"),
            object_pairs_hook=_unique_keys if unique else None,
            parse_float=_finite_number,
            parse_constant=_refuse_constant,
        )
    except RecursionError:
        raise InputError(f"{name} is nested too deep") from None
    except (ValueError, MemoryError) as error:
        if isinstance(error, InputError):
            raise InputError(f"{name} holds {error}") from None
        raise InputError(f"{name} is no JSON ({error})") from error
    if depth_of(value) > MAX_DEPTH:
        raise InputError(f"{name} is nested too deep")
    return value


def depth_of(value: Any) -> int:
    """Return how deep lists and mappings of JSON are nested in each other; 0 for plain values.

    >>> depth_of({"a": [1, {}]}), depth_of("a")
    (3, 0)
    """
    depth, level = 0, [value]
    while level := [item for item in level if isinstance(item, (list, dict))]:
        depth += 1
        level = [inner for item in level for inner in (item.values() if isinstance(item, dict) else item)]
    return depth


def refuse(name: str, expected: str, value: Any) -> NoReturn:
    """Raise an `InputError` that says what `value` must be and what it is."""
    shown = repr(value)
    raise InputError(
        f"its {name} must be {expected}, got {shown if len(shown) <= _SHOWN else f'{shown[: _SHOWN - 3]}...'}"
    )


def text(pattern: str = r".*", *, expected: str = "text", longest: int = 1_000) -> Check:
    """Return a check for text of at most `longest` characters that matches a pattern as a whole."""
    compiled = re.compile(pattern, re.DOTALL)

    def check(value: Any, name: str) -> None:
        if not isinstance(value, str) or len(value) > longest or not compiled.fullmatch(value):
            refuse(name, f"{expected} of at most {longest:,} characters", value)

    return check


def number(
    low: float = -math.inf, high: float = math.inf, *, whole: bool = False, above: bool = False, expected: str = ""
) -> Check:
    """Return a check for a number from `low` (or, with `above`, from above it) to `high`; truth values are none."""
    kind = "whole number" if whole else "number"
    words = expected or f"a {kind} {'above' if above else 'of at least'} {low:g}" + (
        "" if math.isinf(high) else f" and at most {high:g}"
    )

    def check(value: Any, name: str) -> None:
        is_number = isinstance(value, int if whole else (int, float)) and not isinstance(value, bool)
        if not is_number or not (low < value if above else low <= value) or not value <= high:
            refuse(name, words, value)

    return check


def one_of(*values: Any) -> Check:
    """Return a check for one of `values`."""

    def check(value: Any, name: str) -> None:
        if isinstance(value, (list, dict)) or value not in values:
            refuse(name, f"one of {', '.join(map(str, values))}", value)

    return check


def nullable(inner: Check) -> Check:
    """Return a check that also allows None."""

    def check(value: Any, name: str) -> None:
        if value is not None:
            inner(value, name)

    return check


def list_of(inner: Check, *, shortest: int = 0, longest: int | None = None) -> Check:
    """Return a check for a list of so many values that all pass `inner`."""

    def check(value: Any, name: str) -> None:
        if not isinstance(value, list) or len(value) < shortest or (longest is not None and len(value) > longest):
            refuse(name, f"a list of at least {shortest} values", value)
        for item in value:
            inner(item, name)

    return check


def mapping_of(inner: Check, *, keys: Check | None = None) -> Check:
    """Return a check for a mapping whose values all pass `inner`, and its keys `keys`."""

    def check(value: Any, name: str) -> None:
        if not isinstance(value, dict):
            refuse(name, "a mapping", value)
        for key, item in value.items():
            if keys is not None:
                keys(key, f"{name}'s keys")
            inner(item, f"{name}'s {key}")

    return check


def mapping(fields: Mapping[str, Check], *, required: Iterable[str] | None = None) -> Check:
    """Return a check for a mapping with `fields`, all of them or those `required` there; others are not looked at."""
    needed = list(fields if required is None else required)

    def check(value: Any, name: str) -> None:
        if not isinstance(value, dict):
            refuse(name, "a mapping", value)
        for field in needed:
            if field not in value:
                raise InputError(f"it lacks {field!r}" if not name else f"its {name} lacks {field!r}")
        for field, inner in fields.items():
            if field in value:
                inner(value[field], f"{name}'s {field}" if name else field)

    return check


def _unique_keys(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise InputError("one key twice")
    return found


def _finite_number(text: str) -> float:
    value = float(text)
    if not math.isfinite(value):
        raise InputError(f"the number {text[:_SHOWN]}, which is too large")
    return value


def _refuse_constant(text: str) -> NoReturn:
    raise InputError(f"the number {text}")
