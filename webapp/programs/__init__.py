"""What other programs ask: who is on a picture, what changes, that somebody be enrolled or forgotten.

In: pictures that are looked at and not kept, pictures that somebody is enrolled with, names.
Out: routers of the HTTP interface.
May import: foundation, people.store, people.enrolling, people.forgetting, embedder.images, embedder.networks,
    classifiers.heads, classifiers.members, webapp.api, webapp.naming.
"""
