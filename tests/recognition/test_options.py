import argparse
from pathlib import Path

import pytest

from recognition.options import Options, add_arguments, read_options


def parse(*argv: str) -> Options:
    parser = argparse.ArgumentParser(exit_on_error=False)
    add_arguments(parser)
    return read_options(parser.parse_args([*argv]))


def test_defaults() -> None:
    assert parse("a.jpg", "--head", "h.skops") == Options(source="a.jpg", head=Path("h.skops"))


def test_everything_said() -> None:
    options = parse("0", "--head", "h", "--threshold", "0.6", "--save", "o.mp4", "--events", "-", "--show",
                    "--detect-every", "5", "--thresholds", "0.5", "0.6", "0.7", "--min-face-size", "40")
    assert (options.threshold, options.detect_every, options.thresholds, options.min_face_size) == (
        0.6, 5, (0.5, 0.6, 0.7), 40)


@pytest.mark.parametrize(("argv", "message"), [
    (["--threshold", "nan"], "expected a score such as 0.6, got 'nan'"),
    (["--threshold", "high"], "expected a score such as 0.6, got 'high'"),
    (["--detect-every", "0"], "expected a whole number of at least 1, got '0'"),
    (["--detect-every", "x"], "expected a whole number of at least 1, got 'x'"),
    (["--min-face-size", "small"], "expected auto or a whole number of pixels, got 'small'"),
])
def test_nonsense_is_refused(argv: list[str], message: str) -> None:
    with pytest.raises(argparse.ArgumentError, match=message):
        parse("a.jpg", "--head", "h", *argv)
