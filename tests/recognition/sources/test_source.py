import os
from pathlib import Path

import cv2
import numpy as np
import pytest

from recognition.errors import SourceError
from recognition.sources.source import SourceKind, parse_source, redact_url


@pytest.mark.parametrize(
    ("text", "kind", "address", "name"),
    [
        ("0", SourceKind.CAMERA, "0", "camera 0"),
        ("007", SourceKind.CAMERA, "7", "camera 7"),
        ("/dev/video2", SourceKind.CAMERA, "2", "camera 2"),
        ("-", SourceKind.PIPE, "-", "-"),
        ("rtsp://cam/live", SourceKind.STREAM, "rtsp://cam/live", "rtsp://cam/live"),
        ("HTTP://cam:8080/video", SourceKind.STREAM, "HTTP://cam:8080/video", "http://cam:8080/video"),
    ],
)
def test_what_is_no_file(text: str, kind: SourceKind, address: str, name: str) -> None:
    source = parse_source(text)
    assert (source.kind, source.address, source.name) == (kind, address, name)


def test_only_cameras_streams_and_pipes_are_live() -> None:
    assert [kind.name for kind in SourceKind if kind.is_live] == ["CAMERA", "STREAM", "PIPE"]


def test_files_and_folders(tmp_path: Path) -> None:
    cv2.imwrite(str(tmp_path / "a.png"), np.zeros((20, 20, 3), np.uint8))
    (tmp_path / "a.png").rename(tmp_path / "photo")
    for name in ("b.JPG", "c.mp4", "d.bin"):
        (tmp_path / name).write_bytes(b"no picture")
    os.mkfifo(tmp_path / "pipe")
    kinds = {path.name: parse_source(str(path)).kind.name for path in sorted(tmp_path.iterdir())}
    assert kinds == {"photo": "IMAGE", "b.JPG": "IMAGE", "c.mp4": "VIDEO", "d.bin": "VIDEO", "pipe": "PIPE"}
    assert parse_source(str(tmp_path)).kind is SourceKind.FOLDER


def test_a_number_that_is_a_file_can_be_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "0").mkdir()
    monkeypatch.chdir(tmp_path)
    assert parse_source("0").kind is SourceKind.CAMERA
    assert parse_source("./0").kind is SourceKind.FOLDER


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("nothing.jpg", "nothing.jpg: no such file or folder; SOURCE must be a camera number"),
        ("ftp://cam/x", "URLs begin with one of http, .*got scheme 'ftp'"),
        ("http:///video", "'http:///video' names no host"),
        ("http://me:secret@[::1/video", "is no URL"),
        ("rtsp://me:secret/x@cam/live", r"'rtsp://\*\*\*@cam/live': .*in a password write / \? # as %2F %3F %23"),
        ("rtsp://me:12#secret@cam/live", "in a password write"),
        ("rtsp://me:x@cam:secret/live", "is no URL; write it like rtsp://USER:PASSWORD@ADDRESS:PORT/PATH"),
        ("rtsp://cam..home/live", "is no URL"),
        ("99999999999", "99999999999: no such file or folder; SOURCE must be a camera number"),
        ("/dev/null", "/dev/null: neither a file nor a folder"),
    ],
)
def test_what_is_no_source_is_refused(text: str, message: str) -> None:
    with pytest.raises(SourceError, match=message) as caught:
        parse_source(text)
    assert "secret" not in str(caught.value).replace("cam:secret", "")


def test_credentials_are_not_shown() -> None:
    source = parse_source("rtsp://admin:se%40cret@10.0.0.7:554/live?channel=1&Password=x&authToken=y#part")
    assert source.name == "rtsp://10.0.0.7:554/live?channel=1&Password=***&authToken=***#part"
    assert "cret" not in repr(source)
    assert redact_url("http://cam/video") == "http://cam/video"
    assert redact_url("http://cam/@me/video") == "http://cam/@me/video"
    assert redact_url("rtsp://me:1?secret@cam") == "rtsp://***@cam"
    assert redact_url("rtsp://me:secret@[::1") == "[::1"


@pytest.mark.parametrize(
    ("url", "name"),
    [
        (
            "rtsp://cam/user=me_password=a_b_channel=1_stream=0.sdp",
            "rtsp://cam/user=***_password=***_channel=1_stream=0.sdp",
        ),
        ("rtsp://cam/user=me&password=&channel=1", "rtsp://cam/user=***&password=***&channel=1"),
        ("rtsp://cam/live/token=a-b/1", "rtsp://cam/live/token=***/1"),
        ("http://cam/?pw=a/b=&n=1;pwd=c#token=d", "http://cam/?pw=***&n=1;pwd=***#token=***"),
        ("http://cam/?usr=me&sid=1&signature=x%2Fy", "http://cam/?usr=***&sid=1&signature=***"),
        ("http://cam/bypass/live?a=%C3%A9", "http://cam/bypass/live?a=%C3%A9"),
    ],
)
def test_secrets_outside_of_the_host_are_not_shown(url: str, name: str) -> None:
    assert redact_url(url) == name


def test_a_link_that_leads_nowhere_says_where_to(tmp_path: Path) -> None:
    (tmp_path / "a.jpg").symlink_to("gone.jpg")
    with pytest.raises(SourceError, match=r"a\.jpg: a dangling link to gone\.jpg; SOURCE must be a camera number"):
        parse_source(str(tmp_path / "a.jpg"))
