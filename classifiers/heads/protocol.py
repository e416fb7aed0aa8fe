"""What a head of one's own must offer."""

from typing import Any, Protocol, Self

import numpy as np
from numpy.typing import NDArray

# What a class must have to be taken for a head; what its fitted objects must have, `check_head` tries.
METHODS = ("fit", "predict", "get_params", "set_params")


class HeadEstimator(Protocol):
    """Classifier that chooses among the enrolled people; `sklearn.base.BaseEstimator` brings the last two methods.

    It is made without arguments, and its parameters are set by `set_params`. Similarity to the chosen person's photos
    is measured outside of it, and so is whether anybody is named.

    Attributes
    ----------
    classes_ : (k,) array
        After `fit`: the identities, sorted, each once.
    n_features_in_ : int
        After `fit`: the length of a vector.
    """

    classes_: NDArray[Any]
    n_features_in_: int

    def fit(self, X: NDArray[np.float32], y: NDArray[Any]) -> Self:
        """Learn from unit vectors `X (m, d)` and identities `y (m,)`, maybe one photo each; return itself."""

    def predict(self, X: NDArray[np.float32]) -> NDArray[Any]:
        """Return the identity ``(n,)`` chosen for each of `X (n, d)`, whatever the other rows are."""

    def get_params(self, deep: bool = True) -> dict[str, Any]:
        """Return the parameters by name."""

    def set_params(self, **params: Any) -> Self:
        """Set parameters and return itself."""
