"""Whole runs of ``recognize.py`` over photos, videos and cameras.

In: `Options`.
Out: finished files, events, an exit code.
May import: foundation, every wing of recognition, embedder.images, embedder.detection, embedder.networks,
    classifiers.heads, classifiers.files, classifiers.members.
"""
