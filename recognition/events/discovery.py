"""Home Assistant finds a camera by itself: what is published for MQTT discovery, and under which topics.

A camera is a device with an event entity, which tells who was seen, and an image entity, which shows the newest face.
See https://www.home-assistant.io/integrations/mqtt/#mqtt-discovery, and there the pages of the event and the image
integration.
"""

import hashlib
import json
import re
from typing import Any, NamedTuple

from foundation import __version__
from recognition.events.event import EVENT_KINDS, Event

PREFIX = "homeassistant"
"""First level of the topics under which Home Assistant looks for devices, unless it is told otherwise."""

ONLINE, OFFLINE = "online", "offline"

_N_LETTERS = 40
_N_DIGITS = 8


class Message(NamedTuple):
    """What is published: retained messages are kept by the broker for who subscribes later."""

    topic: str
    payload: str | bytes
    is_retained: bool = False


class Discovery:
    """The messages by which Home Assistant knows one camera.

    Parameters
    ----------
    source : str
        The source as events name it, without credentials; it tells cameras apart unless `name` does.
    name : str or None
        What the user calls the source.
    shows_faces : bool
        Whether there is an image entity.
    """

    def __init__(self, source: str, name: str | None = None, *, shows_faces: bool = True) -> None:
        self._name = source if name is None else name
        self.shows_faces = shows_faces
        # Topics take plain letters alone, and two names must not become one.
        plain = re.sub(r"[^A-Za-z0-9]+", "_", self._name).strip("_")[:_N_LETTERS].strip("_").lower()
        digest = hashlib.sha256(self._name.encode()).hexdigest()[:_N_DIGITS]
        self._id = f"{plain}_{digest}" if plain else digest

    def status(self, topic: str, state: str) -> Message:
        """Return the message that says `ONLINE` or `OFFLINE`; `topic` is that of the events."""
        return Message(f"{topic}/{self._id}/availability", state, is_retained=True)

    def announcements(self, topic: str) -> list[Message]:
        """Return the messages that describe the camera; Home Assistant reads them whenever it starts."""
        event: dict[str, Any] = {
            "name": "Faces",
            "state_topic": f"{topic}/{self._id}/event",
            "event_types": [kind for kind in EVENT_KINDS if kind != "face"],
            "icon": "mdi:face-recognition",
        }
        entities = {"event": event}
        if self.shows_faces:
            entities["image"] = {
                "name": "Newest face",
                "image_topic": f"{topic}/{self._id}/image",
                "content_type": "image/jpeg",
            }
        return [
            Message(
                f"{PREFIX}/{kind}/facetable_{self._id}/config",
                json.dumps({**entity, **self._shared(topic, kind)}, ensure_ascii=False),
                is_retained=True,
            )
            for kind, entity in entities.items()
        ]

    def event(self, topic: str, event: Event) -> Message:
        """Return an event as the event entity takes it: its kind under `event_type`, all else as attributes."""
        record = json.loads(event.to_json())
        return Message(
            f"{topic}/{self._id}/event", json.dumps({"event_type": record.pop("event"), **record}, ensure_ascii=False)
        )

    def picture(self, topic: str, jpeg: bytes) -> Message:
        """Return a picture for the image entity; it is not retained, so that no face stays with the broker."""
        return Message(f"{topic}/{self._id}/image", jpeg)

    def _shared(self, topic: str, kind: str) -> dict[str, Any]:
        return {
            "unique_id": f"facetable_{self._id}_{kind}",
            "availability_topic": self.status(topic, ONLINE).topic,
            "payload_available": ONLINE,
            "payload_not_available": OFFLINE,
            "device": {
                "identifiers": [f"facetable_{self._id}"],
                "name": self._name,
                "manufacturer": "Facetable",
                "model": "face recognition",
                "sw_version": __version__,
            },
            "origin": {"name": "Facetable", "sw_version": __version__},
        }
