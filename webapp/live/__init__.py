"""Cameras: each in a process of its own while somebody looks at it.

In: a workspace, names and addresses of cameras.
Out: `Watching`: the newest frame with the faces on it, for a browser or another program; `Visits`: who came when.
May import: foundation, people.store, people.workspace, recognition.sources, recognition.tracking, recognition.runs,
embedder.detection, embedder.networks, classifiers.files, classifiers.members, webapp.api, webapp.naming.
"""
