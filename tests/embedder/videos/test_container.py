"""The parser, on files written by OpenCV, by hand, and at random; files of FFmpeg: `test_video_formats`."""

import random
from pathlib import Path

import pytest

from embedder.videos.container import Container, read_container
from tests.recognition.sources.test_video_file import write_video


def box(kind: bytes, *parts: bytes) -> bytes:
    body = b"".join(parts)
    return (len(body) + 8).to_bytes(4) + kind + body


def track(handler: bytes, header: bytes) -> bytes:
    return box(b"trak", box(b"tkhd", header), box(b"mdia", box(b"hdlr", bytes(8) + handler + bytes(12))))


def header_of_track(ticks: int, *, version: int = 0) -> bytes:
    if version:
        return b"\1" + bytes(27) + ticks.to_bytes(8)
    return bytes(20) + ticks.to_bytes(4)


def movie(*tracks: bytes) -> bytes:
    header = bytes(12) + (600).to_bytes(4) + (99_999).to_bytes(4)
    return box(b"ftyp", b"isom") + box(b"mdat", bytes(40)) + box(b"moov", box(b"mvhd", header), *tracks)


def read(folder: Path, content: bytes) -> Container:
    (folder / "a").write_bytes(content)
    return read_container(folder / "a")


@pytest.mark.parametrize("version", [0, 1])
def test_the_picture_of_a_movie_lasts_as_long_as_its_track(tmp_path: Path, version: int) -> None:
    sound = track(b"soun", header_of_track(6000))
    picture = track(b"vide", header_of_track(1500, version=version))
    assert read(tmp_path, movie(sound, picture)) == Container(True, True, 2.5, counts_frames=True)
    assert read(tmp_path, movie(sound)) == Container(False, True, None, counts_frames=True)


def test_an_unknown_length_is_none(tmp_path: Path) -> None:
    for version, unknown in ((0, 0), (0, 2**32 - 1), (1, 2**64 - 1)):
        picture = track(b"vide", header_of_track(unknown, version=version))
        assert read(tmp_path, movie(picture)).picture_s is None


def test_boxes_with_a_long_size_are_passed_over(tmp_path: Path) -> None:
    whole = movie(track(b"vide", header_of_track(1500)))
    long = (1).to_bytes(4) + b"mdat" + (16 + 5).to_bytes(8) + bytes(5)
    assert read(tmp_path, whole[:12] + long + whole[12:]).picture_s == 2.5


def test_matroska_states_the_length_of_each_track(tmp_path: Path) -> None:
    path = write_video(tmp_path / "a.mkv", 30)
    assert read_container(path) == Container(True, False, 1.5)
    live = path.read_bytes()
    at = live.index(b"\x18\x53\x80\x67") + 4  # the size of the segment, which a live stream does not know
    assert read(tmp_path, live[:at] + b"\x01" + b"\xff" * 7 + live[at + 8 :]) == Container(True, False, 1.5)
    assert read(tmp_path, live.replace(b"DURATION", b"DURATIUM")) == Container(True, False, None)
    assert read(tmp_path, live.replace(b"00:00:01", b"00:OO:01")) == Container(True, False, None)


@pytest.mark.parametrize(
    "head", [b"\0\0\1\xba", b"\0\0\1\xb3", b"G" + bytes(187) + b"G", bytes(4) + b"G" + bytes(191) + b"G"]
)
def test_streams_state_nothing(tmp_path: Path, head: bytes) -> None:
    assert read(tmp_path, head + bytes(400)) == Container(is_stream=True)


@pytest.mark.parametrize("content", [b"", b"x", b"RIFF" + bytes(100), b"hello, this is text" * 20])
def test_what_is_none_of_these_says_nothing(tmp_path: Path, content: bytes) -> None:
    assert read(tmp_path, content) == Container()


def test_damaged_files_end_in_an_answer(tmp_path: Path) -> None:
    rng = random.Random(7)
    wholes = [
        movie(track(b"vide", header_of_track(1500)), track(b"soun", header_of_track(9))),
        write_video(tmp_path / "a.mkv", 3).read_bytes()[:3000],
    ]
    for number in range(300):
        damaged = bytearray(wholes[number % 2])
        for _ in range(rng.randint(1, 12)):
            damaged[rng.randrange(len(damaged))] = rng.choice((0, 1, 0x7F, 0xFF, rng.randrange(256)))
        found = read(tmp_path, bytes(damaged[: rng.randint(1, len(damaged))]))
        assert found.picture_s is None or found.picture_s > 0
