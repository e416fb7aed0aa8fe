import json
import logging
import socket
import threading
import time
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from recognition.errors import AddressError
from recognition.events.delivery import DeliverySettings
from recognition.events.event import Event, make_event
from recognition.events.mqtt import MqttSink
from recognition.events.webhook import WebhookSink
from recognition.sources.retries import RetrySettings
from tests.recognition.mqtt_broker import Broker, wait_until
from tests.recognition.trickling_server import TricklingServer


def event(number: int = 0, kind: str = "identified", time_s: float | None = 1.0) -> Event:
    return make_event(
        kind,
        "camera",
        frame=number,
        time_s=time_s,
        track=1,
        box=(1, 2, 3, 4),
        identity="张伟",
        score=0.5,
        accepted=True,
    )


class Receiver:
    """An HTTP server that answers with the given codes in turn, then with 200, and keeps what was posted."""

    def __init__(self, *codes: int, port: int = 0) -> None:
        self.codes = list(codes)
        self.bodies: list[dict[str, Any]] = []
        self.headers: list[Any] = []
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                code = receiver.codes.pop(0) if receiver.codes else 200
                if code == 200:
                    receiver.bodies.append(json.loads(body))
                    receiver.headers.append(self.headers)
                self.send_response(code)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_: Any) -> None: ...

        self._server = ThreadingHTTPServer(("127.0.0.1", port), Handler)
        self.port: int = self._server.server_address[1]
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()

    def stop(self) -> None:
        self._server.shutdown()
        self._server.server_close()


SHORT_PAUSES = DeliverySettings(retries=RetrySettings(0.02, 0.05), close_timeout_s=1.0, closing_pause_s=0.02)


def webhook(url: str, **settings: Any) -> WebhookSink:
    return WebhookSink(url, replace(SHORT_PAUSES, **settings))


def test_events_are_posted_in_order() -> None:
    receiver = Receiver()
    sink = webhook(f"http://me:p%20w@127.0.0.1:{receiver.port}/hook")
    for number in range(5):
        sink.write(event(number))
    sink.close()
    receiver.stop()
    assert [body["frame"] for body in receiver.bodies] == [0, 1, 2, 3, 4]
    assert receiver.bodies[0] == json.loads(event().to_json())
    assert receiver.headers[0]["Content-Type"] == "application/json"
    assert receiver.headers[0]["Authorization"] == "Basic bWU6cCB3"


def test_what_fails_is_tried_again_and_told_once(caplog: pytest.LogCaptureFixture) -> None:
    receiver = Receiver(500, 503, 429)
    sink = webhook(f"http://127.0.0.1:{receiver.port}/hook?key=secret")
    with caplog.at_level(logging.WARNING):
        sink.write(event(1))
        sink.write(event(2))
        sink.close()
    receiver.stop()
    assert [body["frame"] for body in receiver.bodies] == [1, 2]
    assert caplog.messages == [f"http://127.0.0.1:{receiver.port}: cannot be reached (HTTP 500); trying again"]


def test_a_receiver_that_comes_late_gets_everything() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]
    sink = webhook(f"http://127.0.0.1:{port}/")
    sink.write(event(1))
    time.sleep(0.2)
    receiver = Receiver(port=port)
    wait_until(lambda: len(receiver.bodies) == 1)
    sink.close()
    receiver.stop()


@pytest.mark.parametrize(("code", "reason"), [(400, "Bad Request"), (301, "Moved Permanently")])
def test_a_refused_event_is_dropped_and_told(code: int, reason: str, caplog: pytest.LogCaptureFixture) -> None:
    receiver = Receiver(code)
    sink = webhook(f"http://127.0.0.1:{receiver.port}/")
    with caplog.at_level(logging.WARNING):
        sink.write(event(1))
        sink.write(event(2))
        sink.close()
    receiver.stop()
    assert [body["frame"] for body in receiver.bodies] == [2]
    assert f"refuses events (HTTP {code} {reason}); check the address" in caplog.text
    assert "1 events could not be delivered" in caplog.text


def test_what_a_receiver_says_cannot_move_the_cursor(caplog: pytest.LogCaptureFixture) -> None:
    with TricklingServer(b"HTTP/1.1 400 No\x1b[2J\r\n\r\n") as server:
        sink = webhook(server.url)
        sink.write(event(1))
        wait_until(lambda: len(caplog.messages) == 1)
        sink.close()
    assert "refuses events (HTTP 400 No [2J)" in caplog.messages[0]


def test_a_receiver_whose_answer_trickles_in_is_not_waited_for(caplog: pytest.LogCaptureFixture) -> None:
    with TricklingServer(b"HTTP/1.1 200 OK\r\nX-Long: ", b"x") as server:
        sink = webhook(server.url, timeout_s=0.2, close_timeout_s=0.2)
        sink.write(event(1))
        wait_until(lambda: len(caplog.messages) == 1, 1.0)
        sink.close()
    assert "cannot be reached (" in caplog.messages[0]


def test_only_so_many_wait_and_the_oldest_go(caplog: pytest.LogCaptureFixture) -> None:
    receiver = Receiver(*[500] * 400)
    sink = webhook(f"http://127.0.0.1:{receiver.port}/", max_pending=3)
    for number in range(10):
        sink.write(event(number))
    receiver.codes.clear()
    sink.close()
    receiver.stop()
    assert [body["frame"] for body in receiver.bodies][-2:] == [8, 9]
    assert len(receiver.bodies) <= 4
    assert "events could not be delivered" in caplog.text


