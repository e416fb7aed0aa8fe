"""The errors of the camera loop; each message names what was found and the remedy."""

from foundation.errors import FacetableError
from foundation.text import sanitize_for_terminal


class _TerminalSafeError(FacetableError):
    """An error whose message goes to terminals and logs; what it quotes may be another's, with escape sequences."""

    def __str__(self) -> str:
        return sanitize_for_terminal(super().__str__())


class SourceError(_TerminalSafeError, ValueError):
    """A source that does not exist, cannot be opened, or holds nothing to look at."""


class SaveError(_TerminalSafeError, OSError):
    """Annotated output that could not be written, or was not written whole."""


class DisplayError(_TerminalSafeError, ValueError):
    """No display to show a window on."""


class AddressError(_TerminalSafeError, ValueError):
    """An address that events cannot be sent to."""


class OptionsError(_TerminalSafeError, ValueError):
    """Options that contradict each other."""
