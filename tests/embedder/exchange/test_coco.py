"""COCO-style JSON: ids that fit, boxes as corner and size, landmarks as keypoints, people as categories."""

from dataclasses import replace

import numpy as np

from embedder.exchange.coco import to_coco
from tests.embedder.fakes import make_table


def test_faces_images_and_people():
    table = make_table((1, 2, 0))
    table = replace(
        table,
        boxes=np.array([[10, 20, 30, 60], [0, 0, 8, 8], [1, 2, 3, 4.5]], np.float32),
        identities=np.array(["Zoë", "", "Zoë"], object),
    )
    coco = to_coco(table)
    assert [(one["file_name"], one["width"], one["height"]) for one in coco["images"]] == [
        ("a/0.jpg", 50, 40),
        ("a/1.jpg", 50, 40),
        ("a/2.jpg", 50, 40),
    ]
    first, second, third = coco["annotations"]
    assert (first["bbox"], first["area"]) == ([10, 20, 20, 40], 800)
    assert [one["image_id"] for one in coco["annotations"]] == [1, 2, 2]
    name_of = {one["id"]: one["name"] for one in coco["categories"]}
    assert [name_of[one["category_id"]] for one in (first, second, third)] == ["Zoë", "face", "Zoë"]
    assert first["keypoints"][6:8] == [round(float(value), 2) for value in table.landmarks[0, 2]]
    assert second["keypoints"][2::3] == [2] * 5 and len(second["keypoints"]) == 15
    assert coco["categories"][0]["keypoints"][2] == "nose"


def test_a_moment_in_a_video_is_an_image():
    table = make_table((3,))
    coco = to_coco(replace(table, times=np.array([1.5, 1.5, 9.0])))
    assert [one["file_name"] for one in coco["images"]] == ["a/0.jpg#t=1.5", "a/0.jpg#t=9"]
    assert [one["image_id"] for one in coco["annotations"]] == [1, 1, 2]
