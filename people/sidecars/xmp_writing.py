"""Put names into XMP and take them out again, leaving every byte of other programs as it is."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple
from xml.sax.saxutils import escape, quoteattr

from people.errors import XmpError
from people.sidecars.orientation import Box, stored_size, to_stored
from people.sidecars.regions import Region, clip, is_said, mark_of, mwg_items, read_names
from people.sidecars.schema import CONFIRMED, LISTS, OWN, PREFIXES, REGION_LIST, REGIONS, SUGGESTED, tag
from people.sidecars.xmp_tree import RDF, Node, fields, list_items, parse_xmp, properties, text_of

_NEW = (
    '<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?>\n'
    '<x:xmpmeta xmlns:x="adobe:ns:meta/" x:xmptk="Facetable">\n'
    f'<rdf:RDF xmlns:rdf="{RDF}">\n'
    "</rdf:RDF>\n</x:xmpmeta>\n"
    '<?xpacket end="w"?>\n'
).encode()
"""XMP that says nothing; its frame and the packet's number are those of Adobe's XMP Specification, part 1, 7.3."""

_NAMESPACES = " ".join(f"xmlns:{prefix}={quoteattr(uri)}" for prefix, uri in PREFIXES.items())
_ENCODING = re.compile(rb"<\?xml[^>]*encoding\s*=\s*[\"'](?!utf-8|us-ascii)", re.IGNORECASE)
_NOT_IN_XML = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")  # XML 1.0, section 2.2
_TAG_NAME = re.compile(rb"<([^\s/>]+)")


@dataclass(frozen=True)
class Wanted:
    """What is to be said of a photo.

    Attributes
    ----------
    regions : tuple of Region
    size : tuple of 2 int
        Width and height of the upright picture in pixels.
    orientation : int
        EXIF orientation of the picture.
    lists : mapping
        Items for each of `people.sidecars.schema.LISTS`.
    """

    regions: tuple[Region, ...]
    size: tuple[int, int]
    orientation: int
    lists: Mapping[str, Sequence[str]] = field(default_factory=dict)


class _Edit(NamedTuple):
    start: int
    end: int
    text: str


def merge(content: bytes | None, wanted: Wanted, name: str) -> bytes | None:
    """Return XMP in which what was written here before is replaced by what is wanted now.

    Parameters
    ----------
    content : bytes or None
        What is there; None for nothing.
    wanted : Wanted
    name : str
        Of the file, for messages.

    Returns
    -------
    bytes or None
        None where nothing is said, neither here nor by another program.

    Raises
    ------
    XmpError
        If the content cannot be read, or nothing can be added to it.
    """
    before = _NEW if content is None else take_out(content, name)
    after = _add(before, wanted, name)
    return None if after == _NEW else after


def take_out(content: bytes, name: str) -> bytes:
    """Return XMP without what was written here.

    Raises
    ------
    XmpError
        As `merge`.
    """
    root = parse_xmp(content, name)
    own_items = _own_items(root)
    gone: list[Node] = []
    by_description: dict[int, list[Node]] = {}
    for description, property_ in properties(root):
        by_description.setdefault(id(description), []).append(property_)
        if by_description[id(description)] == [property_] and _is_own(description, own_items):
            gone.append(description)
        elif description not in gone:
            gone += _own_parts(property_, own_items)
    return _apply(content, [_Edit(_before_space(content, node.start), node.end, "") for node in gone])


def _own_items(root: Node) -> dict[str, set[str]]:
    """Return which items of lists were written here, by the list's tag."""
    records = {record: tag(name) for name, record in LISTS.items()}
    own: dict[str, set[str]] = {}
    for _, property_ in properties(root):
        if property_.tag in records:
            items = list_items(property_)[1]
            own.setdefault(records[property_.tag], set()).update(text_of(item) for item in items)
    return own


def _is_own(description: Node, own_items: Mapping[str, set[str]]) -> bool:
    if set(description.attributes) - {f"{{{RDF}}}about"}:
        return False
    for child in description.children:
        items = [item for item, _ in mwg_items(child)] if child.tag == REGIONS else list_items(child)[1]
        own = _own_parts(child, own_items)
        if child not in own and (not items or len(own) < len(items)):
            return False
    return True


def _own_parts(property_: Node, own_items: Mapping[str, set[str]]) -> list[Node]:
    """Return what of a property was written here: all of it, or some items."""
    if property_.tag.startswith(f"{{{OWN}}}"):
        return [property_]
    if property_.tag == REGIONS:
        return [item for item, _ in mwg_items(property_) if mark_of(item)]
    own = own_items.get(property_.tag, set())
    return [item for item in list_items(property_)[1] if text_of(item) in own] if own else []


