import io
import time

import numpy as np
import pytest
from PIL import Image

from recognition.errors import SourceError
from recognition.sources.mjpeg import JpegSplitter
from tests.recognition.fakes import ANN, image_with
from tests.recognition.mjpeg_server import encode


def jpeg(**options: object) -> bytes:
    stream = io.BytesIO()
    Image.fromarray(image_with((ANN, (20, 30, 60, 70)))).save(stream, "JPEG", **options)  # type: ignore[arg-type]
    return stream.getvalue()


def with_thumbnail() -> bytes:
    exif = Image.Exif()
    exif[0x010E] = "description"
    return jpeg(exif=b"Exif\0\0" + exif.tobytes()[6:] + encode(np.zeros((16, 16, 3), np.uint8)))


PICTURES = {
    "baseline": jpeg(),
    "progressive": jpeg(progressive=True),
    "restarts": jpeg(restart_marker_blocks=3),
    "thumbnail": with_thumbnail(),
    "comment": jpeg(comment=b"\xff\xd8\xff\xd9"),
    "of OpenCV": encode(image_with()),
}


@pytest.mark.parametrize("size", [1, 7, 1000, 1_000_000])
def test_pictures_come_out_whole_whatever_the_pieces(size: int) -> None:
    stream = b"".join(PICTURES.values())
    splitter = JpegSplitter()
    found = [one for start in range(0, len(stream), size) for one in splitter.feed(stream[start : start + size])]
    assert found == list(PICTURES.values())


def test_a_large_picture_in_small_pieces_takes_no_longer_than_it_must() -> None:
    noise = np.random.default_rng(0).integers(0, 256, (2000, 2000, 3), dtype=np.uint8)
    large = encode(noise)
    splitter = JpegSplitter()
    started_s = time.process_time()
    found = [one for start in range(0, len(large), 4096) for one in splitter.feed(large[start : start + 4096])]
    assert found == [large]
    assert time.process_time() - started_s < 1.5, f"{len(large)} bytes"


def test_parts_of_a_multipart_stream() -> None:
    one = PICTURES["baseline"]
    part = b"\r\n--frame\r\nContent-Type: image/jpeg\r\nContent-Length: %d\r\n\r\n" % len(one) + one
    assert JpegSplitter().feed(part * 3) == [one] * 3


def test_a_torn_picture_is_passed_over() -> None:
    one = PICTURES["baseline"]
    splitter = JpegSplitter()
    # The rest of the torn picture's scan may swallow the start of the next one, never more.
    assert splitter.feed(one[:40] + one + one)[-1] == one
    assert JpegSplitter().feed(b"\xff\xd8\xff\x00\x00" + one) == [one]


def test_no_picture_no_answer() -> None:
    splitter = JpegSplitter()
    assert splitter.feed(b"") == []
    assert splitter.feed(b"text " * 100) == []
    assert len(splitter._bytes) < 10


def test_a_stream_that_never_ends_a_picture_is_given_up() -> None:
    start = PICTURES["baseline"]
    splitter = JpegSplitter(max_bytes=1000)
    with pytest.raises(SourceError, match="expected JPEG pictures, found none in 0 MB; send MJPEG"):
        splitter.feed(start[: start.index(b"\xff\xda") + 20] + b"\0" * 2000)
