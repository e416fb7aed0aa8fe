"""Runs of ``recognize.py`` over photos, videos and live sources.

In: `Options`.
Out: files, events, an exit code.
May import: foundation, foundation.drawing, foundation.plug_ins, every wing of recognition, embedder.images,
    embedder.detection, embedder.finding, embedder.networks, embedder.tables, embedder.videos, classifiers.heads,
    classifiers.files, classifiers.members.
"""
