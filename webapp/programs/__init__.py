"""What other programs ask: who is on a picture, what changes, and that somebody be forgotten.

In: pictures that are looked at and not kept, names.
Out: routers of the HTTP interface.
May import: foundation, people.forgetting, embedder.images, embedder.networks, webapp.api, webapp.naming.
"""
