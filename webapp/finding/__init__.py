"""Finding: photos by who is on them and when, and a photo with its faces.

In: a workspace's decisions.
Out: routers of the HTTP interface.
May import: people.store, people.browsing, webapp.api.
"""
