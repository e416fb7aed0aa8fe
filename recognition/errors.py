"""Errors of recognition; each message names what was expected, what was found and the remedy."""

from foundation.errors import FacetableError
from foundation.text import sanitize_for_terminal


class _TerminalSafeError(FacetableError):
    """An error whose message is safe on a terminal, though it may quote what a server or file says."""

    def __str__(self) -> str:
        return sanitize_for_terminal(super().__str__())


class SourceError(_TerminalSafeError, ValueError):
    """A source that does not exist, cannot be opened, or holds no image."""


class SaveError(_TerminalSafeError, OSError):
    """Annotated output that could not be written, or only in part."""


class DisplayError(_TerminalSafeError, ValueError):
    """No display to show a window on."""


class AddressError(_TerminalSafeError, ValueError):
    """An address that events cannot be sent to."""


class OptionsError(_TerminalSafeError, ValueError):
    """Options that contradict each other."""
