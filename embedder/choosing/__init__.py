"""Choosing a network: a first record of a foreign one, how it wants its faces, and what all presets are worth.

In: a network file, photos of people.
Out: a `Preset`, a table of how well each way to prepare faces separates people, a list of presets.
May import: foundation, embedder.images, embedder.runtime, embedder.detection, embedder.finding, embedder.networks,
    embedder.verification.
"""
