"""Which device a network runs on, and what happens where that device fails; ONNX Runtime's session is a stand-in."""

import logging
import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import onnxruntime
import pytest

from embedder.detection import mtcnn
from embedder.networks.face_embedder import FaceEmbedder
from embedder.runtime import session
from embedder.runtime.session import Network
from foundation.command_line import Command, run_command
from foundation.errors import InputError
from foundation.fingerprint import Fingerprint, setting_differences
from foundation.threads import DEVICE_VARIABLE, DEVICES, add_device_argument

CPU_PROVIDER, CUDA_PROVIDER = "CPUExecutionProvider", "CUDAExecutionProvider"
X = np.ones((2, 6, 6, 3), np.float32)

Install = Callable[..., list["StandIn"]]


class StandIn:
    """A session that runs on what it is told, except what is broken: it gives 1 on the processor, 2 elsewhere."""

    def __init__(self, path: str, *, providers: list[str], broken: str, runs: int) -> None:
        self._real = REAL(path, providers=[CPU_PROVIDER])
        self.asked, self._runs, self.n_runs = providers, runs, 0
        self._providers = providers if broken != "silently" else [CPU_PROVIDER]

    def get_providers(self) -> list[str]:
        return self._providers

    def get_inputs(self) -> list[Any]:
        return self._real.get_inputs()

    def run(self, names: None, feeds: dict[str, np.ndarray]) -> list[np.ndarray]:
        self.n_runs += 1
        if self._providers[0] != CPU_PROVIDER and self.n_runs > self._runs:
            raise RuntimeError("out of memory\non device 0")
        (x,) = feeds.values()
        return [np.full(len(x), 1.0 if self._providers[0] == CPU_PROVIDER else 2.0)]


REAL = onnxruntime.InferenceSession


@pytest.fixture
def install(monkeypatch: pytest.MonkeyPatch) -> Install:
    """Return what installs providers, broken in a certain way, and lists the sessions that were begun."""
    monkeypatch.setattr(session, "_reported", set())

    def install(*providers: str, broken: str = "", runs: int = 1000) -> list[StandIn]:
        begun: list[StandIn] = []

        def start(path: str, _options: Any, *, providers: list[str], enable_fallback: int) -> StandIn:
            assert enable_fallback == 0
            if broken == "at the start" and providers[0] != CPU_PROVIDER:
                raise RuntimeError("no such device")
            begun.append(StandIn(path, providers=providers, broken=broken, runs=runs))
            return begun[-1]

        monkeypatch.setattr(onnxruntime, "get_available_providers", lambda: [*providers, CPU_PROVIDER])
        monkeypatch.setattr(onnxruntime, "InferenceSession", start)
        return begun

    return install


@pytest.mark.parametrize(
    ("wanted", "installed", "device"),
    [
        (None, [CUDA_PROVIDER], "cpu"),
        ("", [CUDA_PROVIDER], "cpu"),
        ("cpu", [CUDA_PROVIDER], "cpu"),
        ("cuda", [CUDA_PROVIDER], "cuda"),
        ("auto", [], "cpu"),
        ("auto", ["OpenVINOExecutionProvider"], "openvino"),
        ("auto", ["OpenVINOExecutionProvider", CUDA_PROVIDER], "cuda"),
        ("auto", ["SomeNewExecutionProvider"], "cpu"),
        ("coreml", ["CoreMLExecutionProvider"], "coreml"),
    ],
)
def test_the_device_is_chosen_from_what_is_installed(wanted, installed, device, install, network, monkeypatch):
    monkeypatch.delenv(DEVICE_VARIABLE, raising=False)
    if wanted is not None:
        monkeypatch.setenv(DEVICE_VARIABLE, wanted)
    begun = install(*installed)
    made = Network(network)
    assert made.device == device
    assert made.run(X)[0].tolist() == [1.0 if device == "cpu" else 2.0] * 2
    assert begun[0].asked == list(dict.fromkeys([session._PROVIDERS[device], CPU_PROVIDER]))


def test_every_device_has_a_provider():
    assert set(DEVICES) - {"auto"} == session._PROVIDERS.keys()


