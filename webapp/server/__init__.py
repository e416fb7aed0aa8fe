"""The application: page and HTTP interface of one workspace, and the command that serves them.

In: a workspace, arguments.
Out: an ASGI application; a server until it is interrupted.
May import: foundation, people.store, people.workspace, webapp.access, webapp.api, webapp.naming, webapp.programs,
    webapp.live, webapp.finding.
"""
