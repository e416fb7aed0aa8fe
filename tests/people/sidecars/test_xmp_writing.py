"""Own names are put in and taken out; the bytes of other programs stay."""

import re

import pytest

from people.errors import XmpError
from people.sidecars.regions import Region, read_names
from people.sidecars.schema import PERSON_IN_IMAGE, SUBJECT, TAGS_LIST
from people.sidecars.xmp_tree import parse_xmp
from people.sidecars.xmp_writing import Wanted, merge, take_out
from tests.people.sidecars.made import SIZE, exiftool, exiftool_regions, exiv2, exiv2_values, make_photo

ANNA = Region("Anna", (0.1, 0.2, 0.3, 0.5))
BOB = Region("Bob & <Söhne> 李", (0.5, 0.2, 0.7, 0.5))
LISTS = {PERSON_IN_IMAGE: ["Anna"], SUBJECT: ["Anna"], TAGS_LIST: ["People/Anna"]}

# Other prefixes than usual, comments, single quotes, a foreign region and keyword, an about that is not empty.
FOREIGN = """<?xpacket begin='\ufeff' id='W5M0MpCehiHzreSzNTczkc9d'?>
<x:xmpmeta xmlns:x='adobe:ns:meta/'><!-- > kept -->
 <r:RDF xmlns:r='http://www.w3.org/1999/02/22-rdf-syntax-ns#'
   xmlns:m='http://www.metadataworkinggroup.com/schemas/regions/' xmlns:s='http://ns.adobe.com/xmp/sType/Area#'
   xmlns:d='http://purl.org/dc/elements/1.1/'>
  <r:Description r:about='uuid:7' d:format='a/b>c'>
    <d:subject><r:Bag><r:li>Straße</r:li><r:li>Anna</r:li></r:Bag></d:subject>
    <m:Regions><r:Description><m:RegionList><r:Seq>
      <r:li><r:Description m:Name='Zoë' m:Type='Face'>
        <m:Area s:x='0.8' s:y='.8' s:w='.1' s:h='.1'/></r:Description></r:li>
    </r:Seq></m:RegionList></r:Description></m:Regions>
  </r:Description>
 </r:RDF>
</x:xmpmeta>\t
<?xpacket end='w'?>   """.encode()


def wanted(*regions: Region, **options) -> Wanted:
    return Wanted(regions, SIZE, 1, **options)


def names(content: bytes) -> list[str]:
    return [region.name for region in read_names(parse_xmp(content, "a.xmp"), SIZE, 1).regions]


def items(content: bytes, property_: str) -> list[str]:
    inner = re.search(rf"<\w+:{property_}>(.*?)</\w+:{property_}>", content.decode(), re.DOTALL)
    return [] if inner is None else re.findall(r"<\w+:li[^>]*>(.*?)</\w+:li>", inner[1])


def test_what_was_written_is_read_and_taken_out_again():
    made = merge(None, wanted(ANNA, BOB, lists=LISTS), "a.xmp")
    found = read_names(parse_xmp(made, "a.xmp"), SIZE, 1)
    assert [(region.name, region.is_suggested) for region in found.regions] == [("Anna", False), (BOB.name, False)]
    assert found.regions[0].box == pytest.approx(ANNA.box, abs=1e-6) and found.tags == []
    assert merge(made, wanted(ANNA, BOB, lists=LISTS), "a.xmp") == made
    assert names(merge(made, wanted(BOB), "a.xmp")) == [BOB.name]
    assert merge(made, wanted(), "a.xmp") is None


