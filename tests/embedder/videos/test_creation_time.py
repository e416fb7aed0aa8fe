import json
import shutil
import struct
import subprocess
import time
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest

from embedder.videos.creation_time import read_creation_time

NOON = datetime(2023, 6, 5, 12, 0, tzinfo=UTC)
MAC_SECONDS = int((NOON - datetime(1904, 1, 1, tzinfo=UTC)).total_seconds())


def box(name: bytes, content: bytes, *, wide: bool = False, length: int | None = None) -> bytes:
    if wide:
        return struct.pack(">I4sQ", 1, name, len(content) + 16 if length is None else length) + content
    return struct.pack(">I4s", len(content) + 8 if length is None else length, name) + content


def movie_header(seconds: int, version: int = 0) -> bytes:
    packed = struct.pack(">IQQ" if version else ">III", version << 24, seconds, seconds)
    return box(b"mvhd", packed + bytes(80))


def apple_metadata(date: bytes) -> bytes:
    keys = [b"com.apple.quicktime.make", b"com.apple.quicktime.creationdate"]
    listed = struct.pack(">II", 0, len(keys)) + b"".join(box(b"mdta", key) for key in keys)
    values = [b"Apple", date]
    items = b"".join(
        box(struct.pack(">I", number + 1), box(b"data", struct.pack(">II", 1, 0) + value))
        for number, value in enumerate(values)
    )
    return box(b"meta", box(b"hdlr", bytes(24)) + box(b"keys", listed) + box(b"ilst", items))


def written(tmp_path: Path, content: bytes) -> Path:
    path = tmp_path / "clip"
    path.write_bytes(content)
    return path


HEAD = box(b"ftyp", b"isom\0\0\0\0")
MOVIE = box(b"moov", movie_header(MAC_SECONDS))
TWO_EAST = timezone(timedelta(hours=2))


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (HEAD + MOVIE, NOON),
        (HEAD + box(b"mdat", bytes(5000)) + MOVIE, NOON),
        (HEAD + box(b"mdat", bytes(5000), wide=True) + MOVIE, NOON),
        (MOVIE, NOON),
        (HEAD + box(b"moov", movie_header(MAC_SECONDS, version=1), length=0), NOON),
        (HEAD + box(b"moov", movie_header(int(NOON.timestamp()))), NOON),  # counted from 1970
        (HEAD + box(b"moov", movie_header(0)), None),
        (HEAD + box(b"moov", movie_header(2**64 - 1, version=1)), None),
        (HEAD + box(b"moov", movie_header(5, version=9)), None),
        (HEAD + box(b"moov", b""), None),
        (HEAD + box(b"mdat", bytes(50)), None),
        (
            HEAD + box(b"moov", movie_header(MAC_SECONDS) + apple_metadata(b"2023-06-05T13:59:58+0200")),
            datetime(2023, 6, 5, 13, 59, 58, tzinfo=TWO_EAST),
        ),
        (HEAD + box(b"moov", movie_header(MAC_SECONDS) + apple_metadata(b"2023-02-30T13:59:58+0200")), NOON),
        (HEAD + box(b"moov", movie_header(MAC_SECONDS) + apple_metadata(b"2023-06-05T13:59:58")), NOON),
        (
            HEAD
            + box(
                b"moov",
                movie_header(0) + box(b"udta", box(b"\xa9day", b"\0\x18\x15\xc7" + b"2023-06-05T13:59:58+0200")),
            ),
            datetime(2023, 6, 5, 13, 59, 58, tzinfo=TWO_EAST),
        ),
        (HEAD + box(b"moov", movie_header(MAC_SECONDS) + box(b"udta", box(b"\xa9day", b"\0\x04\x15\xc72023"))), NOON),
        (b"RIFF\0\0\0\0AVI LIST", None),
        (b"", None),
    ],
)
def test_boxes(tmp_path: Path, content: bytes, expected: datetime | None) -> None:
    found = read_creation_time(written(tmp_path, content))
    assert found == expected
    if expected is not None and found is not None:
        assert found.utcoffset() == expected.utcoffset()