def test_the_end_does_not_wait_for_ever(caplog: pytest.LogCaptureFixture) -> None:
    receiver = Receiver(*[500] * 1000)
    sink = webhook(f"http://127.0.0.1:{receiver.port}/", close_timeout_s=0.2)
    sink.write(event())
    started_s = time.monotonic()
    sink.close()
    receiver.stop()
    assert time.monotonic() - started_s < 10
    assert "1 events could not be delivered" in caplog.text


def test_a_receiver_that_is_back_at_the_end_gets_what_waits() -> None:
    receiver = Receiver(500)
    sink = webhook(f"http://127.0.0.1:{receiver.port}/", retries=RetrySettings(60.0, 60.0))
    sink.write(event(1))
    wait_until(lambda: not receiver.codes)
    sink.write(event(2))
    sink.close()
    receiver.stop()
    assert [body["frame"] for body in receiver.bodies] == [1, 2]


def test_faces_of_each_frame_are_not_sent_but_those_of_photos_are() -> None:
    receiver = Receiver()
    sink = webhook(f"http://127.0.0.1:{receiver.port}/")
    sink.write(event(1, "face"))
    sink.write(event(2, "face", None))
    sink.close()
    receiver.stop()
    assert [body["frame"] for body in receiver.bodies] == [2]


@pytest.mark.parametrize(
    "url",
    [
        "ftp://host/x",
        "host/x",
        "http:///x",
        "http://me:secret/@host/",
        "http://host/é",
        "http://host/x?token=my secret",
        "http://host..home/x",
        "http://me:secret@host:port/",
    ],
)
def test_what_is_no_webhook_is_refused(url: str) -> None:
    with pytest.raises(AddressError, match=r"`webhook` must be a URL like https://HOST/PATH") as caught:
        WebhookSink(url)
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize(
    "url",
    ["http://me:secret@host/x", "mqtt://host", "mqtt:///topic", "mqtt://host/a/+/b", "mqtt://me:secret@host:port/x"],
)
def test_what_is_no_broker_is_refused(url: str) -> None:
    with pytest.raises(AddressError, match=r"`mqtt` must be a URL like mqtt://HOST/TOPIC") as caught:
        MqttSink(url)
    assert "secret" not in str(caught.value)


class Subscriber:
    def __init__(self, port: int) -> None:
        import paho.mqtt.client as mqtt

        self.bodies: list[dict[str, Any]] = []
        self._client: Any = mqtt.Client(mqtt.CallbackAPIVersion.VERSION2)
        self._client.username_pw_set("me", "p w")
        self._client.on_message = lambda _client, _data, message: self.bodies.append(json.loads(message.payload))
        subscribed = threading.Event()
        self._client.on_subscribe = lambda *_: subscribed.set()
        self._client.on_connect = lambda client, *_: client.subscribe("door/faces", qos=1)
        self._client.connect("127.0.0.1", port)
        self._client.loop_start()
        assert subscribed.wait(10)

    def stop(self) -> None:
        self._client.disconnect()
        self._client.loop_stop()


def test_events_reach_a_real_broker(broker: Broker) -> None:
    broker.start()
    subscriber = Subscriber(broker.port)
    sink = MqttSink(f"mqtt://me:p%20w@127.0.0.1:{broker.port}/door/faces", SHORT_PAUSES)
    for number in range(5):
        sink.write(event(number))
    sink.write(event(9, "face"))
    sink.close()
    wait_until(lambda: len(subscriber.bodies) == 5)
    subscriber.stop()
    assert [body["frame"] for body in subscriber.bodies] == [0, 1, 2, 3, 4]
    assert subscriber.bodies[0] == json.loads(event().to_json())


def test_a_broker_that_comes_late_gets_everything(broker: Broker, caplog: pytest.LogCaptureFixture) -> None:
    settings = replace(SHORT_PAUSES, close_timeout_s=10.0)
    sink = MqttSink(f"mqtt://me:p%20w@127.0.0.1:{broker.port}/door/faces", settings)
    sink.write(event(1))
    wait_until(lambda: "cannot be reached; trying again" in caplog.text)
    broker.start()
    subscriber = Subscriber(broker.port)
    wait_until(lambda: len(subscriber.bodies) == 1)
    begun = time.monotonic()
    sink.close()
    subscriber.stop()
    # What waited for the connection is known to have arrived: nothing is waited for, nothing is called lost.
    assert time.monotonic() - begun < settings.close_timeout_s / 2
    assert "could not be delivered" not in caplog.text
    assert "secret" not in caplog.text


def test_a_wrong_password_is_told(broker: Broker, caplog: pytest.LogCaptureFixture) -> None:
    broker.start()
    url = f"mqtt://me:secret@127.0.0.1:{broker.port}/door/faces"
    sink = MqttSink(url, replace(SHORT_PAUSES, close_timeout_s=0.1))
    sink.write(event())
    wait_until(lambda: "refuses the connection" in caplog.text)
    sink.close()
    assert "1 events could not be delivered" in caplog.text
    assert "secret" not in caplog.text