def test_the_bytes_of_other_programs_stay():
    made = merge(FOREIGN, wanted(ANNA, lists=LISTS), "a.xmp")
    assert names(made) == ["Zoë", "Anna"]
    place = 0
    for line in FOREIGN.splitlines():  # each line is there, in its order
        for part in (line.split(b"</r:Seq>")[0], line):
            if part in made[place:]:
                place = made.index(part, place)
                break
        else:
            pytest.fail(f"{line!r} is gone")
    assert b'<rdf:Description rdf:about="uuid:7"' in made
    # The keyword Anna was there before: it is not written twice, and not taken out again.
    assert items(made, "subject") == ["Straße", "Anna"]
    assert merge(made, wanted(ANNA, lists=LISTS), "a.xmp") == made
    assert take_out(made, "a.xmp") == FOREIGN == merge(made, wanted(), "a.xmp")


def test_what_another_program_says_already_is_not_said_twice():
    zoe = Region("Zoë", (0.755, 0.755, 0.85, 0.85))
    assert merge(FOREIGN, wanted(zoe), "a.xmp") == FOREIGN
    elsewhere = Region("Zoë", (0.1, 0.1, 0.2, 0.2))
    assert names(merge(FOREIGN, wanted(elsewhere), "a.xmp")) == ["Zoë", "Zoë"]


def test_names_fit_a_sidecar_of_another_encoding():
    content = b'<?xml version="1.0" encoding="ISO-8859-1"?>' + FOREIGN.split(b"?>\n", 1)[1].decode().encode("latin-1")
    made = merge(content, wanted(BOB), "a.xmp")
    assert names(made) == ["Zoë", BOB.name] and take_out(made, "a.xmp") == content


def test_empty_lists_are_filled():
    content = FOREIGN.replace(b"<r:Bag><r:li>Stra\xc3\x9fe</r:li><r:li>Anna</r:li></r:Bag>", b"<r:Bag />")
    made = merge(content, wanted(lists={SUBJECT: ["Anna"]}), "a.xmp")
    assert items(made, "subject") == ["Anna"]
    assert items(merge(made, wanted(), "a.xmp"), "subject") == []


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"<svg/>", "no rdf:RDF in it"),
        (FOREIGN.replace(b"<d:subject><r:Bag>", b"<d:subject>").replace(b"</r:Bag></d", b"</d"), "a list in subject"),
        (
            re.sub(rb"<m:Regions>.*</m:Regions>", b"<m:Regions/>", FOREIGN, flags=re.DOTALL),
            "expected a list of regions",
        ),
    ],
)
def test_what_cannot_be_added_to_is_refused(content, message):
    with pytest.raises(XmpError, match=message):
        merge(content, wanted(ANNA, lists={SUBJECT: ["New"]}), "a.xmp")


def test_characters_that_xml_cannot_hold_are_replaced():
    assert names(merge(None, wanted(Region("A\ufffeB", ANNA.box)), "a.xmp")) == ["A\ufffdB"]


def test_exiftool_and_exiv2_keep_our_marks_so_that_we_know_our_regions_again(tmp_path):
    sidecar = tmp_path / "a.jpg.xmp"
    make_photo(tmp_path / "a.jpg")
    exiftool("-q", "-o", sidecar, "-Title=Trip", "-Subject=Straße", tmp_path / "a.jpg")
    before = sidecar.read_bytes()
    sidecar.write_bytes(merge(before, wanted(ANNA, BOB, lists=LISTS), "a.xmp"))
    assert merge(sidecar.read_bytes(), wanted(), "a.xmp") == before
    exiftool("-q", "-overwrite_original", "-Rating=3", sidecar)  # writes everything anew
    exiv2("-M", "set Xmp.xmp.Label Red", sidecar)
    assert [region["Name"] for region in exiftool_regions(sidecar)] == ["Anna", BOB.name]
    after = merge(sidecar.read_bytes(), wanted(BOB), "a.xmp")
    assert names(after) == [BOB.name] and items(after, "subject") == ["Straße"]
    sidecar.write_bytes(after)
    values = exiv2_values(sidecar)
    assert (values["Xmp.xmp.Rating"], values["Xmp.xmp.Label"]) == ("3", "Red")
    assert values["Xmp.mwg-rs.Regions/mwg-rs:RegionList[1]/mwg-rs:Name"] == BOB.name
