"""What a person has said about faces: people files with names, constraints on groups.

In: `people.csv` and files of constraints, as people have edited them, and the faces of a table.
Out: names and refusals of each face, what must and must not be in one group, the people file written again.
May import: foundation, classifiers.scores.
"""
