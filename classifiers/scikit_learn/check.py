"""Try whether a class can be a head: `check_head(MyHead())`."""

from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn import clone

from classifiers.files.head_estimator import dump_estimator, types_to_trust
from classifiers.heads.estimators import many_classes
from classifiers.heads.protocol import METHODS
from foundation.errors import InputError

_N_PEOPLE, _N_PHOTOS, _LENGTH = 5, 4, 16

# Share of well separated photos that a head must name rightly, having been fitted on them.
_LEAST_RIGHT = 0.8


def check_head(estimator: Any) -> list[str]:
    """Try a head of one's own on made-up people, and return what `trust` must name to save and load it.

    Parameters
    ----------
    estimator : object
        Unfitted, as `classifiers.heads.protocol.HeadEstimator` says; it is left as it is.

    Returns
    -------
    list of str
        Types, as ``module.Name``: give them to `save_head` and `load_head`, or ``--trust``. Empty for those of
        scikit-learn.

    Raises
    ------
    InputError
        Naming the first thing that is not as it must be.

    >>> from sklearn.naive_bayes import GaussianNB
    >>> check_head(GaussianNB())
    []
    """
    name = type(estimator).__qualname__
    for method in METHODS:
        if not callable(getattr(estimator, method, None)):
            raise InputError(f"{name} must have a method `{method}`; see classifiers.heads.protocol.HeadEstimator")
    if isinstance(estimator, type):
        raise InputError(f"`estimator` must be an object, got a class; give {estimator.__name__}()")
    vectors, names = _made_up_people()
    fitted = _fitted(estimator, vectors, names)
    _check_predictions(fitted, vectors, names)
    _fitted(estimator, vectors[::_N_PHOTOS], names[::_N_PHOTOS])
    trusted = types_to_trust(fitted)
    dump_estimator(fitted, trusted=trusted)
    return trusted


def _made_up_people() -> tuple[NDArray[np.float32], NDArray[np.str_]]:
    rng = np.random.default_rng(0)
    centres = np.repeat(np.eye(_N_PEOPLE, _LENGTH), _N_PHOTOS, axis=0)
    vectors = centres + rng.normal(size=centres.shape) * 0.05
    units = (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32)
    return units, np.repeat([f"person {number}" for number in range(_N_PEOPLE)], _N_PHOTOS)


def _fitted(estimator: Any, vectors: NDArray[np.float32], names: NDArray[np.str_]) -> Any:
    """Return a fitted copy, having looked at what it says of itself."""
    name = type(estimator).__qualname__
    try:
        copied = clone(estimator)
    except (TypeError, RuntimeError) as error:
        raise InputError(f"{name} must be copied by sklearn.clone, which fails: {error}") from error
    before = vectors.copy()
    with many_classes():
        fitted = copied.fit(vectors, names)
    if fitted is not copied:
        raise InputError(f"{name}.fit must return itself, got {type(fitted).__name__}; end it with `return self`")
    if not np.array_equal(vectors, before):
        raise InputError(f"{name}.fit must leave `X` as it is; change a copy")
    expected = np.unique(names).tolist()
    classes = np.asarray(getattr(fitted, "classes_", ())).tolist()
    if classes != expected:
        raise InputError(f"{name}.classes_ must be the sorted identities after fit: expected {expected}, got {classes}")
    length = getattr(fitted, "n_features_in_", None)
    if length != _LENGTH:
        raise InputError(f"{name}.n_features_in_ must be the length of a vector: expected {_LENGTH}, got {length}")
    return fitted


def _check_predictions(fitted: Any, vectors: NDArray[np.float32], names: NDArray[np.str_]) -> None:
    name = type(fitted).__qualname__
    predicted = np.asarray(fitted.predict(vectors))
    if predicted.shape != names.shape:
        raise InputError(f"{name}.predict must give one identity a row: expected {names.shape}, got {predicted.shape}")
    strangers = sorted({str(found) for found in predicted} - set(names.tolist()))
    if strangers:
        raise InputError(f"{name}.predict must choose among `classes_`, got {strangers[0]!r}; refusing is not its part")
    right = float(np.mean(predicted.astype(np.str_) == names))
    if right < _LEAST_RIGHT:
        raise InputError(
            f"{name} must name photos it was fitted on: expected {_LEAST_RIGHT:.0%} of them, got {right:.0%}"
        )
    alone = [np.asarray(fitted.predict(vectors[row : row + 1])).tolist() for row in range(len(vectors))]
    if [one for found in alone for one in found] != predicted.tolist():
        raise InputError(f"{name}.predict must say the same of a face alone as among others; use nothing of other rows")
