"""Errors of heads, head files and background models; all are ``ValueError`` and name the remedy."""

from foundation.errors import FacetableError, HeadFileError

__all__ = ["BackgroundError", "HeadFileError", "IdentityError", "ThresholdError", "UntrustedTypesError"]


class IdentityError(FacetableError, ValueError):
    """An identity that cannot be enrolled, or that is not enrolled."""


class ThresholdError(FacetableError, ValueError):
    """A threshold that is out of range, or cannot be calibrated on so few people."""


class UntrustedTypesError(HeadFileError):
    """A head whose estimator holds types that are not on the list of trusted ones."""


class BackgroundError(FacetableError, ValueError):
    """A background model that is damaged, or was fitted on vectors of other weights."""
