"""Write and read scikit-learn estimators as skops data: only types that are trusted by name are ever loaded."""

from typing import Any

from classifiers.errors import UntrustedTypesError
from classifiers.heads.head import Head

# Types beyond those skops trusts by itself (NumPy arrays and scikit-learn's public estimators). Only what is written
# here is ever loaded: what a file asks for is never trusted on its word. Trees are checked node by node when loaded
# (see `classifiers.files.tree_validation`); the others are plain Python classes that hold numbers.
TRUSTED_TYPES = [
    # The names in heads written before version 0.2.
    "classifiers.estimators.GalleryClassifier",
    "classifiers.estimators.KNNClassifier",
    "classifiers.estimators.LDAClassifier",
    "classifiers.estimators.LogisticClassifier",
    "classifiers.estimators.SVMClassifier",
    "classifiers.heads.estimators.GalleryClassifier",
    "classifiers.heads.estimators.KNNClassifier",
    "classifiers.heads.estimators.LDAClassifier",
    "classifiers.heads.estimators.LogisticClassifier",
    "classifiers.heads.estimators.SVMClassifier",
    "sklearn.calibration._CalibratedClassifier",
    "sklearn.calibration._SigmoidCalibration",
    "sklearn.neural_network._stochastic_optimizers.AdamOptimizer",
    "sklearn.neural_network._stochastic_optimizers.SGDOptimizer",
    "sklearn.tree._tree.Tree",
]


def estimator_of(head: Head) -> Any:
    """Return the unfitted scikit-learn estimator of a head, made or loaded where need be.

    Raises
    ------
    UntrustedTypesError
        If the head's file asks for types that are not in `TRUSTED_TYPES`.
    """
    from classifiers.heads.registry import make_head

    if isinstance(head.estimator, bytes):
        return load_estimator(head.estimator)
    return make_head(head.name, head.parameters) if head.estimator is None else head.estimator


def load_estimator(data: bytes) -> Any:
    """Return the scikit-learn estimator in skops `data`.

    Raises
    ------
    UntrustedTypesError
        If it asks for types that are not in `TRUSTED_TYPES`.
    """
    import skops.io

    _refuse_untrusted(skops.io.get_untrusted_types(data=data), "load")
    return skops.io.loads(data, trusted=TRUSTED_TYPES)


def dump_estimator(estimator: Any) -> bytes:
    """Return a scikit-learn estimator as skops data.

    Raises
    ------
    UntrustedTypesError
        If it holds types that are not in `TRUSTED_TYPES`, which could not be loaded again; the message names them.
    """
    import skops.io

    data: bytes = skops.io.dumps(estimator)
    _refuse_untrusted(skops.io.get_untrusted_types(data=data), "save")
    return data


def _refuse_untrusted(types: list[str], verb: str) -> None:
    untrusted = sorted(set(types) - set(TRUSTED_TYPES))
    if untrusted:
        raise UntrustedTypesError(
            f"refusing to {verb} a head with types that are not trusted: {', '.join(untrusted)}; "
            "expected only scikit-learn's own and this project's, use another --head"
        )
