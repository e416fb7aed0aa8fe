"""Faces as a CSV file for spreadsheets: one row a face, without its vector."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from embedder.tables.table import LANDMARK_NAMES, EmbeddingTable
from foundation.csv_rows import write_rows

COLUMNS = (
    "identity",
    "path",
    "face_index",
    *("x_min", "y_min", "x_max", "y_max"),
    *(f"{landmark}_{axis}" for landmark in LANDMARK_NAMES for axis in "xy"),
    "detection_score",
    "image_sha256",
    "origin",
    "time_s",
    "taken",
    "second_score",
)


def write_csv(path: Path, table: EmbeddingTable) -> None:
    """Write one row a face with the columns `COLUMNS`, replacing the file in one step; pixels are of the upright photo.

    Raises
    ------
    OSError
        If it cannot be written.
    """
    write_rows(path, COLUMNS, _rows(table))


def _rows(table: EmbeddingTable) -> Iterator[list[Any]]:
    taken = np.repeat(table.images.taken, table.images.n_faces)
    for row in range(len(table)):
        time = table.times[row]
        yield [
            table.identities[row],
            table.paths[row],
            int(table.face_indices[row]),
            *(_number(side, 2) for side in table.boxes[row]),
            *(_number(side, 2) for side in table.landmarks[row].ravel()),
            _number(table.detection_scores[row], 4),
            table.image_sha256[row],
            table.origins[row],
            _number(time, 3),
            taken[row],
            _number(table.second_scores[row], 4),
        ]


def _number(value: Any, digits: int) -> str:
    """Return a number as text, "" for none."""
    return str(round(float(value), digits)) if np.isfinite(value) else ""
