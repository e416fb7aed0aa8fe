"""Pictures as browsers show them: small faces, cut once and kept, and photos without what their files tell.

In: a workspace, files and faces of its newest table.
Out: bytes of WebP and JPEG pictures, in memory and below ``thumbnails/``.
May import: foundation, people.store, people.browsing, people.workspace, people.sidecars,
    embedder.videos.
"""
