"""Trying a network on faces: how they must be prepared is found out again."""

from dataclasses import replace
from typing import Any

import numpy as np

from embedder.choosing.sample import FaceSample
from embedder.choosing.try_on import crop_rules, try_on
from embedder.networks.joined import JoinedCropRule
from embedder.networks.preset import Preset

SIZE = 8
PRESET = Preset("net", "", "", "", input_size=SIZE, embedding_size=6)


class Picky:
    """Separates people only where faces are prepared in the one way it was made for."""

    def __init__(self, wanted: Preset, preset: Preset = PRESET) -> None:
        self.wanted = wanted
        self.preset = preset

    def prepared_as(self, preset: Preset) -> "Picky":
        return Picky(self.wanted, preset)

    def embed(self, crops: np.ndarray) -> np.ndarray:
        names = ("channel_order", "mean", "scale", "standardization", "alignment", "margin", "template")
        wrong = sum(getattr(self.preset, name) != getattr(self.wanted, name) for name in names)
        person = crops[:, 0, 0, 0].astype(int)
        noise = np.random.default_rng(1).standard_normal((len(crops), 12))
        raw = np.eye(12)[person] + 0.1 * (1 + 2 * wrong) * noise
        unit: np.ndarray = (raw / np.linalg.norm(raw, axis=1, keepdims=True)).astype(np.float32)
        return unit


def sample() -> FaceSample:
    people = np.repeat(np.arange(12), 3)
    rules = tuple(crop_rules(PRESET))
    crops = np.zeros((len(people), *JoinedCropRule(rules).shape), np.uint8)
    crops[...] = people[:, None, None, None]
    return FaceSample(people, rules, crops)


def find(wanted: Preset) -> Any:
    return try_on(Picky(wanted), sample())  # type: ignore[arg-type]


def test_it_finds_the_way_the_network_was_made_for() -> None:
    wanted = replace(PRESET, channel_order="BGR", mean=0.0, scale=255.0, alignment="box", margin=16.0)
    found = find(wanted)
    assert found.best.preset == wanted
    differing = [way.preset for way in found.others]
    assert replace(wanted, channel_order="RGB") in differing and replace(wanted, margin=32.0) in differing
    assert replace(wanted, mirrored_copy=True) in differing and len(differing) == len(set(differing)) == 12
    # The mirrored copy gives the same here, so it is not taken, and not said to be worse.
    assert [way.preset for way in found.not_clearly_worse] == [replace(wanted, mirrored_copy=True)]


def test_twice_is_the_same() -> None:
    wanted = replace(PRESET, standardization="per_image", alignment="five_points")
    one, two = find(wanted), find(wanted)
    assert one.best.preset == two.best.preset == wanted
    assert one.best.to_json() == two.best.to_json()
