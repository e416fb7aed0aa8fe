"""Faces in images: MTCNN, boxes and landmarks, alignment and crops.

In: images, uint8 (h, w, 3) RGB.
Out: `Faces` (boxes, landmarks, scores) and their crops.
May import: foundation, embedder.runtime.
"""
