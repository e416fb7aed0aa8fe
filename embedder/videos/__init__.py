"""Video files: their frames, when they were made, and the best looks of each face that is seen in them.

In: a video file, a detector, a crop rule.
Out: frames with their seconds; `Look`: a face of a track, cut out, at a second.
May import: foundation, embedder.images, embedder.detection.
"""
