"""Regions in each of the ways RDF and MWG let them be written."""

import pytest

from people.sidecars.regions import read_names
from people.sidecars.xmp_tree import parse_xmp

SIZE = (400, 300)
FRAME = (
    "<rdf:RDF xmlns:rdf='http://www.w3.org/1999/02/22-rdf-syntax-ns#' xmlns:s='http://ns.adobe.com/xmp/sType/Area#' "
    "xmlns:m='http://www.metadataworkinggroup.com/schemas/regions/' xmlns:MP='http://ns.microsoft.com/photo/1.2/' "
    "xmlns:D='http://ns.adobe.com/xap/1.0/sType/Dimensions#' xmlns:I='http://ns.microsoft.com/photo/1.2/t/RegionInfo#' "
    "xmlns:R='http://ns.microsoft.com/photo/1.2/t/Region#'><rdf:Description>%s</rdf:Description></rdf:RDF>"
)
MWG = (
    FRAME % "<m:Regions>%s<m:RegionList><rdf:Bag><rdf:li m:Name='Anna'>%s</rdf:li></rdf:Bag></m:RegionList></m:Regions>"
)
MICROSOFT = FRAME % (
    "<MP:RegionInfo><I:Regions><rdf:Bag><rdf:li R:PersonDisplayName='Anna' R:Rectangle='%s'/></rdf:Bag></I:Regions>"
    "</MP:RegionInfo>"
)
APPLIED = "<m:AppliedToDimensions D:w='%d' D:h='%d' D:unit='pixel'/>"
AREA = "<m:Area s:x='0.25' s:y='0.5' s:w='0.1' s:h='0.2'/>"


def box_of(text: str, orientation: int = 1) -> tuple[float, ...] | None:
    size = SIZE if orientation < 5 else SIZE[::-1]
    found = read_names(parse_xmp(text.encode(), "a.xmp"), size, orientation)
    assert len(found.regions) + found.left_out["outside"] == 1
    return found.regions[0].box if found.regions else None


@pytest.mark.parametrize(
    ("area", "box"),
    [
        (AREA, (0.2, 0.4, 0.3, 0.6)),
        (AREA.replace("/>", " s:unit='normalized'/>"), (0.2, 0.4, 0.3, 0.6)),
        ("<m:Area s:x='100' s:y='150' s:w='40' s:h='60' s:unit='pixel'/>", (0.2, 0.4, 0.3, 0.6)),
        ("<m:Area s:x='25' s:y='50' s:w='10' s:h='20' s:unit='percent'/>", (0.2, 0.4, 0.3, 0.6)),
        ("<m:Area s:x='0.25' s:y='0.5' s:d='0.2'/>", (0.175, 0.4, 0.325, 0.6)),  # of the shorter side: 60 pixels
        ("<m:Area s:x='100' s:y='150' s:d='60' s:unit='pixel'/>", (0.175, 0.4, 0.325, 0.6)),
        ("<m:Area rdf:parseType='Resource'><s:x>0</s:x><s:y>.5</s:y><s:w>.5</s:w><s:h>.2</s:h></m:Area>",
         (0.0, 0.4, 0.25, 0.6)),
        ("<m:Area s:x='0.25' s:y='0.5'/>", None),
        ("<m:Area s:x='0.25' s:y='0.5' s:w='-1' s:h='1'/>", None),
        ("<m:Area s:x='1e999' s:y='0.5' s:w='1' s:h='1'/>", None),
        ("", None),
    ],
)  # fmt: skip
def test_areas_of_all_units_and_shapes(area, box):
    assert box_of(MWG % ("", area)) == (None if box is None else pytest.approx(box))


@pytest.mark.parametrize(
    ("applied", "orientation", "box"),
    [
        ("", 6, (0.4, 0.2, 0.6, 0.3)),  # x = 1 - y, y = x
        (APPLIED % (400, 300), 6, (0.4, 0.2, 0.6, 0.3)),
        (APPLIED % (4000, 3000), 8, (0.4, 0.7, 0.6, 0.8)),
        (APPLIED % (300, 400), 6, (0.2, 0.4, 0.3, 0.6)),  # of the picture as it is shown
        (APPLIED % (300, 400), 1, (0.2, 0.4, 0.3, 0.6)),
    ],
)
def test_places_are_of_the_stored_picture_unless_its_sides_say_otherwise(applied, orientation, box):
    assert box_of(MWG % (applied, AREA), orientation) == pytest.approx(box)


@pytest.mark.parametrize(
    ("rectangle", "box"),
    [
        ("0.2, 0.4, 0.1, 0.2", (0.2, 0.4, 0.3, 0.6)),
        ("0.2,0.4,0.1", None),
        ("0.2, 0.4, 0, 0.2", None),
        ("a, b, c, d", None),
        ("", None),
    ],
)
def test_rectangles_of_microsoft(rectangle, box):
    assert box_of(MICROSOFT % rectangle) == (None if box is None else pytest.approx(box))


def test_one_person_said_twice_is_one_region():
    both = MWG % ("", AREA)
    start, end = both.split("<rdf:Description>", 1)
    microsoft = (MICROSOFT % "0.21, 0.4, 0.1, 0.2").split("<rdf:Description>")[1].split("</rdf:Description>")[0]
    found = read_names(parse_xmp(f"{start}<rdf:Description>{microsoft}{end}".encode(), "a.xmp"), SIZE, 1)
    assert [region.name for region in found.regions] == ["Anna"]
