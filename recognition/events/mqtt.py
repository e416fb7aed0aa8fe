"""MQTT: publish each event to a topic of a broker."""

import logging
import ssl
import threading
import time
from typing import Any
from urllib.parse import unquote

from foundation.text import sanitize_for_terminal
from recognition.errors import AddressError
from recognition.events.delivery import DeliverySettings, is_delivered, split_address
from recognition.events.discovery import OFFLINE, ONLINE, Discovery, Message
from recognition.events.event import Event
from recognition.sources.source import redact_url

logger = logging.getLogger(__name__)

_MQTT_PORTS = {"mqtt": 1883, "mqtts": 8883}
# Pauses of the client library are whole seconds.
_MIN_PAUSE_S = 1
_POLL_INTERVAL_S = 0.02


class MqttSink:
    """Publish each event as JSON to a topic of an MQTT broker, with quality of service 1.

    The client library connects again by itself and keeps pending events. Frame-by-frame `face` events are not sent.

    Parameters
    ----------
    url : str
        ``mqtt://[USER:PASSWORD@]HOST[:PORT]/TOPIC``, or ``mqtts`` for TLS.
    settings : DeliverySettings
    discovery : Discovery, optional
        Also publish what makes Home Assistant find the camera, know whether it is there, and show its newest face.

    Raises
    ------
    AddressError
        If it is no such URL.
    """

    def __init__(
        self,
        url: str,
        settings: DeliverySettings = DeliverySettings(),  # noqa: B008
        *,
        discovery: Discovery | None = None,
    ) -> None:
        import paho.mqtt.client as mqtt

        self._settings = settings
        example = "mqtt://HOST/TOPIC"
        parts = split_address(url, "mqtt", schemes=tuple(_MQTT_PORTS), example=example)
        topic = unquote(parts.path.lstrip("/"))
        if not topic or set(topic) & set("#+"):
            raise AddressError(f"`mqtt` must be a URL like {example}, got {redact_url(url)!r}")
        self._name, self._topic, self._discovery = redact_url(url), topic, discovery
        self._client: Any = mqtt.Client(mqtt.CallbackAPIVersion.VERSION2)
        # Without a limit of its own, lest it refuse what describes the camera while events wait.
        self._client.max_queued_messages_set(0)
        self._client.reconnect_delay_set(_MIN_PAUSE_S, max(_MIN_PAUSE_S, round(settings.retries.max_pause_s)))
        if parts.username is not None:
            self._client.username_pw_set(
                unquote(parts.username), None if parts.password is None else unquote(parts.password)
            )
        if parts.scheme.lower() == "mqtts":
            self._client.tls_set_context(ssl.create_default_context())
        if discovery is not None:
            # What the broker tells the others when this program or its network has gone without a word.
            will = discovery.status(topic, OFFLINE)
            self._client.will_set(will.topic, will.payload, qos=1, retain=will.is_retained)
        self._client.on_connect = self._on_connect
        self._client.on_connect_fail = self._on_connect_fail
        self._client.on_disconnect = self._on_disconnect
        self._client.on_publish = self._on_publish
        self._has_warned = False
        self._n_dropped = 0
        # Not the messages' own state: of one that waited for the connection it says for ever that it failed.
        self._n_waiting = 0
        self._lock = threading.Lock()
        port = parts.port if parts.port is not None else _MQTT_PORTS[parts.scheme.lower()]
        self._client.connect_async(str(parts.hostname), port)
        self._client.loop_start()

    def write(self, event: Event) -> None:
        """Publish an event."""
        if not is_delivered(event):
            return
        messages = [Message(self._topic, event.to_json())]
        if self._discovery is not None:
            messages.append(self._discovery.event(self._topic, event))
        if self._n_waiting + len(messages) > self._settings.max_pending * len(messages):
            self._n_dropped += 1
            return
        for message in messages:
            self._publish(message)

    def send_picture(self, jpeg: bytes) -> None:
        """Publish a picture of the newest face; without a connection or `discovery` it is left out."""
        if self._discovery is not None and self._client.is_connected():
            self._publish(self._discovery.picture(self._topic, jpeg))

    def close(self) -> None:
        """Wait up to `close_timeout_s` for the last events, and log how many were not delivered."""
        if self._discovery is not None and self._client.is_connected():
            self._publish(self._discovery.status(self._topic, OFFLINE))
        until_s = time.monotonic() + self._settings.close_timeout_s
        while time.monotonic() < until_s and self._n_waiting:
            time.sleep(_POLL_INTERVAL_S)
        n_lost = self._n_waiting + self._n_dropped
        self._client.disconnect()
        self._client.loop_stop()
        if n_lost:
            logger.warning("%s: %d events could not be delivered", self._name, n_lost)

    def _publish(self, message: Message) -> None:
        with self._lock:
            self._n_waiting += 1  # before it can be acknowledged
        sent = self._client.publish(message.topic, message.payload, qos=1, retain=message.is_retained)
        if sent.rc not in (0, 4):  # neither published, nor kept until there is a connection
            self._n_dropped += 1
            self._on_publish()

    def _warn(self, reason: str) -> None:
        if not self._has_warned:
            self._has_warned = True
            logger.warning("%s: %s; trying again", self._name, sanitize_for_terminal(reason))

    def _on_connect(self, _client: Any, _data: Any, _flags: Any, reason: Any, _properties: Any) -> None:
        if reason.is_failure:
            self._warn(f"refuses the connection ({reason})")
            return
        self._has_warned = False
        if self._discovery is not None:
            for message in self._discovery.announcements(self._topic):
                self._publish(message)
            self._publish(self._discovery.status(self._topic, ONLINE))

    def _on_connect_fail(self, _client: Any, _data: Any) -> None:
        self._warn("cannot be reached")

    def _on_publish(self, *_acknowledged: Any) -> None:
        with self._lock:
            self._n_waiting -= 1

    def _on_disconnect(self, _client: Any, _data: Any, _flags: Any, reason: Any, _properties: Any) -> None:
        if reason.is_failure:
            self._warn(f"lost the connection ({reason})")
