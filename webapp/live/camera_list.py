"""The cameras of a workspace, in a file that its owner alone may read: addresses may hold passwords."""

import json
import re
from threading import Lock

from foundation.atomic import write_bytes_atomically
from foundation.paths import display_path
from foundation.text import has_letter_or_digit, normalize_name
from people.workspace.workspace import Workspace
from webapp.errors import CameraError, UnknownCameraError

_MOST_CAMERAS = 64
_changing = Lock()


def read_cameras(workspace: Workspace) -> dict[str, str]:
    """Return the address of each camera by its name.

    Raises
    ------
    CameraError
        If the file holds something else.
    """
    path = workspace.folder / "cameras.json"
    try:
        found = json.loads(path.read_text("utf-8"))
    except FileNotFoundError:
        return {}
    except (ValueError, RecursionError):
        found = None
    if not isinstance(found, dict) or not all(isinstance(value, str) for value in found.values()):
        raise CameraError(f"{display_path(path)}: expected cameras as JSON, found something else; move it away")
    return found


def add_camera(workspace: Workspace, name: str, address: str) -> str:
    """Add a camera, and return its name as it is kept.

    Raises
    ------
    CameraError
        If the name is taken or cannot be part of an address, or the address is no camera's.
    """
    from recognition.errors import SourceError
    from recognition.sources.source import SourceKind, parse_source

    kept, address = normalize_name(name), address.strip()
    if not has_letter_or_digit(kept) or "/" in kept or "\\" in kept:
        raise CameraError("expected a camera's name with a letter or digit and without slashes")
    # Whether a file of this machine exists is nobody's business.
    if not (re.fullmatch(r"\d{1,9}", address) or "://" in address):
        raise CameraError("expected a camera's number or the URL of its stream, found something else")
    try:
        kind = parse_source(address).kind
    except SourceError as error:
        raise CameraError(str(error)) from None
    if kind not in (SourceKind.CAMERA, SourceKind.STREAM):
        raise CameraError("expected a camera's number or the URL of its stream, found something else")
    with _changing:
        cameras = read_cameras(workspace)
        if kept in cameras:
            raise CameraError("a camera has this name already; choose another")
        if len(cameras) >= _MOST_CAMERAS:
            raise CameraError(f"expected at most {_MOST_CAMERAS} cameras; remove one first")
        _write(workspace, {**cameras, kept: address})
    return kept


def remove_camera(workspace: Workspace, name: str) -> None:
    """Remove a camera.

    Raises
    ------
    UnknownCameraError
        If there is none of this name.
    """
    with _changing:
        cameras = read_cameras(workspace)
        if name not in cameras:
            raise UnknownCameraError("no camera has this name")
        del cameras[name]
        _write(workspace, cameras)


def _write(workspace: Workspace, cameras: dict[str, str]) -> None:
    content = json.dumps(cameras, indent=1, ensure_ascii=False).encode("utf-8", "replace")
    write_bytes_atomically(workspace.folder / "cameras.json", content, is_private=True)
