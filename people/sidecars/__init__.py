"""Face regions and names in XMP, as other programs read and write them.

In: a workspace, sidecars, XMP within photos.
Out: sidecars beside photos; names that other programs gave.
May import: foundation, classifiers.scores, people.store, people.workspace, embedder.images.
"""
