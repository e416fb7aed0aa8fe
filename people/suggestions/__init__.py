"""Questions whose answer settles most: same person, is this Anna, is this really Anna, is this a face.

In: a workspace's table and decisions.
Out: `Suggestion`, ranked; an answer becomes a decision.
May import: foundation, people.store, embedder.finding, embedder.tables, classifiers.scores, classifiers.groups.
"""
