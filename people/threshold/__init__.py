"""The threshold of a workspace's head: what its named people say about it, and which one somebody has chosen.

In: a workspace with a head.
Out: `measure_rates`: how many of the people, and of strangers, each threshold gives a name; `choose_threshold`.
May import: foundation, people.workspace, classifiers.scores, classifiers.heads, classifiers.files,
    classifiers.training.
"""
