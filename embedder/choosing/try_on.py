"""Which way to prepare faces separates people best for a network: channel order, scaling, crop, mirrored copy.

All ways are tried on some faces. The best one and those that differ from it in one thing are measured on all faces; if
one of these is better, the search goes on from there. So the table tells for each thing what it is worth.
"""

import itertools
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from embedder.choosing.first_record import describe_cut, describe_pixels
from embedder.choosing.sample import FaceSample
from embedder.choosing.separation import Separation, SeparationMeter, share_better
from embedder.detection.alignment import CropRule
from embedder.networks.face_embedder import FaceEmbedder
from embedder.networks.preset import CHANNEL_ORDERS, Preset

PIXELS: tuple[dict[str, Any], ...] = (
    {"mean": 127.5, "scale": 128.0},
    {"mean": 127.5, "scale": 127.5},
    {"mean": 0.0, "scale": 255.0},
    {"mean": 0.0, "scale": 1.0},
    {"standardization": "per_image"},
    {"mean": (123.675, 116.28, 103.53), "scale": (58.395, 57.12, 57.375)},
)
"""How pixels may be scaled. The last is ImageNet's mean and deviation, red, green, blue, times 255."""

CUTS: tuple[dict[str, Any], ...] = (
    {"alignment": "five_points", "template": "arcface_112"},
    {"alignment": "five_points", "template": "arcface_128"},
    *({"alignment": "box", "margin": margin} for margin in (0.0, 16.0, 32.0, 64.0)),
)
"""How faces may be cut out."""

CLEARLY = 0.975
"""The share of redraws in which one way must be better than another to be clearly better."""

_FACES_OF_ALL = 48
"""Faces on which all ways are tried."""

_MOST_ROUNDS = 4


@dataclass(frozen=True)
class Way:
    """One way to prepare faces, and how well it separates people."""

    preset: Preset
    separation: Separation

    def to_json(self) -> dict[str, Any]:
        """Return it as what JSON can hold."""
        found = self.separation
        is_finite = bool(np.isfinite(found.value))
        return {
            "channel_order": self.preset.channel_order,
            "pixels": describe_pixels(self.preset),
            "crop": describe_cut(self.preset),
            "mirrored_copy": self.preset.mirrored_copy,
            "separation": found.value if is_finite else None,
            "interval": [found.low, found.high] if is_finite else None,
            "equal_error_rate": found.equal_error_rate if is_finite else None,
        }


@dataclass(frozen=True)
class TryOn:
    """What trying on has found.

    Attributes
    ----------
    best : Way
    others : list of Way
        Those that differ from the best in one thing, the best of them first.
    n_faces, n_people : int
        On how many all of these were measured.
    """

    best: Way
    others: list[Way]
    n_faces: int
    n_people: int

    @property
    def not_clearly_worse(self) -> list[Way]:
        """Return the others that may be as good as the best."""
        return [way for way in self.others if share_better(self.best.separation, way.separation) < CLEARLY]


def crop_rules(preset: Preset) -> list[CropRule]:
    """Return all ways in which faces are cut out for the network of `preset`."""
    return [replace(preset, **cut).crop_rule for cut in CUTS]


def try_on(embedder: FaceEmbedder, sample: FaceSample, *, on_tried: Callable[[], object] = lambda: None) -> TryOn:
    """Return the way to prepare faces that separates the people of `sample` best.

    A mirrored copy doubles length and time of a vector: it is chosen only where it is clearly better.

    Parameters
    ----------
    embedder : FaceEmbedder
        The network, with any preset.
    sample : FaceSample
        Cut out by `crop_rules`.
    on_tried : callable
        Called without arguments after each way that was tried.
    """
    few, everybody = _Tried(embedder, sample.some(_FACES_OF_ALL), on_tried), _Tried(embedder, sample, on_tried)
    ways = [_prepared(embedder.preset, *way) for way in itertools.product(CHANNEL_ORDERS, PIXELS, CUTS)]
    best = max(ways, key=lambda preset: few.measure(preset).value)
    for _ in range(_MOST_ROUNDS):
        near = [best, *_neighbours(best)]
        better = max(near, key=lambda preset: everybody.measure(preset).value)
        if better == best:
            break
        best = better
    mirrored = replace(best, mirrored_copy=True)
    plain, doubled = everybody.measure(best), everybody.measure(mirrored)
    others = [*_neighbours(best), mirrored]
    if share_better(doubled, plain) >= CLEARLY:
        others = [*_neighbours(best), best]
        best = mirrored
    rest = sorted((Way(other, everybody.measure(other)) for other in others), key=lambda way: -way.separation.value)
    return TryOn(Way(best, everybody.measure(best)), rest, len(sample), sample.n_people)


class _Tried:
    """Measures ways on the same faces, each once."""

    def __init__(self, embedder: FaceEmbedder, sample: FaceSample, on_tried: Callable[[], object]) -> None:
        self._embedder = embedder
        self._sample = sample
        self._meter = SeparationMeter(sample.people)
        self._on_tried = on_tried
        self._found: dict[Preset, Separation] = {}

    def measure(self, preset: Preset) -> Separation:
        """Return how well the people are separated with `preset`."""
        if preset not in self._found:
            with np.errstate(over="ignore", invalid="ignore"):
                vectors = self._embedder.prepared_as(preset).embed(self._sample.cut(preset.crop_rule))
            self._found[preset] = self._meter.measure(vectors)
            self._on_tried()
        return self._found[preset]


def _prepared(preset: Preset, channel_order: str, pixels: dict[str, Any], cut: dict[str, Any]) -> Preset:
    defaults = {name: getattr(Preset, name) for name in ("mean", "scale", "standardization", "margin", "template")}
    way = {**defaults, **pixels, **cut, "channel_order": channel_order, "mirrored_copy": False}
    if channel_order == "BGR":  # one number a channel, in the network's order
        way |= {name: way[name][::-1] for name in ("mean", "scale") if isinstance(way[name], tuple)}
    return replace(preset, **way)


def _neighbours(preset: Preset) -> list[Preset]:
    """Return the ways that differ from that of `preset` in channel order, pixels or crop."""
    pixels = next(way for way in PIXELS if _prepared(preset, preset.channel_order, way, _cut(preset)) == _plain(preset))
    changed = [
        *(_prepared(preset, order, pixels, _cut(preset)) for order in CHANNEL_ORDERS),
        *(_prepared(preset, preset.channel_order, way, _cut(preset)) for way in PIXELS),
        *(_prepared(preset, preset.channel_order, pixels, cut) for cut in CUTS),
    ]
    return [way for way in dict.fromkeys(changed) if way != _plain(preset)]


def _plain(preset: Preset) -> Preset:
    return replace(preset, mirrored_copy=False)


def _cut(preset: Preset) -> dict[str, Any]:
    return next(cut for cut in CUTS if all(getattr(preset, name) == value for name, value in cut.items()))
