"""Errors of workspaces and stores of decisions; all are ``ValueError`` and name the remedy."""

from foundation.errors import FacetableError


class StoreError(FacetableError, ValueError):
    """A store of decisions that is damaged, of a newer version, locked or read-only."""


class UnheededError(StoreError):
    """What is shown does not follow from the decisions, because a version before did not heed one of them."""


class DecisionError(FacetableError, ValueError):
    """A decision that cannot be made, or cannot be undone."""


class PersonError(FacetableError, ValueError):
    """A person nobody is called, or a name that cannot be given."""


class UnknownPersonError(PersonError):
    """A number or name that no person has."""


class UnknownDecisionError(DecisionError):
    """A number that no decision has."""


class UnknownFaceError(DecisionError):
    """A key that no face of the newest table has."""


class UnknownPhotoError(DecisionError):
    """A number that no photo of the newest table has."""


class ConflictError(DecisionError):
    """What was seen when somebody decided does not hold any more."""


class StoreBusyError(StoreError):
    """A store that another process has held for long."""


class WorkspaceError(FacetableError, ValueError):
    """A folder that is no workspace, or a setting of one that cannot be used."""


class XmpError(FacetableError, ValueError):
    """A sidecar or a photo's metadata that is no XMP, too large, or cannot be added to."""