def _add(content: bytes, wanted: Wanted, name: str) -> bytes:
    root = parse_xmp(content, name)
    rdf = next((node for node in root.walk() if node.tag == f"{{{RDF}}}RDF"), None)
    if rdf is None:
        raise XmpError(f"{name}: expected XMP, found other XML (no rdf:RDF in it); move it away")
    there = {property_.tag: property_ for _, property_ in properties(root)}
    said = read_names(root, wanted.size, wanted.orientation).regions
    regions = [region for region in wanted.regions if not is_said(said, region.name, region.box)]
    edits: list[_Edit] = []
    own: list[str] = []
    if regions:
        items = "".join(_region_item(region, wanted.orientation) for region in regions)
        if REGIONS in there:
            edits.append(_into_regions(content, there[REGIONS], items, name))
        else:
            own.append(_regions_property(items, stored_size(wanted.size, wanted.orientation)))
    for property_, record in LISTS.items():
        found = there.get(tag(property_))
        old = [] if found is None else [text_of(item) for item in list_items(found)[1]]
        new = [text for text in dict.fromkeys(map(_sanitize, wanted.lists.get(property_, ()))) if text not in old]
        if new and found is not None:
            edits.append(_into_list(content, found, "".join(map(_item, new)), name))
        elif new:
            own.append(_list_property(property_, new))
        if new:
            own.append(_list_property(f"facetable:{record.rpartition('#')[2].removeprefix('}')}", new))
    if own:
        about = next((node.attributes.get(f"{{{RDF}}}about", "") for node in rdf.children), "")
        block = f"\n <rdf:Description rdf:about={quoteattr(about)} {_NAMESPACES}>{''.join(own)}\n </rdf:Description>"
        edits.append(_insert(content, rdf, block))
    return _apply(content, edits)


def _regions_property(items: str, size: tuple[int, int]) -> str:
    return (
        '\n  <mwg-rs:Regions rdf:parseType="Resource">\n   <mwg-rs:AppliedToDimensions rdf:parseType="Resource">'
        f"<stDim:w>{size[0]}</stDim:w><stDim:h>{size[1]}</stDim:h><stDim:unit>pixel</stDim:unit>"
        f"</mwg-rs:AppliedToDimensions>\n   <mwg-rs:RegionList><rdf:Bag>{items}\n   </rdf:Bag></mwg-rs:RegionList>"
        "\n  </mwg-rs:Regions>"
    )


def _region_item(region: Region, orientation: int) -> str:
    x_min, y_min, x_max, y_max = to_stored(_within(region.box), orientation)
    numbers = {"x": (x_min + x_max) / 2, "y": (y_min + y_max) / 2, "w": x_max - x_min, "h": y_max - y_min}
    area = "".join(f"<stArea:{name}>{value:.6f}</stArea:{name}>" for name, value in numbers.items())
    return (
        f'\n    <rdf:li {_NAMESPACES} rdf:parseType="Resource"><mwg-rs:Name>{escape(_sanitize(region.name))}'
        f'</mwg-rs:Name><mwg-rs:Type>Face</mwg-rs:Type><mwg-rs:Area rdf:parseType="Resource">{area}'
        '<stArea:unit>normalized</stArea:unit></mwg-rs:Area><mwg-rs:Extensions rdf:parseType="Resource">'
        f"<facetable:region>{SUGGESTED if region.is_suggested else CONFIRMED}</facetable:region>"
        "</mwg-rs:Extensions></rdf:li>"
    )


def _within(box: Box) -> Box:
    return clip(box) or box


def _list_property(name: str, items: Sequence[str]) -> str:
    return f"\n  <{name}><rdf:Bag>{''.join(map(_item, items))}</rdf:Bag></{name}>"


def _item(text: str) -> str:
    return f'<rdf:li xmlns:rdf="{RDF}">{escape(text)}</rdf:li>'


def _sanitize(text: str) -> str:
    return _NOT_IN_XML.sub("\ufffd", text)


def _into_regions(content: bytes, regions: Node, items: str, name: str) -> _Edit:
    found = fields(regions).get(REGION_LIST)
    if isinstance(found, Node):
        return _into_list(content, found, items, name)
    structure = next((child for child in regions.children if child.tag == f"{{{RDF}}}Description"), regions)
    if not structure.children:
        raise XmpError(f"{name}: expected a list of regions to add to, found none; make the sidecar anew")
    whole = f"\n<mwg-rs:RegionList {_NAMESPACES}><rdf:Bag>{items}</rdf:Bag></mwg-rs:RegionList>"
    return _insert(content, structure, whole)


def _into_list(content: bytes, property_: Node, items: str, name: str) -> _Edit:
    container = list_items(property_)[0]
    if container is None:
        local = property_.tag.rpartition("}")[2]
        raise XmpError(f"{name}: expected a list in {local} to add to, found none; make the sidecar anew")
    return _insert(content, container, items)


def _insert(content: bytes, node: Node, text: str) -> _Edit:
    """Return what puts `text` behind the last element within `node`."""
    if node.is_one_tag:
        match = _TAG_NAME.match(content, node.start)
        called = "" if match is None else match[1].decode("ascii", "replace")
        return _Edit(node.end - 2, node.end, f">{text}</{called}>")
    place = node.children[-1].end if node.children else node.content_start
    return _Edit(place, place, text)


def _before_space(content: bytes, place: int) -> int:
    return len(content[:place].rstrip(b" \t\r\n"))


def _apply(content: bytes, edits: Sequence[_Edit]) -> bytes:
    return b"".join(_pieces(content, sorted(edits)))


def _pieces(content: bytes, edits: Sequence[_Edit]) -> Iterator[bytes]:
    is_other_encoding = _ENCODING.match(content[:200]) is not None
    place = 0
    for start, end, text in edits:
        yield content[place:start]
        yield text.encode("ascii", "xmlcharrefreplace") if is_other_encoding else text.encode()
        place = end
    yield content[place:]
