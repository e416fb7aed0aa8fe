"""Crops to vectors: presets, the network's architecture, and detector and network joined.

In: crops, uint8 (n, s, s, 3), or images.
Out: unit vectors, float32 (n, d), and the fingerprint they belong to.
May import: foundation, foundation.plug_ins, embedder.detection, embedder.finding, embedder.network_files,
    embedder.runtime.
"""
