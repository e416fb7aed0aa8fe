"""The errors this package raises on purpose; each message names what was found and the remedy."""


class FacetableError(Exception):
    """Base of all errors that a user can mend; the command line prints them as one line."""


class ImageError(FacetableError, ValueError):
    """A file that is not a readable image, or one larger than allowed."""


class WeightsError(FacetableError, ValueError):
    """Weights that are missing, damaged, or not those the preset names."""


class TableError(FacetableError, ValueError):
    """A table file that is damaged, of another version, or holds what it must not."""


class FingerprintError(FacetableError, ValueError):
    """Two things made with settings that may not be mixed."""


class TableLockedError(FacetableError, OSError):
    """Another process is writing this table."""
