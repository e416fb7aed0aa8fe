"""Validate decision trees from a file: scikit-learn follows their node numbers without looking."""

from collections.abc import Iterator
from typing import Any

import numpy as np

from foundation.errors import InputError


def check_trees(estimator: Any, *, n_features: int) -> None:
    """Refuse decision trees whose nodes point outside the tree, back up it, or at features that do not exist.

    Parameters
    ----------
    estimator : object
        A scikit-learn estimator, or a list or tuple of them, at any depth.
    n_features : int
        Length of the vectors it will see.

    Raises
    ------
    ValueError
        If a tree is not sound; following it could read memory that is not its own.
    """
    for tree in _trees_of(estimator):
        numbers = np.arange(tree.node_count)
        left, right, feature = tree.children_left, tree.children_right, tree.feature
        leaf = left == -1
        inside = (left > numbers) & (right > numbers) & (left < tree.node_count) & (right < tree.node_count)
        known = (feature >= 0) & (feature < n_features)
        if not np.all(np.where(leaf, right == -1, inside & known)):
            raise InputError("a decision tree in it is not sound")


def _trees_of(estimator: Any) -> Iterator[Any]:
    """Yield the trees an estimator holds, wherever they are."""
    waiting: list[Any] = [estimator]
    # Everything seen is kept, lest a new object takes the place, and so the identity, of one that is gone.
    seen: dict[int, Any] = {}
    while waiting:
        item = waiting.pop()
        if id(item) in seen:
            continue
        seen[id(item)] = item
        if type(item).__name__ == "Tree" and type(item).__module__ == "sklearn.tree._tree":
            yield item
        elif isinstance(item, (list, tuple)) or (isinstance(item, np.ndarray) and item.dtype == object):
            waiting.extend(np.ravel(item) if isinstance(item, np.ndarray) else item)
        elif isinstance(item, dict):
            waiting.extend(item.values())
        elif hasattr(item, "__dict__"):
            waiting.extend(vars(item).values())
