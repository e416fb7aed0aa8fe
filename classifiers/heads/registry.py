"""Registry of heads by name; any other scikit-learn classifier by its dotted path."""

import ast
import importlib
from collections.abc import Mapping, Sequence
from typing import Any

from sklearn.base import BaseEstimator, ClassifierMixin

from classifiers.heads.estimators import (
    GalleryClassifier,
    KNNClassifier,
    LDAClassifier,
    LogisticClassifier,
    SVMClassifier,
    UnitRowsClassifier,
)
from foundation.errors import InputError

HEADS: dict[str, type[UnitRowsClassifier]] = {
    "gallery": GalleryClassifier,
    "knn": KNNClassifier,
    "svm": SVMClassifier,
    "logreg": LogisticClassifier,
    "lda": LDAClassifier,
}

DEFAULT_HEAD = "gallery"


def head_name(estimator: Any) -> str:
    """Return the name of an estimator in `HEADS`, else its dotted class name."""
    for name, make in HEADS.items():
        if make is type(estimator):
            return name
    return f"{type(estimator).__module__}.{type(estimator).__qualname__}"


def make_head(name: str, parameters: Mapping[str, Any] | None = None) -> Any:
    """Return an unfitted estimator.

    Parameters
    ----------
    name : str
        A name of `HEADS`, or the dotted path of a scikit-learn classifier such as
        ``sklearn.ensemble.RandomForestClassifier``.
    parameters : mapping, optional
        Settings of the estimator; the others keep their defaults.

    Raises
    ------
    ValueError
        If there is no such head, it is no classifier, or it has no such parameter; the message lists those there are.
    """
    make = HEADS[name] if name in HEADS else _import_classifier(name)
    settings = {} if parameters is None else dict(parameters)
    try:
        estimator = make()
        known = sorted(estimator.get_params())
    except TypeError as error:
        raise InputError(f"head {name!r} cannot be made without further objects ({error}); use another") from error
    unknown = sorted(set(settings) - set(known))
    if unknown:
        raise InputError(
            f"head {name!r} has no parameter {', '.join(map(repr, unknown))}; it has {', '.join(known) or 'none'}"
        )
    return estimator.set_params(**settings)


def parse_parameters(texts: Sequence[str]) -> dict[str, Any]:
    """Return settings from ``name=value`` texts; a value that is a Python literal is read as one.

    Raises
    ------
    ValueError
        If a text has no ``=`` or no name.

    >>> parse_parameters(["n_estimators=300", "criterion=entropy", "max_depth=None"])
    {'n_estimators': 300, 'criterion': 'entropy', 'max_depth': None}
    """
    settings: dict[str, Any] = {}
    for text in texts:
        name, equals, value = text.partition("=")
        if not equals or not name.strip():
            raise InputError(f"a parameter must be name=value, got {text!r}")
        try:
            settings[name.strip()] = ast.literal_eval(value)
        except (ValueError, SyntaxError):
            settings[name.strip()] = value
    return settings


def _import_classifier(path: str) -> type:
    """Return the classifier class at a dotted path."""
    module, _, name = path.rpartition(".")
    if not module:
        raise InputError(
            f"unknown head {path!r}; expected one of {', '.join(HEADS)}, "
            "or the dotted path of a scikit-learn classifier"
        )
    try:
        found = getattr(importlib.import_module(module), name)
    except (ImportError, AttributeError) as error:
        raise InputError(f"head {path!r} cannot be imported ({error}); check its dotted path") from error
    if not (isinstance(found, type) and issubclass(found, BaseEstimator) and issubclass(found, ClassifierMixin)):
        raise InputError(f"head {path!r} must be a scikit-learn classifier, got something else; see --help")
    return found