def test_a_recording_that_was_cut_is_read_as_far_as_it_goes(tmp_path: Path) -> None:
    whole = HEAD + MOVIE + box(b"mdat", bytes(5000))
    assert read_creation_time(written(tmp_path, whole[:2000])) == NOON
    for n_bytes in range(len(HEAD + MOVIE)):
        assert read_creation_time(written(tmp_path, whole[:n_bytes])) is None


@pytest.mark.parametrize(
    "content",
    [
        HEAD + box(b"free", b"") * 1_000_000 + MOVIE,
        HEAD + box(b"moov", box(b"free", b"", length=8) * 200_000),
        HEAD + box(b"moov", b"", length=2**32 - 1) + bytes(100),
        HEAD + box(b"mdat", b"", wide=True, length=2**64 - 1) + bytes(100),
        HEAD + box(b"mdat", b"", wide=True, length=3) + bytes(100),
        HEAD + box(b"moov", box(b"meta", box(b"keys", box(b"mdta", b"") * 200_000) + box(b"ilst", b""))),
        b"\x1a\x45\xdf\xa3\x80" + b"\xec\x80" * 1_000_000,
        b"\x1a\x45\xdf\xa3\x80" + b"\x18\x53\x80\x67\x01\xff\xff\xff\xff\xff\xff\xff" + b"\xec\x80" * 1_000_000,
        b"\x1a\x45\xdf\xa3\x80" + b"\x18\x53\x80\x67\x80" + b"\x00" * 100,
        b"\x1a\x45\xdf\xa3",
    ],
)
def test_a_hostile_file_costs_nothing(tmp_path: Path, content: bytes) -> None:
    path = written(tmp_path, content)
    started_s = time.process_time()
    assert read_creation_time(path) is None
    assert time.process_time() - started_s < 2


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder of videos that FFmpeg has made, with and without a creation time."""
    if shutil.which("ffmpeg") is None or shutil.which("ffprobe") is None:
        pytest.skip("no ffmpeg; on Debian: apt install ffmpeg")
    folder = tmp_path_factory.mktemp("made")
    for name, options in {
        "a.mp4": [],
        "fast.mp4": ["-movflags", "+faststart"],
        "pieces.mp4": ["-movflags", "+frag_keyframe+empty_moov"],
        "apple.mov": [
            *("-movflags", "use_metadata_tags"),
            *("-metadata", "com.apple.quicktime.creationdate=2023-06-05T14:00:00+0200"),
        ],
        "day.mov": ["-metadata", "date=2023-06-05T14:00:00+0200"],
        "day.mp4": ["-metadata", "date=2023-06-05T14:00:00+0200"],
        "a.mkv": [],
        "a.webm": ["-c:v", "libvpx"],
        "a.avi": [],
        "without.mp4": ["-metadata", "creation_time="],
        "without.mkv": ["-metadata", "creation_time="],
    }.items():
        time_given = [] if name.startswith(("without", "day")) else ["-metadata", "creation_time=2023-06-05T12:00:00Z"]
        picture = ["-f", "lavfi", "-i", "testsrc=size=64x48:rate=5:duration=1"]
        command = ["ffmpeg", "-v", "error", *picture, *time_given, *options, str(folder / name)]
        subprocess.run(command, check=True, stdin=subprocess.DEVNULL)
    return folder


@pytest.mark.parametrize(
    "name", ["a.mp4", "fast.mp4", "pieces.mp4", "apple.mov", "day.mov", "day.mp4", "a.mkv", "a.webm"]
)
def test_videos_made_by_ffmpeg(made: Path, name: str) -> None:
    found = read_creation_time(made / name)
    assert found == NOON
    command = ["ffprobe", "-v", "error", "-show_entries", "format_tags", "-of", "json", str(made / name)]
    tags = json.loads(subprocess.run(command, check=True, capture_output=True).stdout)["format"]["tags"]
    told = {key.lower(): value for key, value in tags.items()}
    date = next(told[key] for key in ("com.apple.quicktime.creationdate", "date", "creation_time") if key in told)
    assert datetime.fromisoformat(date) == found, "as ffprobe reads it"


@pytest.mark.parametrize("name", ["without.mp4", "without.mkv", "a.avi"])
def test_videos_that_do_not_say(made: Path, name: str) -> None:
    assert read_creation_time(made / name) is None
