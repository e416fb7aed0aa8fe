"""Faces of photos: which way up a photo is, which of its faces are kept, their crops.

In: photos with their pixels, a detector, a crop rule.
Out: `FoundFaces`: boxes and landmarks on the photo as it is stored, crops cut from the photo the right way up.
May import: foundation, embedder.images, embedder.detection.
"""
