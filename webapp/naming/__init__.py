"""Naming: groups of unnamed faces, questions worth asking, why a face is taken for somebody, and from which score on.

In: a workspace's decisions, the vectors of a few of its faces.
Out: routers of the HTTP interface.
May import: foundation, people.store, people.browsing, people.workspace, people.suggestions, people.threshold,
    classifiers.scores, classifiers.groups, classifiers.files, classifiers.heads, classifiers.members, webapp.api.
"""
