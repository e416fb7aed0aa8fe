"""Errors of the page."""

from foundation.errors import FacetableError


class UnknownJobError(FacetableError):
    """Raised where no job has the number asked for."""


class JobRunningError(FacetableError):
    """Raised where a job is to be begun while another is being done."""


class UnknownPictureError(FacetableError):
    """Raised where a picture that somebody asked for is kept no more."""


class NoHeadError(FacetableError):
    """Raised where nobody is named yet that a face could be compared with."""


class CameraError(FacetableError):
    """Raised where a camera cannot be added, or the file of cameras is damaged."""


class UnknownVisitError(FacetableError):
    """Raised where no visit has the number asked for."""


class UnknownCameraError(FacetableError):
    """Raised where no camera has the name asked for."""
