"""Faces as COCO-style JSON: boxes, landmarks as keypoints, people as categories."""

from typing import Any

import numpy as np

from embedder.tables.table import LANDMARK_NAMES, EmbeddingTable
from foundation.paths import path_at

CONTRIBUTOR = "facetable"

_FACE = 1
_SEEN = 2


def to_coco(table: EmbeddingTable) -> dict[str, Any]:
    """Return a table as what JSON can hold, as the data sets of COCO are laid out.

    Boxes are ``[x, y, width, height]`` in pixels of the upright photo, keypoints ``x, y, 2`` of each landmark in the
    order of `LANDMARK_NAMES`. Category 1, ``face``, is of faces without a name, each person is another. A face in a
    video stands on an image of its own, ``clip.mp4#t=12.4``. Vectors are left out.

    The format: https://cocodataset.org/#format-data.
    """
    names = sorted(set(table.identities.tolist()) - {""})
    category_of = {"": _FACE} | {name: number for number, name in enumerate(names, _FACE + 1)}
    images, image_of_row = _images(table)
    annotations = [
        {
            "id": row + 1,
            "image_id": image_of_row[row],
            "category_id": category_of[table.identities[row]],
            "bbox": [*_numbers(box[:2]), *_numbers(box[2:] - box[:2])],
            "area": _numbers([np.prod(box[2:] - box[:2])])[0],
            "iscrowd": 0,
            "keypoints": _keypoints(table.landmarks[row]),
            "num_keypoints": len(LANDMARK_NAMES),
            "score": float(table.detection_scores[row]),
            "face_index": int(table.face_indices[row]),
        }
        for row, box in enumerate(table.boxes.astype(np.float64))
    ]
    categories = [
        {"id": number, "name": name or "face", "supercategory": "person", "keypoints": LANDMARK_NAMES, "skeleton": []}
        for name, number in category_of.items()
    ]
    info = {"description": "faces", "contributor": CONTRIBUTOR, "date_created": table.created}
    return {"info": info, "images": images, "annotations": annotations, "categories": categories}


def _images(table: EmbeddingTable) -> tuple[list[dict[str, Any]], list[int]]:
    ledger = table.images
    images: list[dict[str, Any]] = []
    image_of_row: list[int] = []
    row = 0
    for i, n_faces in enumerate(ledger.n_faces.tolist()):
        entry = {"width": int(ledger.width[i]), "height": int(ledger.height[i]), "date_captured": ledger.taken[i]}
        moments = [float(time) for time in table.times[row : row + n_faces]]
        if not any(np.isfinite(moments)):
            images.append({"id": len(images) + 1, "file_name": ledger.path[i], **entry})
            image_of_row += [len(images)] * n_faces
        else:
            number_of = {time: len(images) + k for k, time in enumerate(dict.fromkeys(moments), 1)}
            images += [{"id": k, "file_name": path_at(ledger.path[i], time), **entry} for time, k in number_of.items()]
            image_of_row += [number_of[time] for time in moments]
        row += n_faces
    return images, image_of_row


def _keypoints(landmarks: np.ndarray) -> list[float]:
    return [number for point in landmarks for number in (*_numbers(point), _SEEN)]


def _numbers(values: Any) -> list[float]:
    return [round(float(value), 2) for value in values]
