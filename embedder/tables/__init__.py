"""Embedding tables: vectors and a ledger of photos, in memory and as HDF5 files that survive any crash.

In: rows and ledger entries.
Out: `EmbeddingTable`, table files, part files.
May import: foundation, embedder.images, embedder.videos, embedder.hdf5, embedder.notebook.
"""
