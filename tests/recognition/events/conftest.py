import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.recognition.mqtt_broker import Broker, find_mosquitto


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[Broker]:
    if not find_mosquitto() or shutil.which("mosquitto_passwd") is None:
        pytest.skip("no MQTT broker; on Debian: apt install mosquitto")
    found = Broker(tmp_path)
    yield found
    found.stop()
