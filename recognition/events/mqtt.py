"""Events to an MQTT broker."""

import logging
import ssl
import time
from collections import deque
from typing import Any
from urllib.parse import unquote

from foundation.text import sanitize_for_terminal
from recognition.errors import AddressError
from recognition.events.event import Event
from recognition.events.webhook import _LONGEST_PAUSE_S, LAST_CHANCE_S, MAX_PENDING, _is_done, _is_sent, _split
from recognition.sources.source import redact_url

logger = logging.getLogger(__name__)


_MQTT_PORTS = {"mqtt": 1883, "mqtts": 8883}


class MqttSink:
    """Publishes each event as JSON to a topic of an MQTT broker, with quality of service 1.

    The client library connects again by itself and keeps what waits. Frame-by-frame `face` events of videos are not
    sent.

    Parameters
    ----------
    url : str
        ``mqtt://[USER:PASSWORD@]HOST[:PORT]/TOPIC``, or ``mqtts`` for TLS.

    Raises
    ------
    AddressError
        If it is no such URL.
    """

    def __init__(self, url: str) -> None:
        import paho.mqtt.client as mqtt

        example = "mqtt://HOST/TOPIC"
        parts = _split(url, "mqtt", schemes=tuple(_MQTT_PORTS), example=example)
        topic = unquote(parts.path.lstrip("/"))
        if not topic or set(topic) & set("#+"):
            raise AddressError(f"`mqtt` must be a URL like {example}, got {redact_url(url)!r}")
        self._name, self._topic = redact_url(url), topic
        self._client: Any = mqtt.Client(mqtt.CallbackAPIVersion.VERSION2)
        self._client.max_queued_messages_set(MAX_PENDING)
        self._client.reconnect_delay_set(1, round(_LONGEST_PAUSE_S))
        if parts.username is not None:
            self._client.username_pw_set(
                unquote(parts.username), None if parts.password is None else unquote(parts.password)
            )
        if parts.scheme.lower() == "mqtts":
            self._client.tls_set_context(ssl.create_default_context())
        self._client.on_connect = self._on_connect
        self._client.on_connect_fail = self._on_connect_fail
        self._client.on_disconnect = self._on_disconnect
        self._has_warned = False
        self._messages: deque[Any] = deque()
        self._n_dropped = 0
        port = parts.port if parts.port is not None else _MQTT_PORTS[parts.scheme.lower()]
        self._client.connect_async(str(parts.hostname), port)
        self._client.loop_start()

    def write(self, event: Event) -> None:
        """Publish one event."""
        if not _is_sent(event):
            return
        message = self._client.publish(self._topic, event.to_json(), qos=1)
        while self._messages and _is_done(self._messages[0]):
            self._messages.popleft()
        if message.rc in (0, 4):  # published, or kept until there is a connection
            self._messages.append(message)
        else:
            self._n_dropped += 1

    def close(self) -> None:
        """Wait a little for the last events, and say how many were not delivered."""
        until_s = time.monotonic() + LAST_CHANCE_S
        while time.monotonic() < until_s and not all(map(_is_done, self._messages)):
            time.sleep(0.02)
        n_lost = sum(not _is_done(message) for message in self._messages) + self._n_dropped
        self._client.disconnect()
        self._client.loop_stop()
        if n_lost:
            logger.warning("%s: %d events could not be delivered", self._name, n_lost)

    def _warn(self, reason: str) -> None:
        if not self._has_warned:
            self._has_warned = True
            logger.warning("%s: %s; trying again", self._name, sanitize_for_terminal(reason))

    def _on_connect(self, _client: Any, _data: Any, _flags: Any, reason: Any, _properties: Any) -> None:
        if reason.is_failure:
            self._warn(f"refuses the connection ({reason})")
        else:
            self._has_warned = False

    def _on_connect_fail(self, _client: Any, _data: Any) -> None:
        self._warn("cannot be reached")

    def _on_disconnect(self, _client: Any, _data: Any, _flags: Any, reason: Any, _properties: Any) -> None:
        if reason.is_failure:
            self._warn(f"lost the connection ({reason})")
