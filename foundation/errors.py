"""Errors raised on purpose: one line that names what was found and the remedy."""


class FacetableError(Exception):
    """Base of all errors that a user can mend; the command line prints them as one line."""


class InputError(FacetableError, ValueError):
    """An argument, option or file that cannot be used."""


class HeadFileError(FacetableError, ValueError):
    """A file that is not a head, is damaged, or is of another version."""


class FingerprintError(FacetableError, ValueError):
    """Two things made with settings that may not be mixed."""


class SpaceMismatchError(FacetableError, ValueError):
    """Vectors made with other weights or another crop than the head's exemplars."""
