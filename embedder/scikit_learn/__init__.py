"""Photos to vectors as a step of a scikit-learn pipeline.

In: paths of photos, or images, uint8 (h, w, 3) RGB.
Out: unit vectors, float32 (n, d), one of each photo's main face.
May import: foundation, embedder.images, embedder.networks.
"""
