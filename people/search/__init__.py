"""What is done with photos that were asked for: faces like one, files gathered, tables and pages, who is with whom.

In: a workspace's table and decisions, a photo of somebody.
Out: rows of faces like theirs; copies, links, CSV, a contact sheet, a picture of who is on photos with whom.
May import: foundation, foundation.drawing, embedder.images, embedder.videos, embedder.networks, embedder.tables,
    classifiers.scores, classifiers.groups, people.store, people.workspace.
"""
