"""The errors of the camera loop; each message names what was found and the remedy."""


class SourceError(ValueError):
    """A source that does not exist, cannot be opened, or holds nothing to look at."""


class SaveError(OSError):
    """Annotated output that could not be written, or was not written whole."""


class DisplayError(ValueError):
    """No display to show a window on."""


class AddressError(ValueError):
    """An address that events cannot be sent to."""


class OptionsError(ValueError):
    """Options that contradict each other."""
