"""The names of XMP's properties that tell who is on a photo, and the marks of what was written here."""

from collections.abc import Mapping

from people.sidecars.xmp_tree import RDF

# Metadata Working Group, Guidelines for Handling Image Metadata 2.0; Microsoft, People Tagging Overview; IPTC Photo
# Metadata Standard; Dublin Core; digiKam's own namespace.
MWG = "http://www.metadataworkinggroup.com/schemas/regions/"
AREA = "http://ns.adobe.com/xmp/sType/Area#"
DIMENSIONS = "http://ns.adobe.com/xap/1.0/sType/Dimensions#"
MICROSOFT = "http://ns.microsoft.com/photo/1.2/"
MICROSOFT_INFO = "http://ns.microsoft.com/photo/1.2/t/RegionInfo#"
MICROSOFT_REGION = "http://ns.microsoft.com/photo/1.2/t/Region#"
IPTC = "http://iptc.org/std/Iptc4xmpExt/2008-02-29/"
DUBLIN_CORE = "http://purl.org/dc/elements/1.1/"
DIGIKAM = "http://www.digikam.org/ns/1.0/"
OWN = "urn:facetable:xmp:1#"
"""Marks what was written here, so that it can be told from what other programs wrote."""

PREFIXES = {
    "rdf": RDF,
    "mwg-rs": MWG,
    "stArea": AREA,
    "stDim": DIMENSIONS,
    "Iptc4xmpExt": IPTC,
    "dc": DUBLIN_CORE,
    "digiKam": DIGIKAM,
    "facetable": OWN,
}

REGIONS = f"{{{MWG}}}Regions"
REGION_LIST = f"{{{MWG}}}RegionList"
MARK = f"{{{OWN}}}region"
CONFIRMED, SUGGESTED = "confirmed", "suggested"

PERSON_IN_IMAGE = "Iptc4xmpExt:PersonInImage"
SUBJECT = "dc:subject"
TAGS_LIST = "digiKam:TagsList"
LISTS: Mapping[str, str] = {
    PERSON_IN_IMAGE: f"{{{OWN}}}personInImage",
    SUBJECT: f"{{{OWN}}}subject",
    TAGS_LIST: f"{{{OWN}}}tagsList",
}
"""Lists of names, and where it stands which of their items were written here."""

PEOPLE_TAG = "People/"
"""Begins the name of each person's tag in digiKam."""


def tag(name: str) -> str:
    """Return ``{namespace}name`` of a ``prefix:name``.

    >>> tag("dc:subject")
    '{http://purl.org/dc/elements/1.1/}subject'
    """
    prefix, _, local = name.partition(":")
    return f"{{{PREFIXES[prefix]}}}{local}"
