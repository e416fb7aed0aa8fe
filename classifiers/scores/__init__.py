"""Similarity of a probe to enrolled people: galleries, normalization, neighbors, thresholds.

In: vectors (n, d) with identities (n,), and probes.
Out: scores (higher is more alike) and thresholds for them.
May import: foundation, foundation.head_files.
"""
