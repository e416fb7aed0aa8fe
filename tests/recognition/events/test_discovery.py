import json
import subprocess
import sys
import threading
from dataclasses import replace
from typing import Any

import pytest

from recognition.events.discovery import Discovery
from recognition.events.mqtt import MqttSink
from tests import PROJECT
from tests.recognition.events.test_webhook import SHORT_PAUSES, Subscriber, event
from tests.recognition.mqtt_broker import Broker, wait_until


class HomeAssistant:
    """Subscribes as Home Assistant's MQTT integration does: first to discovery, then to what that names."""

    def __init__(self, port: int) -> None:
        import paho.mqtt.client as mqtt

        self.configs: dict[str, dict[str, Any]] = {}
        self.received: list[tuple[str, bytes]] = []
        self._topics: set[str] = set()
        self._client: Any = mqtt.Client(mqtt.CallbackAPIVersion.VERSION2)
        self._client.username_pw_set("me", "p w")
        self._client.on_message = self._on_message
        subscribed = threading.Event()
        self._client.on_subscribe = lambda *_: subscribed.set()
        self._client.on_connect = lambda client, *_: client.subscribe("homeassistant/#", qos=1)
        self._client.connect("127.0.0.1", port)
        self._client.loop_start()
        assert subscribed.wait(10)

    def _on_message(self, client: Any, _data: Any, message: Any) -> None:
        if not message.topic.startswith("homeassistant/"):
            self.received.append((message.topic, message.payload))
            return
        config = json.loads(message.payload)
        self.configs[message.topic] = config
        for key in ("state_topic", "image_topic", "availability_topic"):
            if key in config and config[key] not in self._topics:
                self._topics.add(config[key])
                client.subscribe(config[key], qos=1)

    def payloads(self, key: str) -> list[bytes]:
        topics = {config[key] for config in self.configs.values() if key in config}
        return [payload for topic, payload in self.received if topic in topics]

    def stop(self) -> None:
        self._client.disconnect()
        self._client.loop_stop()


def discovered(broker: Broker, *, name: str | None = "Tür 1", shows_faces: bool = True) -> MqttSink:
    discovery = Discovery("rtsp://cam/live", name, shows_faces=shows_faces)
    return MqttSink(f"mqtt://me:p%20w@127.0.0.1:{broker.port}/door/faces", SHORT_PAUSES, discovery=discovery)


def test_home_assistant_finds_a_camera_by_itself(broker: Broker) -> None:
    broker.start()
    listener = Subscriber(broker.port)
    sink = discovered(broker)
    home = HomeAssistant(broker.port)
    wait_until(lambda: home.payloads("availability_topic") == [b"online"])
    wait_until(lambda: len(home.configs) == 2)
    sink.write(event(7))
    sink.write(event(8, "face"))
    sink.send_picture(b"\xff\xd8\xffjpeg")
    wait_until(lambda: len(home.payloads("image_topic")) == 1)
    wait_until(lambda: len(home.payloads("state_topic")) == 1)
    sink.close()
    wait_until(lambda: home.payloads("availability_topic") == [b"online", b"offline"])
    home.stop()
    listener.stop()
    (seen,) = (json.loads(payload) for payload in home.payloads("state_topic"))
    record = json.loads(event(7).to_json())
    assert seen == {"event_type": record.pop("event"), **record}
    assert home.payloads("image_topic") == [b"\xff\xd8\xffjpeg"]
    assert [body["frame"] for body in listener.bodies] == [7], "who listens to events alone hears what was heard before"
    by_kind = {topic.split("/")[1]: (topic, config) for topic, config in home.configs.items()}
    for kind, (topic, config) in by_kind.items():
        prefix, _, object_id, last = topic.split("/")
        assert (prefix, last) == ("homeassistant", "config")
        assert object_id.isascii()
        assert object_id.replace("_", "").isalnum()
        assert config["unique_id"] == f"{object_id}_{kind}"
        assert config["device"]["name"] == "Tür 1"
    assert seen["event_type"] in by_kind["event"][1]["event_types"] == ["started", "identified", "changed", "ended"]
    assert by_kind["image"][1]["content_type"] == "image/jpeg"


