"""Grouping of unnamed faces: clustering with constraints, people files, contact sheets.

In: vectors (n, d), or an object with a table's columns, and what is known about them.
Out: groups, `people.csv`, contact sheets, BCubed figures.
May import: foundation, classifiers.scores.
"""
