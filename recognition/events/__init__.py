"""Events and their sinks: the console, files, webhooks, MQTT.

In: faces, frames, tracks.
Out: one JSON object an event.
May import: foundation, recognition.sources.
"""

from typing import TYPE_CHECKING

from foundation import lazy_names

if TYPE_CHECKING:
    from recognition.events.event import Event

__all__ = ["Event"]

__getattr__, __dir__ = lazy_names(__name__, {"Event": "event"})
