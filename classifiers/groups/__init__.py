"""Grouping of unnamed faces: clustering with constraints, contact sheets.

In: vectors (n, d), or an object with a table's columns, and what is known about them.
Out: groups with names, contact sheets, BCubed figures.
May import: foundation, classifiers.scores, classifiers.people_files.
"""
