"""Looking closer for faces that are to be hidden, and hiding them on the frames before and after, too.

In: photos, frames and their tracked faces, a detector that looks closer.
Out: boxes to hide.
May import: embedder.detection, recognition.sources, recognition.tracking.
"""