def test_a_device_that_is_not_installed_is_refused_with_what_brings_it(install, network, monkeypatch):
    install("OpenVINOExecutionProvider")
    monkeypatch.setenv(DEVICE_VARIABLE, "cuda")
    with pytest.raises(InputError, match=r"cuda .* which is openvino, cpu; install onnxruntime-gpu in place of"):
        Network(network)
    monkeypatch.setenv(DEVICE_VARIABLE, "coreml")
    with pytest.raises(InputError, match="use it on a Mac, or choose --device cpu"):
        Network(network)


def test_an_unknown_device_in_the_environment_is_refused(network, monkeypatch):
    monkeypatch.setenv(DEVICE_VARIABLE, "gpu")
    with pytest.raises(InputError, match=r"FACETABLE_DEVICE must be one of auto, cpu, cuda, .* got 'gpu'"):
        Network(network)


@pytest.mark.parametrize(
    ("broken", "runs", "reason"),
    [
        ("at the start", 0, "no such device"),
        ("silently", 0, "ONNX Runtime could not load what it needs"),
        ("", 0, "out of memory on device 0"),
    ],
)
def test_a_device_that_fails_is_left_before_anybody_notes_it_and_said_once(
    broken, runs, reason, install, network, monkeypatch, caplog
):
    monkeypatch.setenv(DEVICE_VARIABLE, "cuda")
    install(CUDA_PROVIDER, broken=broken, runs=runs)
    with caplog.at_level(logging.WARNING):
        made = [Network(network), Network(network)]
    assert [one.device for one in made] == ["cpu", "cpu"]
    assert made[0].run(X)[0].tolist() == [1.0, 1.0]
    assert caplog.messages == [f"cuda cannot be used ({reason}); networks run on the processor instead"]


def test_a_device_that_fails_later_is_left_by_all_threads_at_once(install, network, monkeypatch, caplog):
    monkeypatch.setenv(DEVICE_VARIABLE, "auto")
    begun = install(CUDA_PROVIDER, runs=2)  # that of loading, and one more
    made = Network(network)
    assert made.device == "cuda" and made.run(X)[0].tolist() == [2.0, 2.0]
    with ThreadPoolExecutor(4) as pool:
        found = [result[0].tolist() for result in pool.map(made.run, [X] * 8)]
    assert found == [[1.0, 1.0]] * 8
    assert made.device == "cpu"
    assert len(begun) == 2
    assert len(caplog.messages) == 1


def test_what_fails_on_the_processor_stays_an_error(install, network, monkeypatch):
    monkeypatch.delenv(DEVICE_VARIABLE, raising=False)
    install()
    made = Network(network)

    def fail(*_: object) -> None:
        raise RuntimeError("broken")

    monkeypatch.setattr(made._session, "run", fail)
    with pytest.raises(RuntimeError, match="broken"):
        made.run(X)


def test_the_flag_reaches_networks_by_the_environment(install, network, monkeypatch):
    monkeypatch.setenv(DEVICE_VARIABLE, "cpu")  # and is taken back after the test
    install(CUDA_PROVIDER)
    seen = []
    command = Command("try", "Try.", add_device_argument, lambda _: seen.append(Network(network).device) or 0)
    assert run_command("try", command, ["--device", "cuda"]) == 0
    assert seen == ["cuda"] and os.environ[DEVICE_VARIABLE] == "cuda"


class OnDevice:
    """Stands in for a network that was loaded."""

    def __init__(self, device: str) -> None:
        self.device = device


def provenance_of(monkeypatch: pytest.MonkeyPatch, device: str) -> dict[str, Any]:
    monkeypatch.setattr(mtcnn, "load_stage", lambda _: OnDevice(device))
    embedder = FaceEmbedder.__new__(FaceEmbedder)
    embedder.preset, embedder.precision = type("Preset", (), {"name": "some"}), "fp32"
    embedder._network = OnDevice(device)  # type: ignore[assignment]
    return {**mtcnn.MTCNN(threads=1).provenance, **embedder.provenance}


def test_the_device_is_recorded_unless_it_is_the_processor_and_never_makes_tables_incompatible(monkeypatch):
    before, now = provenance_of(monkeypatch, "cpu"), provenance_of(monkeypatch, "cuda")
    assert "device" not in before and "detector_device" not in before
    assert now == {**before, "device": "cuda", "detector_device": "cuda"}
    assert setting_differences(Fingerprint({}, before), Fingerprint({}, now)) == []
