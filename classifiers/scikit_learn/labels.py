"""Turn labels of any type into the names a head has, and back into what they were."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from classifiers.scores.gallery import UNKNOWN
from foundation.errors import InputError


class Labels:
    """The labels a classifier was fitted with, each with a name, and the label of a stranger.

    Parameters
    ----------
    y : (n,) array
        Text, numbers or other things that can be sorted.
    unknown_label : object, optional
        What a stranger is labelled; rows that have it are nobody's. By default `UNKNOWN` for text, and for numbers -1,
        or one less than the least of them where that is below 0; of unsigned numbers the largest there is.

    Attributes
    ----------
    classes : (k,) array
        The labels of people, sorted, each once, of the type of `y`.
    names : (k,) str
        Their names in a head.
    unknown : object
        The label of a stranger.

    Raises
    ------
    InputError
        If labels cannot be sorted, two have one name, or there is no number left for strangers.

    >>> labels = Labels(np.array([20, 3, 20]))
    >>> labels.classes.tolist(), labels.names.tolist(), labels.unknown
    ([3, 20], ['3', '20'], -1)
    >>> labels.decode(np.array([1, 0]), refused=np.array([False, True])).tolist()
    [20, -1]
    """

    def __init__(self, y: NDArray[Any], unknown_label: Any = None) -> None:
        self._given = unknown_label
        try:
            self.classes: NDArray[Any] = np.unique(y[~self.is_nobody(y)])
        except TypeError as error:
            raise InputError(
                f"the labels of `y` must be of one type that can be sorted, got others ({error})"
            ) from None
        texts = [str(label) for label in self.classes.tolist()]
        if len(set(texts)) < len(texts):
            double = next(text for text in texts if texts.count(text) > 1)
            raise InputError(f"two labels of `y` are both written {double!r}; give people different labels")
        self.names: NDArray[np.str_] = np.array(texts, dtype=np.str_)
        self.unknown = _label_of_strangers(self.classes) if unknown_label is None else unknown_label
        self._all = _appended(self.classes, self.unknown)

    def is_nobody(self, y: NDArray[Any]) -> NDArray[np.bool_]:
        """Return which of `y (n,)` are no person: ``""``, and the label that strangers were said to have."""
        labels = y.astype(object)
        return np.array([label == "" or (self._given is not None and label == self._given) for label in labels], bool)

    def encode(self, y: NDArray[Any]) -> NDArray[np.str_]:
        """Return the names ``(n,)`` of `y (n,)`; ``""`` for nobody."""
        return np.array(["" if nobody else str(label) for label, nobody in self._rows(y)], dtype=np.str_)

    def decode(self, codes: NDArray[np.int64], *, refused: NDArray[np.bool_] | None = None) -> NDArray[Any]:
        """Return the labels ``(n,)`` at the positions `codes (n,)` in `classes`; `unknown` where `refused (n,)`."""
        if refused is None:
            return self.classes[codes]
        return self._all[np.where(refused, len(self.classes), codes)]

    def _rows(self, y: NDArray[Any]) -> list[tuple[Any, bool]]:
        return list(zip(y.tolist(), self.is_nobody(y).tolist(), strict=True))


def _label_of_strangers(classes: NDArray[Any]) -> Any:
    """Return what a stranger is labelled where nobody has said it."""
    kind = classes.dtype.kind
    if kind == "O" and len(classes) and all(_is_number(label) for label in classes):
        return min(-1, min(classes) - 1)
    if kind == "f":
        return min(-1.0, float(classes.min(initial=0.0)) - 1.0)
    if kind not in "iu":
        return UNKNOWN
    limits = np.iinfo(classes.dtype)
    label = limits.max if kind == "u" else min(-1, int(classes.min(initial=0)) - 1)
    if label < limits.min or label in classes:
        raise InputError(f"the labels of `y` leave no {classes.dtype} for strangers; give `unknown_label`")
    return label


def _is_number(label: Any) -> bool:
    return isinstance(label, (int, float, np.number)) and not isinstance(label, bool)


def _appended(classes: NDArray[Any], label: Any) -> NDArray[Any]:
    """Return `classes` with `label` behind them, of their type where it can be had."""
    if classes.dtype.kind == "U" and isinstance(label, str):
        return np.append(classes, label)
    if classes.dtype.kind in "iuf" and _is_number(label) and classes.dtype.type(label) == label:
        return np.append(classes, classes.dtype.type(label))
    return np.append(classes.astype(object), np.array([label], dtype=object))
