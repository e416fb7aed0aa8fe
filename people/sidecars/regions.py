"""Regions of a picture in XMP: who is where, as the Metadata Working Group and Microsoft write it."""

import math
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np

from classifiers.scores.same_faces import overlaps
from foundation.text import normalize_name
from people.sidecars.orientation import Box, stored_size, to_upright
from people.sidecars.schema import (
    AREA,
    DIMENSIONS,
    LISTS,
    MARK,
    MICROSOFT,
    MICROSOFT_INFO,
    MICROSOFT_REGION,
    MWG,
    PEOPLE_TAG,
    REGION_LIST,
    REGIONS,
    SUGGESTED,
    TAGS_LIST,
    tag,
)
from people.sidecars.xmp_tree import Node, fields, list_items, properties, text_of
from people.store.overlap import LEAST_OVERLAP


@dataclass(frozen=True)
class Region:
    """A named face.

    Attributes
    ----------
    name : str
    box : tuple of 4 float
        In fractions of the upright picture.
    is_suggested : bool
        It was written here and nobody has confirmed the name.
    """

    name: str
    box: Box
    is_suggested: bool = False


@dataclass
class FoundNames:
    """What XMP says of the people on a photo.

    Attributes
    ----------
    regions : list of Region
        Each name and place once.
    tags : list of str
        Names without a place, of digiKam's tags; not those written here, whose places are known.
    left_out : collections.Counter
        How many regions are ``unnamed``, ``no person`` (pets, bar codes, what was focused on) or ``outside`` of the
        picture or without an area.
    """

    regions: list[Region] = field(default_factory=list)
    tags: list[str] = field(default_factory=list)
    left_out: Counter[str] = field(default_factory=Counter)

    def add(self, name: str, box: Box | None, *, is_person: bool = True, is_suggested: bool = False) -> None:
        """Take a region, or count why it is left out."""
        name = normalize_name(name)
        if not is_person:
            self.left_out["no person"] += 1
        elif not name:
            self.left_out["unnamed"] += 1
        elif box is None:
            self.left_out["outside"] += 1
        elif not is_said(self.regions, name, box):
            self.regions.append(Region(name, box, is_suggested))


def is_said(regions: Sequence[Region], name: str, box: Box) -> bool:
    """Return whether one of the regions says that somebody of this name is there."""
    return any(region.name == name and overlap(region.box, box) >= LEAST_OVERLAP for region in regions)


def overlap(box: Box, other: Box) -> float:
    """Return the intersection over union of two boxes.

    >>> overlap((0.0, 0.0, 0.5, 0.5), (0.0, 0.0, 0.5, 1.0))
    0.5
    """
    return float(overlaps(np.array([box]), np.array([other]))[0])


def read_names(root: Node, size: tuple[int, int], orientation: int) -> FoundNames:
    """Return whom XMP names.

    Parameters
    ----------
    root : Node
    size : tuple of 2 int
        Width and height of the upright picture in pixels.
    orientation : int
        EXIF orientation of the picture.
    """
    found = FoundNames()
    own_tags: set[str] = set()
    for _, property_ in properties(root):
        if property_.tag == REGIONS:
            _read_mwg(property_, found, size=size, orientation=orientation)
        elif property_.tag == f"{{{MICROSOFT}}}RegionInfo":
            _read_microsoft(property_, found, orientation)
        elif property_.tag == tag(TAGS_LIST):
            texts = (normalize_name(text_of(item)) for item in list_items(property_)[1])
            names = dict.fromkeys(text.removeprefix(PEOPLE_TAG) for text in texts if text.startswith(PEOPLE_TAG))
            found.tags += [name for name in names if name]
        elif property_.tag == LISTS[TAGS_LIST]:
            own_tags.update(text_of(item).removeprefix(PEOPLE_TAG) for item in list_items(property_)[1])
    found.tags = [name for name in found.tags if name not in own_tags]
    return found


def mwg_items(property_: Node) -> Iterator[tuple[Node, dict[str, Node | str]]]:
    """Yield each region of ``mwg-rs:Regions``, its list's item and its fields."""
    regions = fields(property_).get(REGION_LIST)
    if isinstance(regions, Node):
        for item in list_items(regions)[1]:
            yield item, fields(item)


