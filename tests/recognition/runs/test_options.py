import argparse
from pathlib import Path

import pytest

from recognition.errors import OptionsError
from recognition.runs.options import Options, add_arguments, check_options, read_options
from recognition.sources.source import SourceKind


def parse(*argv: str) -> Options:
    parser = argparse.ArgumentParser(exit_on_error=False)
    add_arguments(parser)
    return read_options(parser.parse_args([*argv]))


@pytest.mark.parametrize("flag", [("--labels", "none"), ("--font", "a.ttf")])
def test_labels_and_font_need_a_picture(flag):
    options = parse("a.jpg", "--head", "h.skops", *flag)
    with pytest.raises(OptionsError, match=f"{flag[0]} is for pictures; say where they go, with --save or --show"):
        check_options(options, SourceKind.IMAGE)
    check_options(parse("a.jpg", "--head", "h.skops", "--save", "out/", *flag), SourceKind.IMAGE)


def test_a_device_is_refused_where_no_network_runs():
    options = parse("a.h5", "--head", "h.skops", "--device", "cpu")
    with pytest.raises(OptionsError, match="--device is for photos and videos; the faces of a table are found"):
        check_options(options, SourceKind.TABLE)
    check_options(options, SourceKind.IMAGE)


def test_defaults() -> None:
    assert parse("a.jpg", "--head", "h.skops") == Options(sources=("a.jpg",), head=Path("h.skops"))


def test_everything_said() -> None:
    options = parse(
        "0",
        "--head",
        "h",
        "--threshold",
        "0.6",
        "--save",
        "o.mp4",
        "--events",
        "-",
        "--show",
        "--detect-every",
        "5",
        "--thresholds",
        "0.5",
        "0.6",
        "0.7",
        "--min-face-size",
        "40",
    )
    assert (options.threshold, options.detect_every, options.thresholds, options.min_face_size) == (
        0.6,
        5,
        (0.5, 0.6, 0.7),
        40,
    )


@pytest.mark.parametrize(
    ("argv", "message"),
    [
        (["--threshold", "nan"], "expected a score such as 0.6, got 'nan'"),
        (["--threshold", "high"], "expected a score such as 0.6, got 'high'"),
        (["--detect-every", "0"], "expected a whole number of at least 1, got '0'"),
        (["--detect-every", "x"], "expected a whole number of at least 1, got 'x'"),
        (["--source-name", " - "], "expected a name such as door, got ' - '"),
        (["--min-face-size", "small"], "expected auto or a whole number of pixels, got 'small'"),
    ],
)
def test_nonsense_is_refused(argv: list[str], message: str) -> None:
    with pytest.raises(argparse.ArgumentError, match=message):
        parse("a.jpg", "--head", "h", *argv)


TABLE = [SourceKind.TABLE]
PHOTOS, VIDEO, LIVE = (
    [SourceKind.IMAGE, SourceKind.FOLDER, SourceKind.TABLE],
    [SourceKind.VIDEO],
    [SourceKind.CAMERA, SourceKind.STREAM, SourceKind.PIPE],
)


@pytest.mark.parametrize(
    ("argv", "kinds", "message"),
    [
        ("--detect-every 2", PHOTOS, "--detect-every is for videos and live sources"),
        ("--events-every-frame", PHOTOS, "--events-every-frame is for videos and live sources"),
        ("--save-unknown x", PHOTOS, "--save-unknown is for videos and live sources; to cut faces out of photos, run"),
        ("--headless", PHOTOS, "--headless is for videos and live sources"),
        ("--max-pixels 9", VIDEO + LIVE, "--max-pixels is for photos"),
        ("--second-detector centerface", PHOTOS, "--second-detector is for videos and live sources"),
        ("--upright exif", TABLE + VIDEO + LIVE, "--upright is for photos"),
        ("--budget-ms 9", PHOTOS + VIDEO, "--budget-ms is for live sources; for videos say --detect-every N"),
        ("--budget-ms 9 --detect-every 2", LIVE, "--budget-ms and --detect-every exclude each other"),
        ("--budget-ms 9 --anonymize --show", LIVE, "--budget-ms and --anonymize exclude each other"),
        ("--keep-days 9", PHOTOS + VIDEO + LIVE, "--keep-days is for the pictures of --save-unknown, --save"),
        ("--save-scenes x", PHOTOS, "--save-scenes is for videos and live sources; photos are there already"),
        ("--mqtt mqtt://h/t --mqtt-discovery", PHOTOS, "--mqtt-discovery is for cameras"),
        ("--mqtt-discovery", VIDEO + LIVE, "--mqtt-discovery needs a broker; name it, with --mqtt mqtt://HOST/TOPIC"),
        ("--overwrite --events e", LIVE, "--overwrite is for videos and photos; events of a live source are added"),
        ("--overwrite --events -", PHOTOS + VIDEO, "--overwrite is for the file of --events; name it"),
        ("--anonymize --save x", TABLE, "--anonymize looks for every face there is, a table may hold some of them"),
        ("--preset x", TABLE, "--preset is for photos and videos; the faces of a table are found and embedded already"),
        ("--min-face-size 40", TABLE, "--min-face-size is for photos and videos"),
        ("--headless --show", VIDEO + LIVE, "--headless and --show exclude each other"),
        ("--anonymize --show --save-unknown x", VIDEO + LIVE, "--anonymize and --save-unknown exclude each other"),
        ("--anonymize --show --save-scenes x", VIDEO + LIVE, "--anonymize and --save-scenes exclude each other"),
        (
            "--anonymize",
            [SourceKind.IMAGE, SourceKind.FOLDER, *VIDEO, *LIVE],
            "--anonymize changes pictures; say where they go, with --save or --show",
        ),
    ],
)
def test_what_would_be_ignored_is_refused(argv: str, kinds: list[SourceKind], message: str) -> None:
    options = parse("x", "--head", "h", *argv.split())
    for kind in kinds:
        with pytest.raises(OptionsError, match=f"^{message}"):
            check_options(options, kind)
    for kind in set(SourceKind) - set(kinds):
        if not argv.startswith(("--budget-ms 9 ", "--headless ", "--anonymize", "--mqtt-discovery", "--overwrite")):
            check_options(options, kind)


@pytest.mark.parametrize(
    ("argv", "kinds"),
    [
        ("--max-pixels 9 --anonymize --save x --show --events - --threshold 1", PHOTOS[:2]),
        ("--save x --save-crops y --keep-days 3 --source-name door --events e --overwrite", PHOTOS + VIDEO),
        ("--save-crops y --save-scenes z --keep-days 3 --mqtt mqtt://h/t --mqtt-discovery", VIDEO + LIVE),
        ("--detect-every 2 --events-every-frame --save-unknown x --keep-days 3 --headless --save y", VIDEO + LIVE),
        ("--budget-ms 9 --save-unknown x --show", LIVE),
        ("--detect-every 2 --anonymize=all --save x", VIDEO + LIVE),
    ],
)
def test_what_goes_together_is_taken(argv: str, kinds: list[SourceKind]) -> None:
    for kind in kinds:
        check_options(parse("x", "--head", "h", *argv.split()), kind)
