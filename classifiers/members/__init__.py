"""Who belongs to a head: enrol, forget, reject, explain, audit.

In: a `Head` and faces.
Out: changed heads and answers about them.
May import: foundation, classifiers.scores, classifiers.heads, classifiers.files, classifiers.groups.
"""
