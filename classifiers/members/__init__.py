"""Who belongs to a head: enrol, forget, reject, explain, audit.

In: a `Head` and faces.
Out: changed heads and answers about them.
May import: foundation, foundation.drawing, foundation.head_files, classifiers.scores, classifiers.heads,
classifiers.files, classifiers.groups.
"""
