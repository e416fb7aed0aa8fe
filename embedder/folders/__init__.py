"""A folder of photos to a folder of files: face crops, or plain upright copies.

In: a folder of photos.
Out: PNG crops with a list of boxes, or converted photos.
May import: foundation, embedder.images, embedder.detection, embedder.finding.
"""
