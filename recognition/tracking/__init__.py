"""Tracking of faces from frame to frame, and identification by several crops of each.

In: frames, detector, network, head.
Out: tracks with identities, and their events.
May import: foundation, embedder.detection, embedder.finding, embedder.networks, classifiers.scores, classifiers.heads,
    classifiers.files, recognition.sources, recognition.events.
"""
