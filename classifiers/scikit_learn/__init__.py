"""Heads as scikit-learn has its classifiers: labels of any type, pipelines, searches over settings, scorers.

In: vectors (n, d) with labels (n,).
Out: `OpenSetClassifier`, fitted; how many people are found where few strangers are named.
May import: foundation, classifiers.scores, classifiers.heads, classifiers.files, classifiers.training.
"""
