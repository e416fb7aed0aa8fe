"""Decisions about faces, append-only, in one SQLite file.

In: faces (a photo's hash and a box), decisions of a person, the rows of an embedding table.
Out: `PeopleStore`: who is who now, the history of it, which row is which face.
May import: foundation, classifiers.scores.
"""
