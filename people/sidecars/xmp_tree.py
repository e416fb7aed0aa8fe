"""XMP as a tree whose elements know their bytes, so that a part of it can be replaced and the rest stays as it is."""

import codecs
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from xml.etree.ElementTree import ParseError

from defusedxml import DefusedXmlException
from defusedxml.ElementTree import DefusedXMLParser

from foundation.paths import display_path
from people.errors import XmpError

MAX_BYTES = 10_000_000
"""Largest XMP that is read; that of a photo with thousands of regions has one megabyte."""

MAX_DEPTH = 64
"""Deepest nesting that is read; regions lie in depth 9."""

MAX_ELEMENTS = 200_000
"""Most elements that are read, which take some 100 MB; a region has about ten."""

RDF = "http://www.w3.org/1999/02/22-rdf-syntax-ns#"


@dataclass(eq=False)
class Node:
    """An element.

    Attributes
    ----------
    tag : str
        ``{namespace}name``.
    attributes : dict
        By ``{namespace}name``.
    start, end : int
        Where its first and behind its last byte stand.
    content_start, content_end : int
        Likewise of what stands between its tags; both are `end` of an element that is one tag (``<a/>``).
    children : list of Node
    text : str
        All character data directly within it.
    """

    tag: str
    attributes: dict[str, str]
    start: int
    content_start: int = 0
    content_end: int = 0
    end: int = 0
    children: list["Node"] = field(default_factory=list)
    text: str = ""

    @property
    def is_one_tag(self) -> bool:
        """Whether it is written ``<a/>``."""
        return self.content_start == self.end

    def walk(self) -> Iterator["Node"]:
        """Yield this element and all within it."""
        yield self
        for child in self.children:
            yield from child.walk()

    def find(self, tag: str) -> "Node | None":
        """Return the first child of a tag."""
        return next((child for child in self.children if child.tag == tag), None)


class _Builder:
    """Build the tree while expat reads."""

    def __init__(self, content: bytes) -> None:
        self.root: Node | None = None
        self.expat: Any = None
        self._content = content
        self._open: list[Node] = []
        self._n_elements = 0

    def start(self, tag: str, attributes: dict[str, str]) -> None:
        if len(self._open) >= MAX_DEPTH:
            raise XmpError(f"expected elements nested at most {MAX_DEPTH} deep, found more")
        self._n_elements += 1
        if self._n_elements > MAX_ELEMENTS:
            raise XmpError(f"expected at most {MAX_ELEMENTS:,} elements, found more")
        node = Node(tag, dict(attributes), self.expat.CurrentByteIndex)
        node.content_start = _end_of_tag(self._content, node.start)
        if self._open:
            self._open[-1].children.append(node)
        else:
            self.root = node
        self._open.append(node)

    def end(self, _tag: str) -> None:
        node = self._open.pop()
        if self._content[node.content_start - 2 : node.content_start] == b"/>":
            node.content_end = node.end = node.content_start
        else:
            node.content_end = self.expat.CurrentByteIndex
            node.end = _end_of_tag(self._content, node.content_end)

    def data(self, text: str) -> None:
        if self._open:
            self._open[-1].text += text

    def close(self) -> Node | None:
        return self.root


def parse_xmp(content: bytes, name: str) -> Node:
    """Return the root of an XMP packet or sidecar.

    Parameters
    ----------
    content : bytes
        UTF-8, as nearly all programs write it.
    name : str
        Of the file, for messages.

    Raises
    ------
    XmpError
        If it is no XML, too large, too deep, or defines entities.
    """
    if len(content) > MAX_BYTES:
        raise XmpError(f"{name}: expected at most {MAX_BYTES:,} bytes of XMP, found {len(content):,}; leave it out")
    content = content.rstrip(b"\0 \r\n\t")  # what a packet in a photo is filled up with
    if content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        raise XmpError(f"{name}: expected XMP in UTF-8, found UTF-16; save it again as UTF-8")
    builder = _Builder(content)
    parser = DefusedXMLParser(target=builder, forbid_dtd=True)
    builder.expat = parser.parser
    try:
        parser.feed(content)
        root: Node | None = parser.close()
    except XmpError as error:
        raise XmpError(f"{name}: {error}; make the sidecar anew") from None
    except DefusedXmlException:
        raise XmpError(f"{name}: expected XMP, found definitions of entities, which XMP has none of") from None
    except (ParseError, ValueError, LookupError) as error:
        raise XmpError(f"{name}: expected XMP, found text that is no XML ({error}); make the sidecar anew") from error
    if root is None:
        raise XmpError(f"{name}: expected XMP, found nothing; make the sidecar anew")
    return root


def read_sidecar(path: Path) -> bytes:
    """Return the bytes of a sidecar, at most `MAX_BYTES`.

    Raises
    ------
    XmpError
        If there are more.
    OSError
        If it cannot be read.
    """
    with path.open("rb") as stream:
        content = stream.read(MAX_BYTES + 1)
    if len(content) > MAX_BYTES:
        raise XmpError(f"{display_path(path)}: expected at most {MAX_BYTES:,} bytes of XMP, found more; leave it out")
    return content


def properties(root: Node) -> Iterator[tuple[Node, Node]]:
    """Yield each property that is an element, with the description it stands in."""
    for rdf in root.walk():
        if rdf.tag == f"{{{RDF}}}RDF":
            for description in rdf.children:
                if description.tag == f"{{{RDF}}}Description":
                    for child in description.children:
                        yield description, child


def list_items(node: Node) -> tuple[Node | None, list[Node]]:
    """Return the list (bag, sequence or alternatives) in a property and its items; None without a list."""
    for child in node.children:
        if child.tag in (f"{{{RDF}}}Bag", f"{{{RDF}}}Seq", f"{{{RDF}}}Alt"):
            return child, [item for item in child.children if item.tag == f"{{{RDF}}}li"]
    return None, []


def fields(node: Node) -> dict[str, Node | str]:
    """Return the fields of a structure in each of the ways RDF writes it: elements, attributes, a description."""
    found: dict[str, Node | str] = {
        name: value for name, value in node.attributes.items() if not name.startswith(f"{{{RDF}}}")
    }
    for child in node.children:
        if child.tag == f"{{{RDF}}}Description":
            found.update(fields(child))
        else:
            found[child.tag] = child
    return found


def text_of(value: Node | str | None) -> str:
    """Return the text of a field, "" for none."""
    return "" if value is None else (value if isinstance(value, str) else value.text).strip()


def _end_of_tag(content: bytes, start: int) -> int:
    """Return where the tag ends that begins at `start`; a ``>`` within quotes is none of it."""
    quote = 0
    for place in range(start, len(content)):
        letter = content[place]
        if quote:
            quote = 0 if letter == quote else quote
        elif letter in b"\"'":
            quote = letter
        elif letter == ord(">"):
            return place + 1
    return len(content)
