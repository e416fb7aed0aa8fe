"""Find a person in all files that Facetable writes, and remove them from these; one module per kind of file.

In: files and folders, a person's name, photos of them where faces are looked for, too.
Out: which file holds what of the person, what was removed, what is to be done by hand.
May import: foundation, people.store, people.workspace, embedder.images, embedder.runtime, embedder.hdf5,
    embedder.tables, embedder.exchange, classifiers.scores, classifiers.heads, classifiers.files, classifiers.members.
"""
