"""Delivery of events to other programs: which events, to which addresses, and how long delivery is tried."""

from dataclasses import dataclass, field
from urllib.parse import SplitResult, urlsplit

from recognition.errors import AddressError
from recognition.events.event import Event
from recognition.sources.retries import RetrySettings
from recognition.sources.source import is_cut_password, redact_url


@dataclass(frozen=True)
class DeliverySettings:
    """How long delivery is tried, and how many events wait meanwhile.

    Attributes
    ----------
    max_pending : int
        Events that wait for a receiver that does not answer. More survive a longer outage and take memory, about 300
        bytes each; when there are more, the oldest of a webhook and the newest of MQTT are dropped.
    retries : RetrySettings
        Pauses between attempts.
    timeout_s : float
        Seconds an answer to a POST may take. Longer tolerates slow receivers; events behind it wait as long.
    close_timeout_s : float
        Seconds that the end of a run waits for delivery. Longer loses fewer events; the program ends later.
    closing_pause_s : float
        Seconds between two attempts at the end of a run, where there is no time for longer pauses.
    """

    max_pending: int = 1000
    retries: RetrySettings = field(default_factory=lambda: RetrySettings(0.5, 30.0))
    timeout_s: float = 5.0
    close_timeout_s: float = 5.0
    closing_pause_s: float = 0.5


def is_delivered(event: Event) -> bool:
    """Whether other programs get this event: all but the `face` events of each frame of a video or live source."""
    return event.event != "face" or event.time_s is None


def split_address(url: str, option: str, *, schemes: tuple[str, ...], example: str) -> SplitResult:
    """Return the parts of a receiver's URL.

    Parameters
    ----------
    url : str
    option : str
        The option it was given for, for the message.
    schemes : tuple of str
        Schemes that are allowed, in lower case.
    example : str
        A right URL, for the message.

    Raises
    ------
    AddressError
        If it is no such URL. The message does not say what is wrong, since that may be a part of its password.
    """
    try:
        parts = urlsplit(url)
        is_usable = parts.scheme.lower() in schemes and parts.hostname and parts.port != 0
        is_usable = is_usable and all("!" <= character <= "~" for character in url)
        str(parts.hostname).encode("idna")  # refuses what no name server can be asked for
    except ValueError:
        is_usable = False
    if not is_usable or is_cut_password(url):
        raise AddressError(
            f"`{option}` must be a URL like {example}, with % codes for special characters, got {redact_url(url)!r}"
        )
    return parts
