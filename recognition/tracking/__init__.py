"""Faces followed from frame to frame and named by the evidence of several crops.

In: frames, detector, network, head.
Out: tracks with identities, and their events.
May import: foundation, embedder.detection, embedder.networks, classifiers.scores, classifiers.heads,
    classifiers.files, recognition.sources, recognition.events.
"""
