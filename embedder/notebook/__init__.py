"""Tables at hand in Python: made of one's own vectors, searched, shown with pictures.

In: vectors (n, d), columns of a table, photos.
Out: columns, the nearest rows, pictures and HTML for notebooks.
May import: foundation, embedder.videos.
"""
