"""A stream gives the same pictures however its bytes arrive, and whatever stands between them."""

from hypothesis import given
from hypothesis import strategies as st

from recognition.sources.mjpeg import JpegSplitter
from tests.properties import FEW
from tests.recognition.sources.test_mjpeg import PICTURES

BETWEEN = st.binary(max_size=40).map(lambda junk: junk.replace(b"\xff", b"-"))


def fed(stream: bytes, cuts: list[int]) -> list[bytes]:
    splitter = JpegSplitter()
    ends = [*sorted(cut % (len(stream) + 1) for cut in cuts), len(stream)]
    starts = [0, *ends[:-1]]
    return [one for start, end in zip(starts, ends, strict=True) for one in splitter.feed(stream[start:end])]


CUTS = st.lists(st.integers(0, 2**20), max_size=30)


@FEW
@given(st.lists(st.tuples(BETWEEN, st.sampled_from(sorted(PICTURES))), max_size=5), BETWEEN, CUTS)
def test_any_pieces_of_a_stream_give_its_pictures(parts, end, cuts):
    stream = b"".join(between + PICTURES[name] for between, name in parts) + end
    assert fed(stream, cuts) == [PICTURES[name] for _, name in parts]


@FEW
@given(
    st.sampled_from(sorted(PICTURES)), st.lists(st.tuples(st.integers(0, 2**20), st.integers(0, 255)), max_size=6), CUTS
)
def test_any_pieces_of_a_damaged_stream_give_what_the_whole_gives(name, changes, cuts):
    stream = bytearray(PICTURES[name] + PICTURES["restarts"] + PICTURES[name])
    for place, value in changes:
        stream[place % len(stream)] = value
    assert fed(bytes(stream), cuts) == fed(bytes(stream), [])


@FEW
@given(
    st.lists(
        st.sampled_from([b"\xff", b"\xd8", b"\xff\xd8\xff", b"\xda", b"\xd9", b"\x00", b"\x02", b"a"]), max_size=60
    ),
    CUTS,
)
def test_any_pieces_of_markers_in_disorder_give_what_the_whole_gives(markers, cuts):
    stream = b"".join(markers)
    assert fed(stream, cuts) == fed(stream, [])
