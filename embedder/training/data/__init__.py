"""Aligned faces on disk to batches of pixels and labels.

In: a folder of aligned faces, one sub-folder a person.
Out: batches for training.
May import: foundation, embedder.images, embedder.networks, embedder.training.
"""
