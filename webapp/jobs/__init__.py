"""Long work in processes of its own, which outlive a closed tab and a restarted server.

In: a workspace, what to do.
Out: `Job`: how far it is, what came of it, in a file of the workspace.
May import: foundation, people.store, people.workspace, people.suggestions, people.threshold,
    embedder.tables, classifiers.files, webapp.pictures.
"""
