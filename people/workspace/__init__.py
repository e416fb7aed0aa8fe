"""A workspace: settings, a table, decisions and heads in one folder, and the scan that brings them up to date.

In: photo folders, a folder for the workspace.
Out: `Workspace`, `scan`: a table, groups of unnamed faces, a head of all named people.
May import: foundation, people.store, embedder.images, embedder.videos, embedder.detection, embedder.networks,
    embedder.pipeline, embedder.tables, classifiers.scores, classifiers.heads, classifiers.files, classifiers.training,
    classifiers.groups, classifiers.people_files.
"""
