"""The commands ``facetable init``, ``scan``, ``people`` and ``find``.

In: arguments.
Out: lines on standard output, JSON, an exit code.
May import: foundation, people.store, people.workspace, people.suggestions, embedder.tables.
"""
