"""The errors of the camera loop; each message names what was found and the remedy."""


class SourceError(ValueError):
    """A source that does not exist, cannot be opened, or holds nothing to look at."""


class SaveError(OSError):
    """Annotated output that could not be written, or was not written whole."""
