"""The commands ``facetable init``, ``scan``, ``people``, ``find`` and ``export``.

In: arguments.
Out: lines on standard output, JSON, an exit code.
May import: foundation, people.store, people.workspace, people.suggestions, people.threshold, people.search,
    people.sidecars, classifiers.files, embedder.images, embedder.tables, embedder.exchange.
"""
