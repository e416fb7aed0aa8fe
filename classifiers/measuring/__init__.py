"""What is measured of heads and groups, to be reused: rows for other programs, figures to look at.

In: evaluations of heads, groups of faces.
Out: comparisons of heads, rows of CSV files, plots.
May import: foundation, foundation.drawing, classifiers.scores, classifiers.heads, classifiers.training,
    classifiers.groups.
"""
