"""The HTTP interface below ``/api/v1``: one router for each subject, one model for each answer.

In: requests that passed the gate.
Out: JSON and pictures; edits as decisions of the workspace's store.
May import: foundation, people.store, people.browsing, people.workspace, webapp.access, webapp.pictures,
    webapp.jobs.
"""
