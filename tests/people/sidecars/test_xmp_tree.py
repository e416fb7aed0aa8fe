"""XMP as a tree: bytes of elements, and text that is none."""

import pytest

from people.errors import XmpError
from people.sidecars.xmp_tree import MAX_BYTES, MAX_DEPTH, parse_xmp, read_sidecar

BOMB = b'<!DOCTYPE x [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">]><x>&b;</x>'


def test_elements_know_their_bytes():
    content = "\ufeff<a t='>'><!-- <b> --><ä k=\"/>\">ö</ä><c/>d</a>".encode()
    root = parse_xmp(content, "a.xmp")
    whole = [content[node.start : node.end].decode() for node in root.walk()]
    assert whole == ["<a t='>'><!-- <b> --><ä k=\"/>\">ö</ä><c/>d</a>", '<ä k="/>">ö</ä>', "<c/>"]
    assert [content[node.content_start : node.content_end].decode() for node in root.children] == ["ö", ""]
    assert (root.text, [node.is_one_tag for node in root.children]) == ("d", [False, True])


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (BOMB, "found definitions of entities"),
        (b'<!DOCTYPE x SYSTEM "file:///etc/passwd"><x/>', "found definitions of entities"),
        (b"<a>" * 100_000, f"nested at most {MAX_DEPTH} deep"),
        (b"<a>" + b"<b/>" * 200_000 + b"</a>", "expected at most 200,000 elements"),
        (b"<a>" + b" " * MAX_BYTES + b"</a>", "expected at most 10,000,000 bytes"),
        (b"", "text that is no XML"),
        (b"\0\0", "text that is no XML"),
        (b"<a><b></a>", "text that is no XML"),
        (b"\xff\xd8\xff\xe0", "text that is no XML"),
        (b'<?xml version="1.0" encoding="no-such"?><a/>', "text that is no XML"),
        ("\ufeff<a/>".encode("utf-16-le"), "found UTF-16"),
    ],
)
def test_what_is_no_xmp_is_one_line(content, message):
    with pytest.raises(XmpError) as caught:
        parse_xmp(content, "a.xmp")
    assert str(caught.value).startswith("a.xmp: expected ") or "a.xmp: expected elements" in str(caught.value)
    assert message in str(caught.value) and "\n" not in str(caught.value)


def test_of_a_huge_sidecar_no_more_is_read_than_allowed(tmp_path):
    with (tmp_path / "a.xmp").open("wb") as stream:
        stream.truncate(10**12)
    with pytest.raises(XmpError, match=r"a\.xmp: expected at most 10,000,000 bytes of XMP, found more"):
        read_sidecar(tmp_path / "a.xmp")
