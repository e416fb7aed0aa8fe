"""One row a face, numbers as a spreadsheet takes them."""

import csv
from dataclasses import replace

import numpy as np

from embedder.exchange.csv_file import COLUMNS, write_csv
from tests.embedder.fakes import make_table


def test_rows(tmp_path):
    table = make_table((1, 2))
    taken = np.array(["2019-06-30T12:00:00", ""], object)
    boxes = table.boxes.copy()
    boxes[0] = [1, 2.5, 3, 4]
    table = replace(table, boxes=boxes, images=replace(table.images, taken=taken), times=np.array([np.nan, 2, np.nan]))
    write_csv(tmp_path / "f.csv", table)
    with (tmp_path / "f.csv").open(encoding="utf-8", newline="") as stream:
        header, first, second, third = csv.reader(stream)
    assert tuple(header) == COLUMNS
    row = dict(zip(header, first, strict=True))
    assert (row["identity"], row["path"], row["face_index"], row["taken"]) == ("Zoë", "a/0.jpg", "0", taken[0])
    assert [row[side] for side in ("x_min", "y_min", "x_max", "y_max")] == ["1.0", "2.5", "3.0", "4.0"]
    assert (row["time_s"], second[header.index("time_s")], third[header.index("time_s")]) == ("", "2.0", "")
