"""Parse SOURCE: a camera number, a stream URL, a video, an image, a folder, an embedding table or ``-``."""

import re
import stat
from dataclasses import dataclass, field
from enum import Enum
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

from embedder.images.kinds import PHOTO_SUFFIXES, VIDEO_SUFFIXES
from foundation.plug_ins.loading import SOURCES, plug_in_names
from recognition.errors import SourceError

STREAM_SCHEMES = ("http", "https", "rtmp", "rtmps", "rtp", "rtsp", "rtsps", "srt", "tcp", "udp")
"""URL schemes of streams that OpenCV's FFmpeg or the MJPEG reader can open."""

_TABLE_SUFFIXES = frozenset({".h5", ".hdf5"})
_BEGINNING_OF_HDF5 = b"\x89HDF\r\n\x1a\n"

_EXPECTED = "a camera number, a stream URL, a video, an image, a folder, a table or -"
_SECRET = "pass|pwd?|psw|use?r|login|token|key|secret|auth|cred|sig|sess"
_QUERY_SECRET = re.compile(rf"((?:^|[&;])[^&;=]*(?:{_SECRET})[^&;=]*=)[^&;]*", re.IGNORECASE)
# Some recorders take user and password in the path: /user=admin_password=1234_channel=1_stream=0.sdp
_PATH_SECRET = re.compile(rf"((?:{_SECRET})[^/&;=]*=)[^/&;]*?(?=[/&;]|_[a-z]+=|$)", re.IGNORECASE)
_VIDEO_DEVICE = re.compile(r"/dev/video(\d{1,9})")


class SourceKind(Enum):
    """Kinds of sources, by how they are read."""

    CAMERA = "camera"
    STREAM = "stream"
    PIPE = "pipe"
    VIDEO = "video"
    IMAGE = "image"
    FOLDER = "folder"
    TABLE = "table"

    @property
    def is_live(self) -> bool:
        """Whether the source has a clock of its own, so that frames are dropped rather than queued."""
        return self in (SourceKind.CAMERA, SourceKind.STREAM, SourceKind.PIPE)

    @property
    def is_photos(self) -> bool:
        """Whether the source is a photo, a folder of photos, or the table of one."""
        return self in (SourceKind.IMAGE, SourceKind.FOLDER, SourceKind.TABLE)


@dataclass(frozen=True)
class Source:
    """A source of photos or frames.

    Attributes
    ----------
    kind : SourceKind
    address : str
        Number, URL or path to open; a URL may hold credentials, so it is never shown.
    name : str
        Name in messages and events: the address without credentials.
    """

    kind: SourceKind
    address: str = field(repr=False)
    name: str


def parse_source(text: str) -> Source:
    """Return the source that `text` names.

    Raises
    ------
    SourceError
        If no such file exists, or the URL's scheme is none of `STREAM_SCHEMES` and of those that installed packages
        offer in the group ``facetable.sources``.

    >>> parse_source("0").kind
    <SourceKind.CAMERA: 'camera'>
    >>> parse_source("rtsp://admin:1234@10.0.0.7/live")
    Source(kind=<SourceKind.STREAM: 'stream'>, name='rtsp://10.0.0.7/live')
    """
    if text == "-":
        return Source(SourceKind.PIPE, text, "-")
    device = _VIDEO_DEVICE.fullmatch(text)
    if device or re.fullmatch(r"\d{1,9}", text):
        number = device.group(1) if device else str(int(text))
        return Source(SourceKind.CAMERA, number, f"camera {number}")
    if "://" in text:
        return _parse_url(text)
    return _parse_path(text)


def redact_url(url: str) -> str:
    """Return `url` without user and password, and without what looks like a secret in its path, query or fragment.

    >>> redact_url("http://me:pw@cam:8080/video?channel=2&pwd=1234")
    'http://cam:8080/video?channel=2&pwd=***'
    >>> redact_url("http://me:12/34@cam/video")
    'http://***@cam/video'
    """
    try:
        parts = urlsplit(url)
    except ValueError:
        return url.rpartition("@")[2]
    if is_cut_password(url):
        return f"{parts.scheme}://***@{url.rpartition('@')[2]}"
    path = _PATH_SECRET.sub(r"\1***", parts.path)
    query, fragment = (_QUERY_SECRET.sub(r"\1***", part) for part in (parts.query, parts.fragment))
    return urlunsplit((parts.scheme, parts.netloc.rpartition("@")[2], path, query, fragment))


def is_cut_password(url: str) -> bool:
    """Whether the host of `url` ends before an ``@``: a password with a character that ends it, such as a slash."""
    host, *rest = re.split(r"[/?#]", url.partition("://")[2], maxsplit=1)
    return ":" in host and "@" not in host and "@" in "".join(rest)


def _parse_url(text: str) -> Source:
    if is_cut_password(text):
        raise SourceError(
            f"{redact_url(text)!r}: expected an address after '@', found one that ends "
            "before the '@'; in a password write / ? # as %2F %3F %23, and in a path @ as %40"
        )
    try:
        parts = urlsplit(text)
        scheme, host, _ = parts.scheme.lower(), parts.hostname, parts.port
        if host is not None:
            host.encode("idna")  # refuses what no name server can be asked for
    except ValueError:
        # What is wrong is not said: it may be a part of the password.
        raise SourceError(
            f"{redact_url(text)!r} is no URL; write it like rtsp://USER:PASSWORD@ADDRESS:PORT/PATH"
        ) from None
    offered = [] if scheme in STREAM_SCHEMES else plug_in_names(SOURCES)
    if scheme in offered:
        return Source(SourceKind.STREAM, text, redact_url(text))
    if scheme not in STREAM_SCHEMES:
        raise SourceError(
            f"SOURCE must be {_EXPECTED}; URLs begin with one of "
            f"{', '.join([*STREAM_SCHEMES, *offered])}, got scheme {scheme!r}"
        )
    if not host:
        raise SourceError(f"{redact_url(text)!r} names no host; write it like rtsp://ADDRESS/PATH")
    return Source(SourceKind.STREAM, text, redact_url(text))


def _parse_path(text: str) -> Source:
    from foundation.paths import describe_dangling, display_path

    path = Path(text)
    name = display_path(path)
    try:
        mode = path.stat().st_mode
    except FileNotFoundError:
        link = describe_dangling(path)
        found = "no such file or folder" if link is None else link
        raise SourceError(f"{name}: {found}; SOURCE must be {_EXPECTED}") from None
    if stat.S_ISDIR(mode):
        return Source(SourceKind.FOLDER, text, name)
    if stat.S_ISFIFO(mode):
        return Source(SourceKind.PIPE, text, name)
    if not stat.S_ISREG(mode):
        raise SourceError(f"{name}: neither a file nor a folder; SOURCE must be {_EXPECTED}")
    if path.suffix.lower() in PHOTO_SUFFIXES:
        return Source(SourceKind.IMAGE, text, name)
    if path.suffix.lower() in _TABLE_SUFFIXES or _is_hdf5(path):
        return Source(SourceKind.TABLE, text, name)
    is_video = path.suffix.lower() in VIDEO_SUFFIXES or not _is_image(path)
    return Source(SourceKind.VIDEO if is_video else SourceKind.IMAGE, text, name)


def _is_hdf5(path: Path) -> bool:
    with path.open("rb") as stream:
        return stream.read(len(_BEGINNING_OF_HDF5)) == _BEGINNING_OF_HDF5


def _is_image(path: Path) -> bool:
    from embedder.errors import ImageError
    from embedder.images.reading import read_image

    try:
        read_image(path)
    except ImageError:
        return False
    return True
