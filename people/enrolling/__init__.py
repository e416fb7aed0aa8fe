"""Pictures that somebody is enrolled with: judged, kept in the workspace, and named by a decision.

In: pictures, their faces, a name.
Out: `enrol_pictures`: files in the workspace's folder ``enrolled``, one decision about the faces on them.
May import: foundation, people.store, people.workspace, classifiers.heads, classifiers.members.
"""
