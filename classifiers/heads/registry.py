"""Registry of heads by name; any other scikit-learn classifier by its dotted path."""

import ast
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
from classifiers.heads.protocol import METHODS
from foundation.errors import InputError
from foundation.plug_ins.loading import HEADS as PLUG_INS
from foundation.plug_ins.loading import import_object, load_plug_in, plug_in_names

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
        A name of `HEADS`; one that an installed package offers in the group ``facetable.heads``; ``my_module:MyHead``
        for a class of one's own (see `classifiers.heads.protocol`); or the dotted path of a scikit-learn classifier
        such as ``sklearn.ensemble.RandomForestClassifier``.
    parameters : mapping, optional
        Settings of the estimator; the others keep their defaults.

    Raises
    ------
    ValueError
        If there is no such head, it is no classifier, or it has no such parameter; the message lists those there are.
    """
    make = HEADS[name] if name in HEADS else _find_classifier(name)
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


def _find_classifier(path: str) -> type:
    """Return the classifier class that a package offers under a name, or that stands at a path."""
    found = load_plug_in(PLUG_INS, path)
    if found is None and "." not in path and ":" not in path:
        raise InputError(
            f"unknown head {path!r}; expected one of {', '.join([*HEADS, *plug_in_names(PLUG_INS)])}, "
            "or the dotted path of a scikit-learn classifier, or my_module:MyHead"
        )
    if found is None:
        try:
            found = import_object(path)
        except InputError as error:
            raise InputError(f"head {error}") from error.__cause__
    is_ours = isinstance(found, type) and all(callable(getattr(found, method, None)) for method in METHODS)
    if not is_ours or (issubclass(found, BaseEstimator) and not issubclass(found, ClassifierMixin)):
        raise InputError(
            f"head {path!r} must be a scikit-learn classifier, or a class with {', '.join(METHODS)}, got something "
            "else; see --help"
        )
    classifier: type = found
    return classifier
