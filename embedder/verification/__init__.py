"""Same person or not: distances between photos, LFW pairs, ROC and DET.

In: photos, or pairs of a list.
Out: distances, `Comparison`, verification figures and plots.
May import: foundation, foundation.drawing, embedder.images, embedder.runtime, embedder.detection, embedder.networks,
    embedder.tables, embedder.pipeline.
"""
