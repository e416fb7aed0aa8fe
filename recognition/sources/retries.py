"""Exponential backoff between attempts to reach what does not answer."""

from dataclasses import dataclass


@dataclass(frozen=True)
class RetrySettings:
    """Pauses between attempts: each is twice as long as the one before.

    Attributes
    ----------
    min_pause_s : float
        The first pause, in seconds. Shorter is back sooner after a short outage and costs attempts in a long one.
    max_pause_s : float
        The longest pause, in seconds. It bounds how late the end of a long outage is noticed.

    Examples
    --------

    >>> retries = RetrySettings(0.5, 3.0)
    >>> retries.after(0.5), retries.after(2.0)
    (1.0, 3.0)
    """

    min_pause_s: float
    max_pause_s: float

    def after(self, pause_s: float) -> float:
        """Return the pause after one of `pause_s` seconds."""
        return min(2 * pause_s, self.max_pause_s)
