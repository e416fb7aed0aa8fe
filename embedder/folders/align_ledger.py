"""What `embedder.folders.align` has done in an output folder, kept so that several processes may write at once.

In the hidden folder `FOLDER` every process appends to a file of its own, one line for each finished photo, after the
photo's crops are whole. Nobody changes another's file; a line that a killed process left unfinished is not read. The
newest line of a photo counts. From all lines together `AlignLedger.write_csv` makes the list of boxes.
"""

import csv
import io
import json
import os
import secrets
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import IO, Any

import filelock

from embedder.detection.faces import Faces
from foundation.atomic import write_bytes_atomically
from foundation.errors import InputError
from foundation.fingerprint import UPRIGHT, UPRIGHT_BEFORE

FOLDER = ".align"
_SETTINGS = "settings.json"
CSV_NAME = "bounding_boxes.csv"

_LANDMARKS = ("left_eye", "right_eye", "nose", "left_mouth", "right_mouth")
CSV_COLUMNS = (
    "crop",
    "photo",
    "face_index",
    "x_min",
    "y_min",
    "x_max",
    "y_max",
    "score",
    *(f"{name}_{axis}" for name in _LANDMARKS for axis in "xy"),
    "turned",
)


@dataclass(frozen=True)
class AlignRecord:
    """One finished photo.

    Attributes
    ----------
    photo : str
        Path relative to the photo folder, with ``/``.
    size, mtime_ns : int
        Of the photo's file when it was read.
    status : str
        ``ok`` or ``no_face``.
    name : str
        Path of its crops in the output folder, without number and suffix.
    crops : list of str
        Paths of its crops in the output folder.
    faces : list of list of float
        For each crop the box, the score and the ten landmark coordinates, as in the columns of the CSV file.
    time_ns : int
        When it was written.
    turned : {0, 90, 180, 270}
        Degrees clockwise by which the upright photo was turned before faces were found and cut out; the faces are at
        their places on the photo as it is stored.
    """

    photo: str
    size: int
    mtime_ns: int
    status: str
    name: str
    crops: list[str]
    faces: list[list[float]]
    time_ns: int
    turned: int = 0


def face_rows(faces: Faces) -> list[list[float]]:
    """Return box, score and landmarks of each face, rounded to what is worth storing."""
    return [
        [round(float(value), 2) for value in box]
        + [round(float(score), 6)]
        + [round(float(value), 2) for value in points.ravel()]
        for box, score, points in zip(faces.boxes, faces.scores, faces.landmarks, strict=True)
    ]


def upright_begun_with(out: Path) -> Any:
    """Return what decided which way up photos are when `out` was begun; None where nothing was."""
    file = out / FOLDER / _SETTINGS
    return str(_read_settings(file).get(UPRIGHT, UPRIGHT_BEFORE)) if file.is_file() else None


def _read_settings(file: Path) -> dict[str, Any]:
    settings: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
    return settings


class AlignLedger:
    """The finished photos of one output folder.

    Parameters
    ----------
    out : Path
        The output folder; made if need be.
    settings : mapping
        All that decides what the crops look like, ready for JSON.

    Raises
    ------
    ValueError
        If the folder holds crops made with other settings.
    OSError
        If the folder cannot be read or written.
    """

    def __init__(self, out: Path, settings: Mapping[str, Any]) -> None:
        self._out = out
        self._folder = out / FOLDER
        self._folder.mkdir(parents=True, exist_ok=True)
        self._lock = filelock.FileLock(self._folder / "lock")
        with self._lock:
            self._check_settings(json.loads(json.dumps(settings)))
        self._own_part = self._folder / f"{time.time_ns()}-{os.getpid()}-{secrets.token_hex(4)}.jsonl"
        self._stream: IO[bytes] | None = None
        self._read_up_to: dict[Path, int] = {}
        self.records: dict[str, AlignRecord] = {}
        self.refresh()

    def refresh(self) -> None:
        """Read what other processes have finished meanwhile."""
        for part in sorted(self._folder.glob("*.jsonl")):
            start = self._read_up_to.get(part, 0)
            if part.stat().st_size <= start:
                continue
            with part.open("rb") as stream:
                stream.seek(start)
                text = stream.read()
            whole = text[: text.rfind(b"\n") + 1]
            self._read_up_to[part] = start + len(whole)
            for line in whole.splitlines():
                self._remember(AlignRecord(**json.loads(line)))

    def is_done(self, photo: str, size: int, mtime_ns: int) -> bool:
        """Return whether `photo` has been finished as it is now, and its crops are still there."""
        record = self.records.get(photo)
        if record is None or (record.size, record.mtime_ns) != (size, mtime_ns):
            return False
        return all((self._out / crop).is_file() for crop in record.crops)

    def add(self, record: AlignRecord) -> None:
        """Store a finished photo; crops of an earlier version that it no longer has are removed."""
        earlier = self.records.get(record.photo)
        if self._stream is None:
            self._stream = self._own_part.open("xb")
        self._stream.write(json.dumps(asdict(record)).encode() + b"\n")
        self._stream.flush()
        self._remember(record)
        for crop in set(earlier.crops if earlier is not None else []) - set(record.crops):
            (self._out / crop).unlink(missing_ok=True)

    def write_csv(self) -> Path:
        """Write the boxes of all finished photos, of all processes, and return the file."""
        target = self._out / CSV_NAME
        with self._lock:  # the last one to write must have read what all others wrote
            self.refresh()
            text = io.StringIO(newline="")
            writer = csv.writer(text)
            writer.writerow(CSV_COLUMNS)
            for photo, record in sorted(self.records.items()):
                for index, (crop, values) in enumerate(zip(record.crops, record.faces, strict=True)):
                    writer.writerow([crop, photo, index, *values, record.turned])
            write_bytes_atomically(target, text.getvalue().encode("utf-8"))
        return target

    def close(self) -> None:
        """Close this process's file."""
        if self._stream is not None:
            self._stream.close()
            self._stream = None

    def _remember(self, record: AlignRecord) -> None:
        known = self.records.get(record.photo)
        if known is None or record.time_ns >= known.time_ns:
            self.records[record.photo] = record

    def _check_settings(self, settings: dict[str, Any]) -> None:
        file = self._folder / _SETTINGS
        if not file.exists():
            write_bytes_atomically(file, json.dumps(settings, indent=2).encode())
            return
        before, settings = ({UPRIGHT: UPRIGHT_BEFORE, **said} for said in (_read_settings(file), settings))
        differences = [
            f"`{name}` {before.get(name)} before, {settings.get(name)} now"
            for name in sorted(before.keys() | settings.keys())
            if before.get(name) != settings.get(name)
        ]
        if differences:
            raise InputError(
                f"{self._out}: expected the settings of the crops that are there, got others: "
                f"{'; '.join(differences)}; repeat those settings or name another folder"
            )
