"""Grouping of unnamed faces: clustering with constraints, people files, contact sheets.

In: vectors (n, d) and what is known about them.
Out: groups, `people.csv`, contact sheets, BCubed figures.
May import: foundation, classifiers.scores.
"""
