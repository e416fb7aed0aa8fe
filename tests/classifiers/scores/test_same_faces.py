"""The same face of the same photo, by box or by vector."""

import numpy as np

from classifiers.scores.gallery import Gallery
from classifiers.scores.same_faces import overlaps, same_face_pairs, same_faces

UNITS = np.eye(3, dtype=np.float32)


def test_the_same_face_of_the_same_photo():
    gallery = Gallery.build(UNITS[[0, 1, 0, 0]], ["A"] * 4, image_sha256=["x", "x", "y", ""])
    others = Gallery.build(UNITS[[0, 0]], ["B", "B"], image_sha256=["x", ""])
    assert same_faces(gallery, others).tolist() == [True, False, False, False]
    assert same_faces(gallery.selected([]), others).tolist() == []
    assert same_faces(gallery, others.selected([])).tolist() == [False] * 4


def test_boxes_tell_faces_whose_vectors_differ():
    boxes = [[0, 0, 10, 10], [20, 0, 30, 10], [0, 0, 10, 10]]
    gallery = Gallery.build(UNITS, ["A"] * 3, image_sha256=["x", "x", "y"], boxes=boxes)
    others = Gallery.build(UNITS[[2, 2]], ["B", "B"], image_sha256=["x", "x"], boxes=[[1, 0, 11, 10], [26, 0, 36, 10]])
    assert same_faces(gallery, others).tolist() == [True, False, False]
    longer = Gallery.build(np.eye(5)[:2], ["B", "B"], image_sha256=["x", "y"], boxes=[[1, 0, 11, 10]] * 2)
    assert same_faces(gallery, longer, compare_vectors=False).tolist() == [True, False, True]


def test_pairs_are_all_pairs():
    gallery = Gallery.build(UNITS[[0, 0, 1, 0]], ["A"] * 4, image_sha256=["x", "x", "x", "y"])
    rows, others = same_face_pairs(gallery, gallery)
    assert sorted(zip(rows.tolist(), others.tolist(), strict=True)) == [(0, 0), (0, 1), (1, 0), (1, 1), (2, 2), (3, 3)]


def test_boxes_without_area_overlap_nothing():
    assert overlaps(np.float32([[0, 0, 0, 0]]), np.float32([[0, 0, 0, 0]])).tolist() == [0.0]
    assert overlaps(np.zeros((0, 4), np.float32), np.zeros((0, 4), np.float32)).tolist() == []


def test_two_moments_of_a_clip_are_two_faces():
    paths = ["c.mp4#t=1.2", "c.mp4#t=3", "c.mp4"]
    boxes = [[0, 0, 10, 10]] * 3
    gallery = Gallery.build(UNITS[[0, 0, 0]], ["A"] * 3, paths=paths, image_sha256=["x"] * 3, boxes=boxes)
    moment = Gallery.build(UNITS[[0]], ["B"], paths=["moved/c.mp4#t=1.2"], image_sha256=["x"], boxes=[[0, 0, 10, 10]])
    assert same_faces(gallery, moment).tolist() == [True, False, True]
