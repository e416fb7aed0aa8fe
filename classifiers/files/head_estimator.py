"""Write and read scikit-learn estimators as skops data: only types that are trusted by name are ever loaded."""

from collections.abc import Collection, Iterable
from typing import Any

from classifiers.errors import HeadFileError, UntrustedTypesError
from classifiers.files.estimator_schema import check_estimator
from classifiers.heads.head import Head
from foundation.errors import InputError

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
    HeadFileError
        If the estimator in the head's file is damaged.
    """
    from classifiers.heads.registry import make_head

    if isinstance(head.estimator, bytes):
        try:
            return load_estimator(head.estimator, trusted=head.trusted)
        except UntrustedTypesError as error:
            raise UntrustedTypesError(f"{head.file}: {error}") from error
        except InputError as error:
            raise HeadFileError(
                f"{head.file}: expected a whole head, found a damaged one ({error}); train it again"
            ) from error
    return make_head(head.name, head.parameters) if head.estimator is None else head.estimator


def load_estimator(data: bytes, name: str = "estimator", *, trusted: Collection[str] = ()) -> Any:
    """Return the scikit-learn estimator in skops `data`.

    Parameters
    ----------
    data : bytes
    name : str
        The entry of the head's file that it comes from, for messages.
    trusted : collection of str
        Further types whose code the user trusts, as ``module.Name``.

    Raises
    ------
    UntrustedTypesError
        If it asks for types that are neither in `TRUSTED_TYPES` nor in `trusted`.
    InputError
        If it is damaged.
    """
    check_estimator(data, name)
    import skops.io
    from skops.io.exceptions import UntrustedTypesFoundException

    try:
        return skops.io.loads(data, trusted=[*TRUSTED_TYPES, *trusted])
    except UntrustedTypesFoundException as error:
        raise _untrusted_types(skops.io.get_untrusted_types(data=data), "load", trusted) from error
    except Exception as error:  # what building an object from the state of another raises can be anything
        reason = " ".join(str(error).split()) or type(error).__name__
        raise InputError(f"its {name} is damaged: {reason}") from error


def dump_estimator(estimator: Any, *, trusted: Collection[str] = ()) -> bytes:
    """Return a scikit-learn estimator as skops data.

    Parameters
    ----------
    estimator : object
    trusted : collection of str
        Further types whose code the user trusts, as ``module.Name``.

    Raises
    ------
    UntrustedTypesError
        If it holds types that are neither in `TRUSTED_TYPES` nor in `trusted`, which could not be loaded again; the
        message names them.
    """
    import skops.io

    data: bytes = skops.io.dumps(estimator)
    types = skops.io.get_untrusted_types(data=data)
    if not {*types} <= {*TRUSTED_TYPES, *trusted}:
        raise _untrusted_types(types, "save", trusted)
    return data


def types_to_trust(estimator: Any) -> list[str]:
    """Return the types of an estimator, as ``module.Name``, that only somebody who trusts them saves and loads."""
    import skops.io

    return sorted({*skops.io.get_untrusted_types(data=skops.io.dumps(estimator))} - {*TRUSTED_TYPES})


def check_trusted(names: Iterable[str]) -> tuple[str, ...]:
    """Return the names of types as ``module.Name``; they may be written ``module:Name``.

    Raises
    ------
    InputError
        If one is no such name.

    >>> check_trusted(["my_module:MyHead"])
    ('my_module.MyHead',)
    """
    dotted = tuple(name.replace(":", ".") for name in names)
    wrong = next((name for name in dotted if "." not in name or not name.replace(".", "_").isidentifier()), None)
    if wrong is not None:
        raise InputError(f"`trust` must name types as module.Name, got {wrong!r}")
    return dotted


def _untrusted_types(types: Iterable[str], verb: str, trusted: Collection[str]) -> UntrustedTypesError:
    untrusted = sorted({*types} - {*TRUSTED_TYPES, *trusted})
    return UntrustedTypesError(
        f"refusing to {verb} a head with types that are not trusted: {', '.join(untrusted)}; "
        "expected only scikit-learn's own and this project's, use another --head, or say whose code you trust: "
        f"{' '.join(f'--trust {name}' for name in untrusted)}"
    )