def test_home_assistant_that_comes_later_knows_the_camera_and_no_face(broker: Broker) -> None:
    broker.start()
    first = HomeAssistant(broker.port)
    sink = discovered(broker)
    wait_until(lambda: b"online" in first.payloads("availability_topic"))
    sink.write(event(7))
    sink.send_picture(b"\xff\xd8\xffjpeg")
    wait_until(lambda: len(first.payloads("image_topic")) == 1)
    second = HomeAssistant(broker.port)
    wait_until(lambda: second.payloads("availability_topic") == [b"online"])
    sink.close()
    wait_until(lambda: second.payloads("availability_topic") == [b"online", b"offline"])
    for home in (first, second):
        home.stop()
    assert second.configs == first.configs
    assert (second.payloads("image_topic"), second.payloads("state_topic")) == ([], [])


def test_a_camera_whose_program_is_killed_is_told_to_be_away(broker: Broker) -> None:
    broker.start()
    home = HomeAssistant(broker.port)
    code = (
        "import os, sys, time\n"
        "from recognition.events.discovery import Discovery\n"
        "from recognition.events.mqtt import MqttSink\n"
        "sink = MqttSink(sys.argv[1], discovery=Discovery('camera 0'))\n"
        "time.sleep(60)\n"
    )
    url = f"mqtt://me:p%20w@127.0.0.1:{broker.port}/door/faces"
    killed = subprocess.Popen([sys.executable, "-c", code, url], cwd=PROJECT)
    try:
        wait_until(lambda: home.payloads("availability_topic") == [b"online"])
    finally:
        killed.kill()
        killed.wait()
    wait_until(lambda: home.payloads("availability_topic") == [b"online", b"offline"])
    home.stop()


def test_a_camera_is_there_again_when_the_broker_is(broker: Broker) -> None:
    broker.start()
    sink = discovered(broker)
    home = HomeAssistant(broker.port)
    wait_until(lambda: home.payloads("availability_topic") == [b"online"])
    home.stop()
    broker.stop()
    wait_until(lambda: not sink._client.is_connected())
    sink.write(event(1))
    sink.send_picture(b"\xff\xd8\xffold")
    broker.start()
    home = HomeAssistant(broker.port)
    wait_until(lambda: home.payloads("availability_topic") == [b"online"])
    sink.write(event(2))
    wait_until(lambda: len(home.payloads("state_topic")) >= 1)
    sink.close()
    home.stop()
    assert [json.loads(payload)["frame"] for payload in home.payloads("state_topic")][-1] == 2
    assert home.payloads("image_topic") == [], "a picture of somebody who left long ago is not the newest face"


def test_only_so_many_events_wait_for_a_broker(broker: Broker, caplog: pytest.LogCaptureFixture) -> None:
    url = f"mqtt://me:p%20w@127.0.0.1:{broker.port}/door/faces"
    settings = replace(SHORT_PAUSES, max_pending=3, close_timeout_s=10.0)
    sink = MqttSink(url, settings, discovery=Discovery("camera 0"))
    for number in range(5):
        sink.write(event(number))
    wait_until(lambda: "cannot be reached" in caplog.text)
    broker.start()
    subscriber = Subscriber(broker.port)
    home = HomeAssistant(broker.port)
    wait_until(lambda: len(subscriber.bodies) == 3)
    wait_until(lambda: len(home.configs) == 2)
    sink.close()
    home.stop()
    subscriber.stop()
    assert [body["frame"] for body in subscriber.bodies] == [0, 1, 2]
    assert "2 events could not be delivered" in caplog.text


def test_cameras_of_other_names_are_other_devices() -> None:
    names = ["Tür", "Tor", "门", "窗", "a/b", "a b", "x" * 300, None]
    topics = [Discovery("camera 0", name).announcements("t")[0].topic for name in names]
    assert len(set(topics)) == len(names)
    assert max(map(len, topics)) < 120
    assert topics == [Discovery("camera 0", name).announcements("t")[0].topic for name in names]
    hidden = Discovery("camera 0", shows_faces=False).announcements("t")
    assert [message.topic.split("/")[1] for message in hidden] == ["event"]