def mark_of(item: Node) -> str:
    """Return what a region that was written here is marked with, `CONFIRMED` or `SUGGESTED`; "" for all others."""
    for node in item.walk():
        if node.tag == MARK or MARK in node.attributes:
            return node.attributes.get(MARK) or text_of(node)
    return ""


def _read_mwg(property_: Node, found: FoundNames, *, size: tuple[int, int], orientation: int) -> None:
    applied = fields(property_).get(f"{{{MWG}}}AppliedToDimensions")
    applied_size = _sides(applied, DIMENSIONS, "wh") if isinstance(applied, Node) else None
    stored = stored_size(size, orientation)
    is_upright = (
        applied_size is not None
        and stored != size
        and (applied_size[0] > applied_size[1]) == (size[0] > size[1])
        and size[0] != size[1]
    )  # some programs give places in the picture as they show it, and say so by its width and height
    for item, values in mwg_items(property_):
        kind = text_of(values.get(f"{{{MWG}}}Type"))
        area = values.get(f"{{{MWG}}}Area")
        box = _area(area, size if is_upright else stored, applied_size) if isinstance(area, Node) else None
        if box is not None and not is_upright:
            box = to_upright(box, orientation)
        found.add(
            text_of(values.get(f"{{{MWG}}}Name")),
            box,
            is_person=kind in ("", "Face"),
            is_suggested=mark_of(item) == SUGGESTED,
        )


def _area(area: Node, size: tuple[int, int], applied: Sequence[float] | None) -> Box | None:
    """Return the box of an ``stArea`` structure, cut at the picture's edges; None where there is none in it."""
    values = fields(area)
    centre, sides = _sides(area, AREA, "xy"), _sides(area, AREA, "wh")
    unit = text_of(values.get(f"{{{AREA}}}unit")) or "normalized"
    if sides is None:
        diameter = _number(text_of(values.get(f"{{{AREA}}}d")))  # of a circle, in the picture's shorter side
        sides = [diameter, diameter] if unit == "pixel" else [diameter * min(size) / side for side in size]
    if centre is None:
        return None
    scale = {"normalized": (1.0, 1.0), "percent": (100.0, 100.0), "pixel": applied or size}.get(unit)
    if scale is None:
        return None
    (x, y), (width, height) = (
        [value / length for value, length in zip(pair, scale, strict=True)] for pair in (centre, sides)
    )
    return clip((x - width / 2, y - height / 2, x + width / 2, y + height / 2))


def _read_microsoft(property_: Node, found: FoundNames, orientation: int) -> None:
    regions = fields(property_).get(f"{{{MICROSOFT_INFO}}}Regions")
    for item in list_items(regions)[1] if isinstance(regions, Node) else []:
        values = fields(item)
        numbers = [_number(part) for part in text_of(values.get(f"{{{MICROSOFT_REGION}}}Rectangle")).split(",")]
        box = None
        if len(numbers) == 4:
            box = clip((numbers[0], numbers[1], numbers[0] + numbers[2], numbers[1] + numbers[3]))
        name = text_of(values.get(f"{{{MICROSOFT_REGION}}}PersonDisplayName"))
        found.add(name, None if box is None else to_upright(box, orientation))


def clip(box: Box) -> Box | None:
    """Return the part of a box within the picture; None if it has none, or its centre lies outside.

    >>> clip((-0.125, 0.0, 0.25, 0.5)), clip((0.9, 0.0, 1.5, 0.5)), clip((0.5, 0.5, 0.5, 0.9))
    ((0.0, 0.0, 0.25, 0.5), None, None)
    """
    x_min, y_min, x_max, y_max = box
    centre = ((x_min + x_max) / 2, (y_min + y_max) / 2)
    if not all(math.isfinite(side) for side in box) or not all(0 <= place <= 1 for place in centre):
        return None
    clipped = max(x_min, 0.0), max(y_min, 0.0), min(x_max, 1.0), min(y_max, 1.0)
    return clipped if clipped[0] < clipped[2] and clipped[1] < clipped[3] else None


def _sides(node: Node, namespace: str, names: str) -> list[float] | None:
    """Return two numbers of a structure, each above nothing where they are lengths; None if one is none."""
    values = fields(node)
    numbers = [_number(text_of(values.get(f"{{{namespace}}}{name}"))) for name in names]
    is_length = names == "wh"
    return numbers if all(math.isfinite(n) and (n > 0 or not is_length) for n in numbers) else None


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return math.nan
