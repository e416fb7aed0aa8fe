"""CSV files that people edit."""

import pytest

from foundation.csv_rows import parse_index, read_columns, read_rows, write_rows
from foundation.errors import InputError


def test_what_is_written_is_read(tmp_path):
    path = tmp_path / "x.csv"
    write_rows(path, ["path", "name"], [('a,b;c\n"d".jpg', "李雷"), (" x ", "")])
    assert read_rows(path, ["path", "name"]) == [
        (3, {"path": 'a,b;c\n"d".jpg', "name": "李雷"}),
        (4, {"path": " x ", "name": ""}),
    ]


@pytest.mark.parametrize(
    "text", ["path,name\r\na,b\r\n", "\ufeffpath,name\na,b\n\n,\n", "path;name\na;b\n", "path\tname\na\tb"]
)
def test_reads_what_spreadsheets_write(tmp_path, text):
    path = tmp_path / "x.csv"
    path.write_text(text, encoding="utf-8", newline="")
    assert read_rows(path, ["path", "name"]) == [(2, {"path": "a", "name": "b"})]


def test_a_short_row_is_filled_up(tmp_path):
    path = tmp_path / "x.csv"
    path.write_text("path,name\na\n")
    assert read_rows(path, ["path", "name"]) == [(2, {"path": "a", "name": ""})]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "expected the columns path, name in the first line, found an empty file; name a"),
        (b"path,score\n", "found no 'name' in 'path,score'"),
        (b"\xff\xd8\xff", "expected a CSV file in UTF-8, found a JPEG image; save it as CSV UTF-8"),
        (b"path,name\n" + b"a,b\n" * 99 + b"\xff\n", "expected a CSV file in UTF-8, found text that is not; save"),
    ],
)
def test_refuses(tmp_path, content, message):
    path = tmp_path / "x.csv"
    path.write_bytes(content)
    with pytest.raises(ValueError, match=message):
        read_rows(path, ["path", "name"])


def test_the_columns_of_a_file(tmp_path):
    path = tmp_path / "x.csv"
    path.write_text("\ufeffcluster;name\r\n", encoding="utf-8")
    assert read_columns(path) == ["cluster", "name"]
    path.write_bytes(b"")
    assert read_columns(path) == []


@pytest.mark.parametrize("text", ["", "-1", "1.5", "one"])
def test_an_index_is_a_whole_number(text):
    with pytest.raises(ValueError, match="here must be a whole number of at least 0"):
        parse_index(text, "here")


def test_an_index_of_many_digits_is_refused_in_few():
    assert parse_index("9" * 18, "here") == 10**18 - 1
    with pytest.raises(InputError, match=r"here must be a whole number of at most 18 digits, got .* of 5,000 char"):
        parse_index("9" * 5000, "here")


def test_a_failed_write_leaves_the_file_as_it_was(tmp_path):
    path = tmp_path / "x.csv"
    path.write_text("before")

    def rows():
        yield ("a",)
        raise OSError("disk full")

    with pytest.raises(OSError, match="disk full"):
        write_rows(path, ["path"], rows())
    assert path.read_text() == "before"
    assert list(tmp_path.iterdir()) == [path]


def test_a_link_stays_a_link(tmp_path):
    (tmp_path / "link.csv").symlink_to(tmp_path / "real.csv")
    write_rows(tmp_path / "link.csv", ["path"], [])
    assert (tmp_path / "link.csv").is_symlink()
    assert (tmp_path / "real.csv").read_text() == "path\n"
