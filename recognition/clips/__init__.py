"""Clips as photos of a person: the tracks of a video file and the best looks of each.

In: a video file, an encoder.
Out: `ClipTrack`: faces of one track, apart in time, as `FaceSample`.
May import: foundation, embedder.detection, embedder.networks, embedder.videos, classifiers.members,
    recognition.sources, recognition.tracking.
"""
