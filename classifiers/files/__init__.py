"""Head files: zip archives without pickle, checked when read.

In: a `Head`, or a head file.
Out: a head file, or a `Head`.
May import: foundation, foundation.head_files, classifiers.scores, classifiers.heads.
"""
