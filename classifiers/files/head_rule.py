"""Read the decision rule of a head's file: known by its kind, held in arrays, or a fitted scikit-learn estimator."""

import logging
import warnings
from collections.abc import Collection
from pathlib import Path
from typing import Any

import numpy as np

from classifiers.errors import HeadFileError, UntrustedTypesError
from classifiers.files.head_arrays import ReadArray, unpack_linear_svm
from classifiers.files.head_estimator import load_estimator
from classifiers.heads.decision_rules import (
    BalancedVotingRule,
    DecisionRule,
    EstimatorRule,
    LinearSVM,
    NearestRule,
    VotingRule,
)
from classifiers.scores.matcher import Matcher
from foundation.errors import InputError
from foundation.head_files.contents import HeadContents

logger = logging.getLogger(__name__)

ESTIMATOR_ENTRY = "estimator.skops"
FITTED_ENTRY = "fitted.skops"


def scikit_learn_version() -> str:
    """Return the version of scikit-learn that is installed."""
    # Asking the installed package's metadata is quicker than importing it.
    from importlib.metadata import version

    return version("scikit-learn")


def read_decision_rule(
    contents: HeadContents, matcher: Matcher, *, read_array: ReadArray, source: Path, trusted: Collection[str] = ()
) -> DecisionRule:
    """Return the decision rule of a head's file.

    Parameters
    ----------
    contents : HeadContents
        The file's description and entries.
    matcher : Matcher
        Its exemplars.
    read_array : callable
        Name of an array to the array.
    source : Path
        Where the file is, for messages.
    trusted : collection of str
        Types of estimators whose code the user trusts beside `classifiers.files.head_estimator.TRUSTED_TYPES`.

    Raises
    ------
    ValueError
        If the rule is not known, or does not fit the exemplars.
    UntrustedTypesError
        If the estimator asks for other types.
    HeadFileError
        If the estimator is of another scikit-learn and cannot be fitted again.
    """
    record = contents.record
    kind = record["chooser"]
    if kind == LinearSVM.kind:
        return unpack_linear_svm(matcher, read_array)
    if kind == NearestRule.kind:
        return NearestRule()
    if kind == VotingRule.kind:
        return VotingRule(int(record["parameters"]["n_neighbors"]))
    if kind == BalancedVotingRule.kind:
        return BalancedVotingRule(int(record["parameters"]["n_neighbors"]))
    wrote, here = record["versions"]["scikit-learn"], scikit_learn_version()
    if wrote == here:
        return _checked_rule(
            load_estimator(contents.archive.read(FITTED_ENTRY), FITTED_ENTRY, trusted=trusted), matcher
        )
    decision_rule = _refitted_rule(contents, matcher, wrote=wrote, trusted=trusted)
    logger.info(
        "%s: the head was made with scikit-learn %s, here is %s: fitted it again from its photos' vectors; "
        "threshold and scores stay, a close call may get another name; train it again to save the time",
        source,
        wrote,
        here,
    )
    return decision_rule


def _checked_rule(estimator: Any, matcher: Matcher) -> DecisionRule:
    """Return a rule with a fitted estimator from a file, if it fits the exemplars and its trees are sound."""
    from classifiers.files.tree_validation import check_trees

    n_features = matcher.units.shape[1]
    if getattr(estimator, "n_features_in_", None) != n_features or not np.array_equal(
        np.asarray(getattr(estimator, "classes_", ())).astype(np.str_), matcher.labels
    ):
        raise InputError("its estimator does not fit its exemplars")
    check_trees(estimator, n_features=n_features)
    return EstimatorRule(estimator)


def _refitted_rule(contents: HeadContents, matcher: Matcher, *, wrote: str, trusted: Collection[str]) -> DecisionRule:
    """Return a rule with an estimator fitted again on the exemplars, because another scikit-learn fitted it."""
    from sklearn.exceptions import InconsistentVersionWarning

    from classifiers.heads.open_set import fit_decision_rule
    from classifiers.heads.registry import make_head

    try:
        with warnings.catch_warnings():
            # It is fitted again for the very reason this warning gives.
            warnings.simplefilter("ignore", InconsistentVersionWarning)
            if ESTIMATOR_ENTRY in contents.sizes:
                unfitted = load_estimator(contents.archive.read(ESTIMATOR_ENTRY), ESTIMATOR_ENTRY, trusted=trusted)
                return fit_decision_rule(unfitted, matcher)
            # Only our own kinds go without: a module that a file names is never imported on its word.
            return fit_decision_rule(make_head(contents.record["head"], contents.record["parameters"]), matcher)
    except UntrustedTypesError:
        raise
    except Exception as error:
        raise HeadFileError(
            f"its estimator was fitted with scikit-learn {wrote} and cannot be fitted again with "
            f"{scikit_learn_version()} ({' '.join(str(error).split())}); train the head again"
        ) from error
