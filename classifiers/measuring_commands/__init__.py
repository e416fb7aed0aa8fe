"""The commands that measure heads: arguments in, library call, report out.

In: command lines.
Out: reports, result files and exit codes.
May import: foundation, foundation.drawing, classifiers.scores, classifiers.heads, classifiers.training,
    classifiers.measuring, embedder.tables.
"""
