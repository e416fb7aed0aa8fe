"""The page: everything people do with faces, in a browser, and the same as an HTTP interface for other programs.

Nothing is imported here; `webapp.server.app.create_app` makes the application.
"""
