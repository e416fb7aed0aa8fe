"""Errors of the page."""

from foundation.errors import FacetableError


class UnknownJobError(FacetableError):
    """Raised where no job has the number asked for."""


class JobRunningError(FacetableError):
    """Raised where a job is to be begun while another is being done."""
