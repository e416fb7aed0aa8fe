from typing import Any

import numpy as np
import pytest

from embedder.errors import TableError
from embedder.tables.content import check_images, check_rows
from tests.embedder.fakes import make_table

NAN, INF = float("nan"), float("inf")


def changed(columns: dict[str, np.ndarray], name: str, place: Any, value: Any) -> dict[str, np.ndarray]:
    values = columns[name].copy()
    values[place] = value
    return columns | {name: values}


@pytest.mark.parametrize(
    ("name", "place", "value", "message"),
    [
        ("face_index", 1, -1, r"expected 0 or more in `face_index`, found -1 in row 1 \('a/1.jpg'\)"),
        ("face_index", 2, 0, r"expected another number for each face of a photo in `face_index`, found 0 in row 2"),
        ("box", (2, 1), NAN, r"expected finite numbers in `box`, found \[.* nan .*\] in row 2 \('a/1.jpg'\)"),
        ("box", (0, 3), -INF, "expected finite numbers in `box`"),
        ("box", (0, 0), 1e30, "expected finite numbers in `box`"),
        ("box", (0, 0), 1e6, "expected x_min <= x_max and y_min <= y_max in `box`"),
        ("box", (0, 3), -1e6, "expected x_min <= x_max and y_min <= y_max in `box`"),
        ("landmarks", (0, 4, 1), INF, "expected finite numbers in `landmarks`"),
        ("detection_score", 0, NAN, "expected 0 to 1 in `detection_score`, found nan in row 0"),
        (
            "detection_score",
            slice(None),
            1.5,
            r"expected 0 to 1 in `detection_score`, .* row 0 \('a/0.jpg'\) and 2 more",
        ),
        ("image_sha256", 1, "A" * 64, "expected 64 hexadecimal digits or nothing in `image_sha256`"),
        ("image_sha256", 1, "ä" * 64, "expected 64 hexadecimal digits"),
        ("image_sha256", 1, "ab", "expected 64 hexadecimal digits or nothing in `image_sha256`, found 'ab' in row 1"),
        ("origin", 2, "guessed", "expected one of detected, drawn, imported in `origin`, found 'guessed' in row 2"),
        ("time_s", 0, -1.0, "expected seconds, 0 or more, or NaN in `time_s`, found -1.0 in row 0"),
        ("time_s", 0, INF, "expected seconds, 0 or more, or NaN in `time_s`"),
    ],
)
def test_rows_no_table_may_hold(name: str, place: Any, value: Any, message: str) -> None:
    with pytest.raises(TableError, match=message):
        check_rows(changed(make_table().columns(), name, place, value))


@pytest.mark.parametrize(
    ("name", "place", "value"),
    [
        ("box", (0, slice(None)), [-30, -20, 5000, 4000]),  # a face cut off by the picture's edges
        ("box", (0, slice(None)), [3, 3, 3, 3]),
        ("landmarks", (0, 0), [-7, 99999]),
        ("detection_score", slice(None), 1.0),
        ("face_index", slice(None), [7, 9, 3]),  # chosen from more
        ("image_sha256", 0, ""),
        ("origin", slice(None), ["drawn", "imported", "detected"]),
        ("time_s", 0, 12.5),
    ],
)
def test_rows_that_really_occur(name: str, place: Any, value: Any) -> None:
    check_rows(changed(make_table().columns(), name, place, value))


def test_rows_are_counted_from_the_first_of_the_file() -> None:
    with pytest.raises(TableError, match="in row 1000 "):
        check_rows(changed(make_table().columns(), "detection_score", 0, 2.0), first_row=1000)


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("path", "", "expected the relative path of a photo in `images/path`, found '' in row 1"),
        ("path", "/etc/passwd", "found '/etc/passwd' in row 1"),
        ("path", "a/../../b.jpg", r"found 'a/\.\./\.\./b\.jpg' in row 1"),
        ("path", "a\0b", "expected the relative path of a photo"),
        ("path", "a/0.jpg", r"expected another one in each entry in `images/path`, found 'a/0\.jpg' in row 1"),
        ("status", "fine", "expected one of ok, no_face, unreadable, error in `images/status`, found 'fine'"),
        ("status", "unreadable", "expected 0 where the status is not ok in `images/n_faces`, found 2 in row 1"),
        ("n_faces", -2, "expected 0 or more in `images/n_faces`, found -2"),
        ("width", -1, "expected 0 or more in `images/width`"),
        ("height", -1, "expected 0 or more in `images/height`"),
        ("size", -1, "expected 0 or more in `images/size`"),
        ("image_sha256", "x" * 64, "expected 64 hexadecimal digits or nothing in `images/image_sha256`"),
        ("turned", 45, "expected 0, 90, 180 or 270 in `images/turned`, found 45"),
        ("taken", "yesterday", "in `images/taken`, found 'yesterday' in row 1"),
        ("taken", "2024-13-01T00:00:00", "expected a time such as 2024-05-31T18:30:00"),
        ("kind", "film", "expected one of photo, video in `images/kind`, found 'film'"),
    ],
)
def test_ledgers_no_table_may_hold(name: str, value: Any, message: str) -> None:
    with pytest.raises(TableError, match=message):
        check_images(changed(make_table().images.columns(), name, 1, value))


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("path", "a/..b.jpg"),
        ("path", "a..b/c d.jpg"),
        ("taken", "2024-05-31T18:30:00"),
        ("taken", "2024-05-31T18:30:00-09:30"),
        ("turned", 270),
        ("kind", "video"),
        ("mtime_ns", -1),
        ("size", 2**40),
    ],
)
def test_ledgers_that_really_occur(name: str, value: Any) -> None:
    check_images(changed(make_table().images.columns(), name, 1, value))


def test_a_long_path_is_cut_in_the_message() -> None:
    columns = make_table().columns()
    columns = changed(changed(columns, "path", 0, "x" * 500), "detection_score", 0, 2.0)
    with pytest.raises(TableError) as raised:
        check_rows(columns)
    assert len(str(raised.value)) < 200
