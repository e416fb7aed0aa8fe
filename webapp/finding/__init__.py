"""Finding: photos by who is on them and when, by a picture from elsewhere, and a photo with its faces.

In: a workspace's decisions, the vectors of its faces, pictures that are looked at and not kept.
Out: routers of the HTTP interface.
May import: people.store, people.browsing, people.search, webapp.api, webapp.naming, webapp.programs.
"""
